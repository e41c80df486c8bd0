// The top of the screen: what this is, when it is, how the radars are; and the alarm that somebody must act on.
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { FOLLOWING } from "./frame";
import { acknowledge, toAcknowledge } from "./actions";
import { LANGS, type Lang, clock, lang, ltr, percent, seconds, t, tn } from "./i18n";
import { toggleSound } from "./sound";
import * as store from "./store";
import { THEMES, type Theme, theme } from "./theme";
import type { Alarm, Mode } from "./types";

const MODE_SIGNS: Record<Mode, string> = { simulation: "◆", exercise: "▣", test: "◌", actual: "●" };
const AGE_CAUTION_S = 1;
const AGE_LOST_S = 3;

export function TopBar() {
  const hello = store.hello.value;
  const live = hello?.live && store.player.value.following;
  return (
    <header class={`top top-${hello?.mode ?? "test"}`}>
      <h1 class="name">C-RAM</h1>
      {hello && (
        <span class={`mode mode-${hello.mode}`}>
          <span aria-hidden="true">{MODE_SIGNS[hello.mode]} </span>{t(`mode.${hello.mode}`)}
        </span>
      )}
      <span class={`chip ${live ? "chip-live" : "chip-replay"}`}>{live ? t("live") : t("replay")}</span>
      <Clock />
      <ul class="chips" aria-label={t("radar")}>
        {store.sensors.value.map((s) => (
          <li key={s.id} class={`chip ${s.state === "ok" ? "" : "chip-caution"}`}>
            <span aria-hidden="true">{s.state === "ok" ? "✓" : "▲"}</span> <bdi>{s.id}</bdi>{" "}
            {t(`sensor.${s.state}`, { s: seconds(s.silent ?? NaN) })}
          </li>
        ))}
        {[...store.health.value.values()].filter((h) => h.state !== "ok").map((h) => (
          <li key={h.part} class="chip chip-caution" title={h.reason}>
            <span aria-hidden="true">▲</span> <bdi>{h.part}</bdi> {t(`health.${h.state}`)}
          </li>
        ))}
        <li><DataAge /></li>
      </ul>
      <div class="controls">
        <button type="button" class={store.soundOn.value ? "" : "chip-caution"} aria-pressed={store.soundOn.value} onClick={toggleSound}>
          <span aria-hidden="true">{store.soundOn.value ? "♪" : "✕"}</span> {t(store.soundOn.value ? "sound.on" : "sound.off")}
        </button>
        <select aria-label={t("theme")} value={theme.value} onChange={(e) => { theme.value = e.currentTarget.value as Theme; }}>
          {THEMES.map((name) => <option key={name} value={name}>{t(`theme.${name}`)}</option>)}
        </select>
        <select aria-label={t("language")} value={lang.value} onChange={(e) => { lang.value = e.currentTarget.value as Lang; }}>
          {LANGS.map(([code, name]) => <option key={code} value={code} lang={code}>{name}</option>)}
        </select>
        <button type="button" aria-label={t("help")} onClick={() => { store.helpOpen.value = true; }}>?</button>
      </div>
    </header>
  );
}

function Clock() {
  const at = store.now.value;
  return (
    <time class="clock" dateTime={at ? new Date(at).toISOString() : ""}>
      <b>{at ? clock(at) : "–"}</b> <span class="muted">{at ? clock(at, true) : ""}</span>
    </time>
  );
}

function DataAge() {
  const f = store.listFrame.value;
  if (!f) return null;
  const old = f.dataAge > AGE_CAUTION_S;
  return (
    <span class={`chip ${old ? "chip-caution" : ""}`}>
      {old && <span aria-hidden="true">▲ </span>}{t("data.age", { s: `\u2066${f.dataAge.toFixed(f.dataAge < 10 ? 1 : 0)} s\u2069` })}
    </span>
  );
}

export function LinkBar() {
  const tick = useSignal(0);
  useEffect(() => {
    const timer = setInterval(() => { tick.value++; }, 500);
    return () => clearInterval(timer);
  }, []);
  tick.value;
  const state = store.link.value;
  const f = store.listFrame.value;
  if (state === "open" && f && f.flags & FOLLOWING && store.hello.value?.live && f.dataAge > AGE_LOST_S) {
    return <p class="link-bar" role="alert"><span aria-hidden="true">⚠ </span>{t("data.none", { s: seconds(f.dataAge) })}</p>;
  }
  if (state === "open" || state === "connecting") return null;
  return (
    <p class="link-bar" role="alert">
      <span aria-hidden="true">⚠ </span>
      {t(`link.${state}`, { s: store.linkLostAt.value ? seconds((performance.now() - store.linkLostAt.value) / 1000) : "–" })}
    </p>
  );
}

function adviceOf(alarm: Alarm, at: number): string {
  return t(alarm.impact >= at || alarm.advice === "none" ? `advice.${alarm.advice}` : "advice.stay");
}

export function Banner() {
  const at = store.now.value;
  const top = store.standing.value[0];
  const open = store.unacknowledged.value.length;
  const next = toAcknowledge();
  const name = (alarm: Alarm) => store.zoneNames.value.get(alarm.zone) ?? alarm.zone;
  return (
    <section class={`banner ${top ? (open ? "banner-alarm" : "banner-acked") : "banner-calm"}`} aria-label={t("banner.label")}>
      {/* Read out once for each alarm that comes to the top, not at every second of its countdown. */}
      <p class="hidden" role="alert">{top ? `${name(top)}: ${adviceOf(top, at)}` : ""}</p>
      {!top && <p class="calm"><span aria-hidden="true">✓ </span><b>{t("banner.calm")}</b> — {t("banner.calm.more")}</p>}
      {top && (
        <p class="headline">
          <span class={`flash ${store.isAcked(top, at) ? "" : "flash-on"}`} aria-hidden="true">▲</span>
          <b class="who"><bdi>{name(top)}</bdi></b> <b class="what">{adviceOf(top, at)}</b>{" "}
          {top.impact >= at ? (
            <span class="when">
              {t("impact.in")} <b class="count">{seconds((top.impact - at) / 1000)}</b>
              {top.std !== null && <span class="std"> {ltr(`(±${Math.ceil(2 * top.std)} s)`)}</span>}
            </span>
          ) : (
            <span class="when">{t("impact.past", { s: seconds(Math.floor((at - top.impact) / 1000)) })} — {t("wait.clear")}</span>
          )}
        </p>
      )}
      {top && (
        <p class="banner-side">
          <span class="muted-on">{t("shelter.time", { s: seconds(store.zonesById.value.get(top.zone)?.shelter ?? NaN) })} · {percent(top.p)}</span>
          <span>{tn("zones.alarm", store.standing.value.length)} · <b>{open ? tn("unacked.n", open) : t("acked")}</b></span>
        </p>
      )}
      {next && (
        <div class="ack">
          <button type="button" class="ack-one" onClick={() => acknowledge()} aria-keyshortcuts="A">
            {t("ack")} <bdi>{name(next)}</bdi> <kbd>A</kbd>
          </button>
          {open > 1 && (
            <button type="button" class="ack-all" onClick={() => acknowledge(true)} aria-keyshortcuts="Shift+A">
              {t("ack.all")} <kbd>⇧A</kbd>
            </button>
          )}
        </div>
      )}
    </section>
  );
}
