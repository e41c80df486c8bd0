// Zones in alarm, the selected round and why what was decided was decided, and what happened last.
import { useEffect, useRef } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { arm, confirm, disarm, holding, logged, mayAct, subject } from "./actions";
import { PROJECTILES, classNames } from "./classes";
import { Glyph } from "./glyphs";
import { clock, deviation, fixed, lang, ltr, metres, num, partName, percent, seconds, spaced, t, tn } from "./i18n";
import * as store from "./store";
import type { Alarm, LogItem } from "./types";

const ZONES_MAX = 60; // rows that are redrawn four times a second; the rest stays one press away
const FILTER_FROM = 12;
const LOG_SHOWN = 40;

export function Zones() {
  const at = store.now.value;
  const all = useSignal(false);
  const wanted = store.zoneFilter.value.trim().toLocaleLowerCase();
  const found = wanted ? store.standing.value.filter((a) => store.nameOf(a.zone).toLocaleLowerCase().includes(wanted)) : store.standing.value;
  const shown = all.value ? found : found.slice(0, ZONES_MAX);
  const zones = store.hello.value?.site.zones.length ?? 0;
  const alarmed = new Set(store.standing.value.map((a) => a.zone));
  return (
    <section class="panel zones" aria-labelledby="zones-title" id="zones" tabIndex={-1}>
      <h2 id="zones-title">{t("zones")}</h2>
      {(store.standing.value.length >= FILTER_FROM || wanted) && (
        <label class="filter">
          {t("zone.find")}
          <input type="search" value={store.zoneFilter.value} onInput={(e) => { store.zoneFilter.value = e.currentTarget.value; }} />
          {wanted && <span role="status">{tn("zones.found", found.length)}</span>}
        </label>
      )}
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="zones-title">
        <ol class="zone-list">
          {shown.map((alarm) => <ZoneRow key={alarm.id} alarm={alarm} at={at} />)}
        </ol>
        {found.length > ZONES_MAX && (
          <button type="button" class="more" aria-pressed={all.value} onClick={() => { all.value = !all.value; }}>
            {all.value ? t("fewer") : `${tn("zones.more", found.length - shown.length)} — ${t("show.all")}`}
          </button>
        )}
        {zones > 0 && <p class="clear-count"><span aria-hidden="true">✓ </span>{tn("zones.clear", zones - alarmed.size)}</p>}
        <ul class="cleared">
          {store.cleared.value.slice(0, 8).map((alarm) => (
            <li key={alarm.id}>
              <span aria-hidden="true">{alarm.state === "all_clear" ? "✓" : alarm.state === "cancelled" ? "○" : "⌛"} </span>
              <bdi>{store.nameOf(alarm.zone)}</bdi> <b>{t(alarm.state)}</b>{" "}
              <span class="muted">{clock(alarm.t)}</span>
            </li>
          ))}
          {store.cleared.value.length > 8 && <li class="muted">{tn("more.n", store.cleared.value.length - 8)}</li>}
        </ul>
      </div>
    </section>
  );
}

function ZoneRow({ alarm, at }: { alarm: Alarm; at: number }) {
  const zone = store.zonesById.value.get(alarm.zone);
  const acked = store.isAcked(alarm, at);
  const coming = alarm.impact >= at;
  return (
    <li class={`zone ${acked ? "zone-acked" : "zone-open"} ${coming ? "" : "zone-past"}`}>
      <span class={`flash ${acked ? "" : "flash-on"}`} aria-hidden="true">{acked ? "△" : "▲"}</span>
      <b class="zone-name"><bdi>{zone?.name ?? alarm.zone}</bdi></b>
      <b class="zone-time">{coming ? <>{seconds((alarm.impact - at) / 1000)}{alarm.std !== null && <small> {deviation(2 * alarm.std, true)}</small>}</> : t("ago", { s: seconds(Math.floor((at - alarm.impact) / 1000)) })}</b>
      <span class="zone-advice">{t(coming || alarm.advice === "none" ? `advice.${alarm.advice}` : "advice.stay")}</span>
      <span class="zone-more">{tn("people.n", zone?.people ?? 0)} · {percent(alarm.p)}<span class="hidden">, {t(acked ? "acked" : "unacked")}</span></span>
    </li>
  );
}

export function Selected() {
  const f = store.listFrame.value;
  const id = store.selected.value;
  const k = store.indexOf(f, id);
  return (
    <section class="panel selected" aria-labelledby="selected-title">
      <h2 id="selected-title">{t("selected")}{id ? <> <bdi>{id}</bdi></> : null}</h2>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="selected-title">
        {!id && <p class="empty">{t("selected.none")}</p>}
        {id !== 0 && k < 0 && <p class="empty">{t("selected.gone", { id })} {ending(id)}</p>}
        {k >= 0 && <Round k={k} id={id} />}
        {!mayAct() && <p class="muted small">{t("do.none")}</p>}
      </div>
      {mayAct() && <Actions />}
    </section>
  );
}

/** How a round ended, as far as the log on the screen knows. */
function ending(id: number): string | undefined {
  const item = store.log.value.findLast(({ kind, row }) => kind === "ended" && row.track === id);
  return item && `${clock(item.known)} ${text(item)}`;
}

function Round({ k, id }: { k: number; id: number }) {
  const f = store.listFrame.value!;
  const of = (name: string) => f.col[name]![k]!;
  const hello = store.hello.value!;
  const asset = hello.site.assets[of("asset")];
  const zone = hello.site.zones[of("zone")];
  const decision = store.decisions.value.get(id);
  const engagement = [...store.engagements.value.values()].filter((e) => e.track === id).pop();
  const tti = store.killed.value.has(id) ? NaN : of("tti");
  const speed = Math.hypot(of("ve"), of("vn"), of("vu"));
  const classes = classNames.map((name) => [name, of(`is_${name}`)] as const).filter(([, p]) => p >= 0.01).sort((a, b) => b[1] - a[1]);
  const reason = decision && (decision.reasons[lang.value] ?? decision.reasons.en);
  return (
    <>
      <dl class="first">
        <dt>{t("col.decision")}</dt>
        <dd>
          <b>{decision ? t(`action.${decision.action}`) : "–"}</b>
          {engagement && <> · {t(`engagement.${engagement.state}`)} · <bdi>{engagement.effector}</bdi> · {t("kill.p", { p: percent(engagement.p) })}</>}
        </dd>
      </dl>
      {reason && (
        <p class="why"><b>{spaced(lang.value === "fr" ? `${t("why")} :` : `${t("why")}:`, lang.value)} </b><span lang={decision!.reasons[lang.value] ? lang.value : "en"} dir="auto">{spaced(reason, lang.value)}</span></p>
      )}
      <dl>
        <dt>{t("col.impact")}</dt>
        <dd>{Number.isNaN(tti) ? "–" : <><b>{seconds(tti)}</b> {ltr(`(±${fixed(2 * of("tti_std"), 1)} s)`)}</>}</dd>
        <dt>{asset ? t("p.asset", { place: asset.id }) : t("col.p")}</dt>
        <dd>{percent(of("p_asset"))}</dd>
        {zone && <><dt>{t("p.asset", { place: zone.name })}</dt><dd>{percent(of("p_zone"))}</dd></>}
        <dt>{t("ellipse")}</dt>
        <dd>{Number.isNaN(of("ell_a")) ? "–" : ltr(`${num(2 * of("ell_a"))} × ${num(2 * of("ell_b"))} m`)}</dd>
        <dt>{t("class")}</dt>
        <dd>
          <ul class="classes">
            {classes.map(([name, p]) => (
              <li key={name} class={PROJECTILES.has(name) ? "" : "muted"}>
                <meter min={0} max={1} value={p} aria-hidden="true" /> {t(`class.${name}`)} {percent(p)}
              </li>
            ))}
          </ul>
        </dd>
        <dt>{t("exposed")}</dt>
        <dd>{ltr(fixed(of("exposed"), 1))}</dd>
        <dt>{t("state")}</dt>
        <dd><Glyph kind={of("kind")} acts={of("acts") === 1} /> {of("ended") ? t(`ended.${of("ended")}`) : t(`kind.${of("kind")}`)}</dd>
        <dt>{t("altitude")}</dt>
        <dd>{metres(of("alt"))} · {ltr(`${num(speed)} m/s`)}</dd>
        <dt>{t("last.plot")}</dt>
        <dd>{t("ago", { s: ltr(`${fixed(of("age"), 1)} s`) })} · {ltr(`± ${num(of("std"))} m`)}</dd>
      </dl>
    </>
  );
}

const KEYS = { consent: "E", veto: "V", hold: "H", release: "H" } as const;

/** Consent, veto and hold: the first press asks, the second does it, and the log has the last word. */
function Actions() {
  const armed = store.armed.value;
  const track = subject();
  const acts = ["consent", "veto", holding(track)] as const;
  return (
    <div class="actions">
      {armed ? <Sure armed={armed} /> : (
        <>
          {acts.map((action) => (
            <button key={action} type="button" disabled={!track} onClick={() => arm(action, track)} aria-keyshortcuts={KEYS[action]}>
              {t(`do.${action}`)} {track !== 0 && <bdi>{track}</bdi>} <kbd>{KEYS[action]}</kbd>
            </button>
          ))}
          <button type="button" class="hold-all" onClick={() => arm(holding(0), 0)} aria-keyshortcuts="Shift+H">
            {t(`do.${holding(0)}.all`)} <kbd>⇧H</kbd>
          </button>
        </>
      )}
      {store.held.value && <p class="held"><span aria-hidden="true">■ </span>{t("held.all")}</p>}
      <Done />
      <p class="muted small">{t("do.simulated")}</p>
    </div>
  );
}

/** The second step.  It takes the focus, so that Enter does it and Escape leaves it; it lapses by itself. */
function Sure({ armed }: { armed: store.Armed }) {
  const ref = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    const before = document.activeElement as HTMLElement | null;
    ref.current?.focus();
    return () => { if (!document.activeElement || document.activeElement === document.body) before?.focus(); };
  }, []);
  const what = t(armed.track ? `sure.${armed.action}` : `sure.${armed.action}.all`, { track: armed.track });
  return (
    <div class="sure" role="alertdialog" aria-label={what}>
      <p><b>{what}</b></p>
      <button ref={ref} type="button" class="sure-yes" onClick={confirm}>{t("confirm")} <kbd>⏎</kbd></button>
      <button type="button" onClick={disarm}>{t("cancel")} <kbd>Esc</kbd></button>
    </div>
  );
}

function Done() {
  const done = store.outcome.value;
  if (store.nameless.value) return <p role="alert" class="not-done"><span aria-hidden="true">⚠ </span>{t("name.first")}</p>;
  if (!done || done.action === "acknowledge") return null;
  const found = logged(done);
  const what = `${t(`op.${done.action}`)} ${done.track || ""}`;
  if (found) return <p role="status"><span aria-hidden="true">✓ </span>{t("done.logged", { what, name: found.operator, clock: clock(found.t) })}</p>;
  if (done.late) return <p role="alert" class="not-done"><span aria-hidden="true">⚠ </span>{t("done.not", { what })}</p>;
  return <p role="status">{t("done.sent", { what })}</p>;
}

export function Log() {
  const items = store.log.value.filter((item) => text(item)).slice(-LOG_SHOWN).reverse();
  return (
    <section class="panel log" aria-labelledby="log-title">
      <h2 id="log-title">{t("log")}</h2>
      <ol class="scroll" tabIndex={0} aria-labelledby="log-title">
        {items.map((item) => <li key={item.seq}><span class="muted">{clock(item.known)}</span> {text(item)}</li>)}
      </ol>
    </section>
  );
}

function text({ kind, row }: LogItem): string {
  const zone = store.nameOf(String(row.zone ?? ""));
  switch (kind) {
    case "alarm":
      if (row.state === "updated") return row.change ? t(`log.alarm.${row.change}`, { zone }) : "";
      return t(`log.alarm.${row.state}`, { zone });
    case "decision":
      return t("log.decision", { track: String(row.track), action: t(`action.${row.action}`) });
    case "engagement":
      return t("log.decision", { track: String(row.track), action: t(`engagement.${row.state}`) });
    case "ended": {
      const code = ["", "impact", "lost", "never_confirmed", "duplicate", "intercepted", "limit"].indexOf(String(row.reason));
      return code === 3 ? "" : t("log.ended", { track: String(row.track), reason: t(`ended.${code}`) });
    }
    case "health":
      return t("log.health", { part: partName(String(row.part)), state: t(`health.${row.state}`) });
    case "operator":
      return t("log.operator", { name: String(row.operator), action: t(`op.${row.action}`), what: row.zone ? zone : String(row.track || t("everything")) });
  }
}
