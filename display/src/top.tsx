// The top of the screen: what this is, when it is, how the radars are; and the alarm that somebody must act on.
import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { FOLLOWING } from "./frame";
import { acknowledge, acksForAll, arm, goLive, mayAct, toAcknowledge } from "./actions";
import { polite, urgent } from "./announce";
import { HealthChips } from "./health";
import { LANGS, type Lang, clock, deviation, lang, percent, seconds, t, tn } from "./i18n";
import { toggleSound } from "./sound";
import * as store from "./store";
import { THEMES, type Theme, theme } from "./theme";
import type { Alarm, Mode } from "./types";

const MODE_SIGNS: Record<Mode, string> = { simulation: "◆", exercise: "▣", test: "◌", actual: "●" };
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
      <HealthChips />
      <div class="controls">
        <SoundButton />
        <select aria-label={t("theme")} value={theme.value} onChange={(e) => { theme.value = e.currentTarget.value as Theme; }}>
          {THEMES.map((name) => <option key={name} value={name}>{t(`theme.${name}`)}</option>)}
        </select>
        <select aria-label={t("language")} value={lang.value} onChange={(e) => { lang.value = e.currentTarget.value as Lang; }}>
          {LANGS.map(([code, name]) => <option key={code} value={code} lang={code}>{name}</option>)}
        </select>
        {hello?.acts && <Who />}
        <button type="button" aria-label={t("help")} aria-keyshortcuts="?" onClick={() => { store.helpOpen.value = true; }}>?</button>
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

function SoundButton() {
  const on = store.soundOn.value;
  const heard = on && !store.soundBlocked.value;
  return (
    <button type="button" class={heard ? "" : "chip-caution"} aria-pressed={on} aria-keyshortcuts="M" onClick={toggleSound}>
      <span aria-hidden="true">{heard ? "♪" : "✕"}</span> {t(heard ? "sound.on" : on ? "sound.blocked" : "sound.off")}
      {heard && !store.voice.value && <span class="muted"> · {t("sound.no.voice")}</span>}
    </button>
  );
}

/** Who acts: what the token says, or what the person at the screen writes; it goes into the log with every deed. */
function Who() {
  const hello = store.hello.value!;
  if (hello.role === "viewer") return <span class="chip">{t("viewer")}{hello.name && <> · <bdi>{hello.name}</bdi></>}</span>;
  if (hello.name) return <span class="chip">{t("operator")} <bdi>{hello.name}</bdi></span>;
  return (
    <label class="who-input">
      <span class="hidden">{t("operator.name")}</span>
      <input type="text" maxLength={80} size={12} autocomplete="off" placeholder={t("operator.name")} value={store.said.value}
        onInput={(e) => { store.said.value = e.currentTarget.value; store.nameless.value = false; }} />
    </label>
  );
}

/** A live run is looked at away from its end: what happens now is not on the screen, and that must not go unnoticed. */
export function NotLive() {
  const ahead = store.ahead.value;
  if (!ahead || !store.hello.value?.live) return null;
  const behind = seconds((ahead.end - store.now.value) / 1000);
  return (
    <div class={`ahead ${ahead.alarms ? "ahead-alarm" : ""}`}>
      <p>
        <span aria-hidden="true">{ahead.alarms ? "▲ " : "❚❚ "}</span>
        <b>{t("behind", { s: behind })}</b>{" "}
        <span role="alert">
          {ahead.alarms > 0 && `${tn("ahead.n", ahead.alarms)} — ${store.nameOf(ahead.zone)}`}
        </span>
      </p>
      <button type="button" onClick={goLive} aria-keyshortcuts="L">{t("go.live")} <kbd>L</kbd></button>
    </div>
  );
}

/** What waits for a person: consent, or the end of the time to veto. */
export function Asked() {
  const first = store.asked.value[0];
  if (!first) return null;
  const kind = first.code === "veto_timer" ? "veto" : "consent";
  const left = seconds((first.until! - store.now.value) / 1000);
  const more = store.asked.value.length - 1;
  return (
    <section class="asked" aria-label={t("asked.label")}>
      <p class="hidden" role="alert">{t(`asked.${kind}.say`, { track: first.track })}</p>
      <p>
        <span aria-hidden="true">? </span><b>{t(`asked.${kind}`)}</b> <bdi>{first.track}</bdi>
        {first.asset && <> · <bdi>{store.nameOf(first.asset)}</bdi> {percent(first.p)}</>} · {t("asked.left", { s: left })}
        {more > 0 && <> · {tn("more.n", more)}</>} <span class="muted">({t("do.simulated.short")})</span>
      </p>
      {mayAct() && (
        <button type="button" onClick={() => arm(kind, first.track)} aria-keyshortcuts={kind === "veto" ? "V" : "E"}>
          {t(`do.${kind}`)} <bdi>{first.track}</bdi> <kbd>{kind === "veto" ? "V" : "E"}</kbd>
        </button>
      )}
    </section>
  );
}

export function Announcer() {
  return (
    <>
      <p class="hidden" role="alert">{urgent.value}</p>
      <p class="hidden" role="status">{polite.value}</p>
    </>
  );
}

/** Whether what is shown is what is so, as far as anybody can know: silence is no all-clear. */
function inContact(): boolean {
  const f = store.listFrame.value;
  const silent = f && f.flags & FOLLOWING && store.hello.value?.live && f.dataAge > AGE_LOST_S;
  return store.link.value === "open" && Boolean(f) && !silent;
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
  const name = (alarm: Alarm) => store.nameOf(alarm.zone);
  const known = inContact();
  return (
    <section class={`banner ${top ? (open ? "banner-alarm" : "banner-acked") : "banner-calm"}`} aria-label={t("banner.label")}>
      {/* Read out once for each alarm that comes to the top, not at every second of its countdown. */}
      <p class="hidden" role="alert">{top ? `${name(top)}: ${adviceOf(top, at)}` : ""}</p>
      {!top && known && <p class="calm"><span aria-hidden="true">✓ </span><b>{t("banner.calm")}</b> — {t("banner.calm.more")}</p>}
      {!top && !known && <p class="calm unknown"><span aria-hidden="true">? </span><b>{t("banner.unknown")}</b> — {t("banner.unknown.more")}</p>}
      {top && (
        <p class="headline">
          <span class={`flash ${store.isAcked(top, at) ? "" : "flash-on"}`} aria-hidden="true">▲</span>
          <b class="who"><bdi>{name(top)}</bdi></b> <b class="what">{adviceOf(top, at)}</b>{" "}
          {top.impact >= at ? (
            <span class="when">
              {t("impact.in")} <b class="count">{seconds((top.impact - at) / 1000)}</b>
              {top.std !== null && <span class="std"> {deviation(2 * top.std)}</span>}
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
            {t(acksForAll() || !store.hello.value?.live ? "ack" : "ack.here")} <bdi>{name(next)}</bdi> <kbd>A</kbd>
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
