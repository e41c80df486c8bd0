// Time: play, pause, speed, and a strip with a mark for each event; going to a moment shows what was known then.
import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { SPEEDS, goLive, seek, setSpeed, togglePlay } from "./actions";
import { clock, ltr, t } from "./i18n";
import * as store from "./store";
import { paletteOf, theme } from "./theme";

export function Timeline() {
  const f = store.listFrame.value;
  const hello = store.hello.value;
  const { playing, following, speed } = store.player.value;
  const begin = f?.begin ?? hello?.begin ?? 0;
  const end = Math.max(f?.end ?? hello?.end ?? 1, begin + 1);
  const at = f?.t ?? begin;
  const live = hello?.live ?? false;
  return (
    <footer class="timeline" dir="ltr">
      <button type="button" class="play" onClick={togglePlay} aria-keyshortcuts="Space">
        <span aria-hidden="true">{playing ? "❚❚" : "▶"}</span> {t(playing ? "pause" : "play")}
      </button>
      <select aria-label={t("speed.label")} value={String(speed)} disabled={following} onChange={(e) => setSpeed(Number(e.currentTarget.value))}>
        {SPEEDS.map((x) => <option key={x} value={String(x)}>{x}×</option>)}
      </select>
      <span class="elapsed">{elapsed(at - begin)} / {elapsed(end - begin)}</span>
      <div class="strip">
        <Marks />
        <input
          type="range" min={0} max={end - begin} step={100} value={at - begin} aria-label={t("timeline")}
          aria-valuetext={t("timeline.at", { elapsed: elapsed(at - begin), clock: clock(at) })}
          onInput={(e) => seek(begin + Number(e.currentTarget.value))}
        />
      </div>
      {live && (
        <button type="button" class={following ? "is-live" : ""} onClick={goLive} aria-pressed={following}>
          ● {t(following ? "live" : "go.live")}
        </button>
      )}
      <span class="keys muted" dir="auto">{t("keys")}</span>
    </footer>
  );
}

function Marks() {
  const ref = useRef<HTMLCanvasElement>(null);
  useSignalEffect(() => {
    store.marks.value; store.listFrame.value; theme.value;
    if (ref.current) draw(ref.current);
  });
  return <canvas ref={ref} aria-hidden="true" />;
}

// Marks differ in height and place as well as in colour: alarms stand from the bottom, their ends hang from the top.
function draw(canvas: HTMLCanvasElement): void {
  const f = store.frame.peek();
  if (!f) return;
  const [width, height, ratio] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio];
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const c = canvas.getContext("2d")!;
  const p = paletteOf(canvas);
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  const thumb = 9;
  const span = Math.max(f.end - f.begin, 1);
  const x = (t: number) => thumb + ((t - f.begin) / span) * (width - 2 * thumb);
  c.fillStyle = p.ring;
  c.fillRect(thumb, height / 2 - 1, width - 2 * thumb, 2);
  for (const [t, kind] of store.marks.peek()) {
    if (kind === "alarm") { c.fillStyle = p.alarm; c.fillRect(x(t) - 1, height * 0.5, 2, height * 0.46); }
    else if (kind === "all_clear" || kind === "cancelled" || kind === "expired") { c.fillStyle = p.muted; c.fillRect(x(t) - 1, height * 0.12, 2, height * 0.3); }
    else if (kind === "fired" || kind === "killed" || kind === "missed") { c.fillStyle = p.effector; c.fillRect(x(t) - 1.5, height * 0.22, 3, height * 0.56); }
    else if (kind === "impact") { c.fillStyle = p.text; c.beginPath(); c.arc(x(t), height * 0.28, 2.5, 0, 2 * Math.PI); c.fill(); }
  }
  c.fillStyle = p.text;
  c.fillRect(x(f.t) - 1.5, 0, 3, height);
}

function elapsed(ms: number): string {
  const s = Math.max(Math.floor(ms / 1000), 0);
  const two = (n: number) => String(n).padStart(2, "0");
  return ltr(s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${two(Math.floor(s / 60))}:${two(s % 60)}`);
}
