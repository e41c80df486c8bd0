// Time: play, pause, speed, and a strip with a mark for each event; going to a moment shows what was known then.
import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { SPEEDS, goLive, setSpeed, togglePlay } from "./actions";
import { clock, ltr, t } from "./i18n";
import { seek } from "./link";
import * as store from "./store";
import { type Palette, paletteOf, theme } from "./theme";

export function Timeline() {
  const f = store.listFrame.value;
  const hello = store.hello.value;
  const { playing, following, speed } = store.player.value;
  const begin = f?.begin ?? hello?.begin ?? 0;
  const end = Math.max(f?.end ?? hello?.end ?? 1, begin + 1);
  const at = store.sought.value ?? f?.t ?? begin; // the strip does not wait for the picture
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
    store.marks.value; store.listFrame.value; store.sought.value; theme.value;
    if (ref.current) draw(ref.current);
  });
  return <canvas ref={ref} aria-hidden="true" />;
}

const THUMB_PX = 9;
const drawn = document.createElement("canvas"); // the marks by themselves: they change seldom, the hand moves with every picture
let drawnFor: unknown[] = [];

function draw(canvas: HTMLCanvasElement): void {
  const f = store.frame.peek();
  if (!f) return;
  const [width, height, ratio] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio];
  const size = [Math.round(width * ratio), Math.round(height * ratio)] as const;
  if (canvas.width !== size[0] || canvas.height !== size[1]) [canvas.width, canvas.height] = size;
  const p = paletteOf(canvas);
  const span = Math.max(f.end - f.begin, 1);
  const x = (t: number) => THUMB_PX + ((t - f.begin) / span) * (width - 2 * THUMB_PX);
  const wanted = [store.marks.peek(), f.begin, f.end, ...size, p];
  if (wanted.some((each, k) => each !== drawnFor[k])) {
    drawnFor = wanted;
    [drawn.width, drawn.height] = size;
    const under = drawn.getContext("2d")!;
    under.setTransform(ratio, 0, 0, ratio, 0, 0);
    drawMarks(under, width, height, x, p);
  }
  const c = canvas.getContext("2d")!;
  c.setTransform(1, 0, 0, 1, 0, 0);
  c.clearRect(0, 0, ...size);
  if (size[0] && size[1]) c.drawImage(drawn, 0, 0);
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.fillStyle = p.text;
  c.fillRect(x(store.sought.peek() ?? f.t) - 1.5, 0, 3, height);
}

// Marks differ in height and place as well as in colour: alarms stand from the bottom, their ends hang from the top.
function drawMarks(c: CanvasRenderingContext2D, width: number, height: number, x: (t: number) => number, p: Palette): void {
  c.fillStyle = p.ring;
  c.fillRect(THUMB_PX, height / 2 - 1, width - 2 * THUMB_PX, 2);
  for (const [t, kind] of store.marks.peek()) {
    if (kind === "alarm") { c.fillStyle = p.alarm; c.fillRect(x(t) - 1, height * 0.5, 2, height * 0.46); }
    else if (kind === "all_clear" || kind === "cancelled" || kind === "expired") { c.fillStyle = p.muted; c.fillRect(x(t) - 1, height * 0.12, 2, height * 0.3); }
    else if (kind === "fired" || kind === "killed" || kind === "missed") { c.fillStyle = p.effector; c.fillRect(x(t) - 1.5, height * 0.22, 3, height * 0.56); }
    else if (kind === "impact") { c.fillStyle = p.text; c.beginPath(); c.arc(x(t), height * 0.28, 2.5, 0, 2 * Math.PI); c.fill(); }
  }
}

function elapsed(ms: number): string {
  const s = Math.max(Math.floor(ms / 1000), 0);
  const two = (n: number) => String(n).padStart(2, "0");
  return ltr(s >= 3600 ? `${Math.floor(s / 3600)}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}` : `${two(Math.floor(s / 60))}:${two(s % 60)}`);
}
