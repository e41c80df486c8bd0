// Radars, clock, channels and the age of the data: what the screen knows of itself, always in sight, reasons included.
import { useEffect, useRef } from "preact/hooks";
import { clock, fixed, lang, ltr, partName, seconds, spaced, t, tn } from "./i18n";
import { reasonIn } from "./reasons";
import * as store from "./store";
import type { Health, Sensor } from "./types";

const AGE_CAUTION_S = 1; // two missed updates of the tracks
const CLOCK_CAUTION_S = 1;
const RADARS_SHOWN_MAX = 3;

interface Told {
  part: string;
  state: "ok" | "degraded" | "lost" | "unknown" | "none"; // none: there is nothing to be well or ill
  text: string;
  reason: string;
  t: number | null;
  own?: boolean; // the reason is the screen's own, in its language; else it is a sentence of the log
}

/** A radar is as well as the worse of what its plots show and what is said of it. */
function radar(sensor: Sensor, told: Health | undefined): Told {
  const worse = told && told.state !== "ok" && sensor.state !== "lost" ? told.state : sensor.state;
  const text = worse === sensor.state ? t(`sensor.${worse}`, { s: seconds(sensor.silent ?? NaN) }) : t(`health.${worse}`);
  return { part: sensor.id, state: worse, text, reason: told?.reason ?? "", t: told?.t ?? null };
}

/** The worst that is said of a radar: by its feed, by itself ("sensor:north/status") and by the tracker ("/errors", "/flood"). */
function saidOf(id: string): Health | undefined {
  const part = `sensor:${id}`;
  const all = [...store.health.value.values()].filter((h) => h.part === part || h.part.startsWith(`${part}/`));
  const rank = { ok: 0, degraded: 1, lost: 2 } as const;
  return all.sort((a, b) => rank[b.state] - rank[a.state])[0];
}

function radars(): Told[] {
  return store.sensors.value.map((s) => radar(s, saidOf(s.id)));
}

/** What else there is; `whole`: also what is said of radars by others than their feeds, which is in their chips. */
function others(prefix: string | null, whole = false): Told[] {
  const known = new Set(store.sensors.value.map((s) => `sensor:${s.id}`));
  const isKnown = (part: string) => known.has(whole ? part : part.split("/", 1)[0]!);
  return [...store.health.value.values()]
    .filter((h) => (prefix ? h.part.startsWith(prefix) : !h.part.startsWith("channel:") && !isKnown(h.part)))
    .map((h) => ({ part: prefix ? h.part.slice(prefix.length) : partName(h.part), state: h.state, text: t(`health.${h.state}`), reason: h.reason, t: h.t }));
}

/** The clock of the data beside that of this machine; only a live feed has one to compare. */
function clocks(): Told {
  const f = store.listFrame.value;
  if (store.hello.value?.source !== "live" || !store.player.value.following || !f)
    return { part: t("clock"), state: "none", text: t("clock.data"), reason: t("clock.data.why"), t: null, own: true };
  const off = (Date.now() - f.t) / 1000 - f.dataAge;
  const ok = Math.abs(off) <= CLOCK_CAUTION_S;
  const by = ltr(`${off > 0 ? "−" : "+"}${fixed(Math.abs(off), 1)} s`);
  return { part: t("clock"), state: ok ? "ok" : "degraded", text: ok ? t("health.ok") : by, reason: t("clock.why"), t: null, own: true };
}

function channels(): Told[] {
  const told = others("channel:");
  if (told.length) return told;
  const live = store.hello.value?.source === "live";
  const [state, text] = live ? (["ok", "channels.ok"] as const) : (["none", "channels.none"] as const);
  return [{ part: t("channels"), state, text: t(text), reason: live ? "" : t("channels.none.why"), t: null, own: true }];
}

const SIGNS = { ok: "✓", none: "–", degraded: "▲", lost: "▲", unknown: "▲" } as const;

function Chip({ told }: { told: Told }) {
  const named = told.state !== "none" && told.part !== t("channels");
  return (
    <li class={`chip ${SIGNS[told.state] === "▲" ? "chip-caution" : ""}`}>
      <span aria-hidden="true">{SIGNS[told.state]}</span> {named && <><bdi>{told.part}</bdi> </>}{told.text}
    </li>
  );
}

export function HealthChips() {
  const found = radars();
  const fine = found.filter((r) => r.state === "ok");
  const out = channels();
  const faulty = out.filter((c) => c.state !== "ok");
  return (
    <div class="health">
      <ul class="chips" aria-label={t("health")}>
        {(found.length > RADARS_SHOWN_MAX ? found.filter((r) => r.state !== "ok") : found).map((r) => <Chip key={r.part} told={r} />)}
        {found.length > RADARS_SHOWN_MAX && <li class="chip"><span aria-hidden="true">✓</span> {tn("radars.ok", fine.length)}</li>}
        <Chip told={clocks()} />
        {faulty.length ? faulty.map((c) => <Chip key={c.part} told={c} />) : <li class="chip"><span aria-hidden="true">✓</span> {t("channels.ok")}</li>}
        {others(null).filter((h) => h.state !== "ok").map((h) => <Chip key={h.part} told={h} />)}
        <DataAge />
      </ul>
      <button type="button" aria-label={t("health.more")} aria-keyshortcuts="S" onClick={() => { store.healthOpen.value = true; }}>…</button>
    </div>
  );
}

function Reason({ of, own }: { of: string; own: boolean }) {
  if (!of) return <>–</>;
  const { text, lang: its } = own ? { text: of, lang: lang.value } : reasonIn(of, lang.value);
  return <span lang={its} dir={its === "ar" ? "rtl" : "ltr"}>{spaced(text, its)}</span>;
}

function DataAge() {
  const f = store.listFrame.value;
  if (!f) return null;
  const old = f.dataAge > AGE_CAUTION_S;
  return (
    <li class={`chip ${old ? "chip-caution" : ""}`}>
      {old && <span aria-hidden="true">▲ </span>}{t("data.age", { s: ltr(`${fixed(f.dataAge, f.dataAge < 10 ? 1 : 0)} s`) })}
    </li>
  );
}

/** Every part with its reason, for those who want to know more; nothing is told by a tooltip alone. */
export function HealthDialog() {
  const ref = useRef<HTMLDialogElement>(null);
  const open = store.healthOpen.value;
  useEffect(() => {
    if (open && !ref.current?.open) ref.current?.showModal();
    if (!open && ref.current?.open) ref.current.close();
  }, [open]);
  return (
    <dialog ref={ref} aria-labelledby="health-title" onClose={() => { store.healthOpen.value = false; }}>
      <h2 id="health-title">{t("health")}</h2>
      {open && (
        <table>
          <thead><tr>{["part", "state", "since", "reason"].map((name) => <th key={name} scope="col">{t(`health.${name}`)}</th>)}</tr></thead>
          <tbody>
            {[...radars(), clocks(), ...channels(), ...others(null, true)].map((h) => (
              <tr key={h.part}>
                <th scope="row"><bdi>{h.part}</bdi></th>
                <td><span aria-hidden="true">{SIGNS[h.state]}</span> {h.text}</td>
                <td>{h.t === null ? "–" : clock(h.t)}</td>
                <td><Reason of={h.reason} own={h.own ?? false} /></td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      <button type="button" onClick={() => { store.healthOpen.value = false; }}>{t("close")}</button>
    </dialog>
  );
}
