// Zones in alarm, the selected round and why what was decided was decided, and what happened last.
import { engageAction, mayAct } from "./actions";
import { PROJECTILES, classNames } from "./classes";
import { Glyph } from "./glyphs";
import { clock, lang, ltr, metres, num, percent, seconds, t, tn } from "./i18n";
import * as store from "./store";
import type { Alarm, LogItem } from "./types";

const ZONES_MAX = 60;
const LOG_SHOWN = 40;

export function Zones() {
  const at = store.now.value;
  const found = store.standing.value;
  const zones = store.hello.value?.site.zones.length ?? 0;
  const alarmed = new Set(found.flatMap((a) => (a.zones.length ? a.zones : [a.zone])));
  return (
    <section class="panel zones" aria-labelledby="zones-title">
      <h2 id="zones-title">{t("zones")}</h2>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="zones-title">
        <ol class="zone-list">
          {found.slice(0, ZONES_MAX).map((alarm) => <ZoneRow key={alarm.id} alarm={alarm} at={at} />)}
        </ol>
        <p class="clear-count"><span aria-hidden="true">✓ </span>{tn("zones.clear", zones - alarmed.size)}</p>
        <ul class="cleared" aria-live="polite">
          {store.cleared.value.slice(0, 8).map((alarm) => (
            <li key={alarm.id}>
              <span aria-hidden="true">{alarm.state === "all_clear" ? "✓" : "○"} </span>
              <bdi>{store.zoneNames.value.get(alarm.zone) ?? alarm.zone}</bdi> <b>{t(alarm.state)}</b>{" "}
              <span class="muted">{clock(alarm.t)}</span>
            </li>
          ))}
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
      <b class="zone-time">{coming ? seconds((alarm.impact - at) / 1000) : t("ago", { s: seconds(Math.floor((at - alarm.impact) / 1000)) })}</b>
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
        {id !== 0 && k < 0 && <p class="empty">{t("selected.gone", { id })}</p>}
        {k >= 0 && <Round k={k} id={id} />}
      </div>
    </section>
  );
}

function Round({ k, id }: { k: number; id: number }) {
  const f = store.listFrame.value!;
  const of = (name: string) => f.col[name]![k]!;
  const hello = store.hello.value!;
  const asset = hello.site.assets[of("asset")];
  const zone = hello.site.zones[of("zone")];
  const decision = store.decisions.value.get(id);
  const engagement = [...store.engagements.value.values()].filter((e) => e.track === id).pop();
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
        <p class="why"><b>{t("why")}: </b><span lang={decision!.reasons[lang.value] ? lang.value : "en"} dir="auto">{reason}</span></p>
      )}
      {mayAct() && <Actions />}
      <dl>
        <dt>{t("state")}</dt>
        <dd><Glyph kind={of("kind")} acts={of("acts") === 1} /> {of("ended") ? t(`ended.${of("ended")}`) : t(`kind.${of("kind")}`)}</dd>
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
        <dt>{t("col.impact")}</dt>
        <dd>{Number.isNaN(of("tti")) ? "–" : <><b>{seconds(of("tti"))}</b> {ltr(`(±${(2 * of("tti_std")).toFixed(1)} s)`)}</>}</dd>
        <dt>{t("ellipse")}</dt>
        <dd>{Number.isNaN(of("ell_a")) ? "–" : ltr(`${num(2 * of("ell_a"))} × ${num(2 * of("ell_b"))} m`)}</dd>
        <dt>{asset ? t("p.asset", { place: asset.id }) : t("col.p")}</dt>
        <dd>{percent(of("p_asset"))}</dd>
        {zone && <><dt>{t("p.asset", { place: zone.name })}</dt><dd>{percent(of("p_zone"))}</dd></>}
        <dt>{t("exposed")}</dt>
        <dd>{ltr(of("exposed").toFixed(1))}</dd>
        <dt>{t("altitude")}</dt>
        <dd>{metres(of("alt"))} · {ltr(`${num(speed)} m/s`)}</dd>
        <dt>{t("last.plot")}</dt>
        <dd>{t("ago", { s: ltr(`${of("age").toFixed(1)} s`) })} · {ltr(`± ${num(of("std"))} m`)}</dd>
      </dl>
      {!mayAct() && <p class="muted small">{t("do.none")}</p>}
    </>
  );
}

function Actions() {
  const armed = store.armed.value;
  const keys = { consent: "E", veto: "V", hold: "H" } as const;
  return (
    <div class="actions">
      {(["consent", "veto", "hold"] as const).map((action) => {
        const sure = armed?.action === action && armed.track === store.selected.value;
        return (
          <button key={action} type="button" class={sure ? "sure" : ""} onClick={() => engageAction(action)} aria-keyshortcuts={keys[action]}>
            {sure ? t("do.confirm", { action: t(`do.${action}`), key: keys[action] }) : <>{t(`do.${action}`)} <kbd>{keys[action]}</kbd></>}
          </button>
        );
      })}
      <p class="muted small">{t("do.simulated")}</p>
    </div>
  );
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
  const zone = store.zoneNames.value.get(String(row.zone)) ?? String(row.zone ?? "");
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
      return t("log.health", { part: String(row.part), state: t(`health.${row.state}`) });
    case "operator":
      return t("log.operator", { action: t(`op.${row.action}`), what: row.zone ? zone : String(row.track || "") });
  }
}
