// Altitude over distance from the site: how high things are, which a map cannot say.
import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { Kind } from "./frame";
import { metres, t } from "./i18n";
import * as store from "./store";
import { stamp } from "./sprites";
import { MARGIN_PX, symbol } from "./symbols";
import { paletteOf, theme } from "./theme";

const EARTH_M = 6_371_000;
const STEPS_M = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000];

export function Profile() {
  const ref = useRef<HTMLCanvasElement>(null);
  useSignalEffect(() => {
    store.listFrame.value; theme.value; store.selected.value;
    if (ref.current) draw(ref.current);
  });
  return (
    <figure class="profile">
      <figcaption>{t("profile")}</figcaption>
      <canvas ref={ref} role="img" aria-label={t("profile")} />
    </figure>
  );
}

function draw(canvas: HTMLCanvasElement): void {
  const f = store.frame.peek();
  const [width, height, ratio] = [canvas.clientWidth, canvas.clientHeight, devicePixelRatio];
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const c = canvas.getContext("2d")!;
  const p = paletteOf(canvas);
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.clearRect(0, 0, width, height);
  c.direction = "ltr";
  let [far, high] = [2000, 400];
  if (f)
    for (let k = 0; k < f.n; k++) {
      if (f.col.kind![k] === Kind.tentative) continue;
      far = Math.max(far, Math.hypot(f.col.east![k]!, f.col.north![k]!));
      high = Math.max(high, f.col.alt![k]!);
      const line = f.col.acts![k] ? store.lines.get(f.col.id![k]!) : undefined;
      if (line) for (let i = 2; i < line.path.length; i += 3) high = Math.max(high, line.path[i]!);
    }
  [far, high] = [far * 1.06, high * 1.15];
  const [left, bottom, top] = [46, 18, 6];
  const x = (m: number) => left + (m / far) * (width - left - 8);
  const y = (m: number) => height - bottom - (m / high) * (height - bottom - top);
  c.font = `11px ${p.font}`;
  c.fillStyle = p.muted;
  c.strokeStyle = p.ring;
  c.lineWidth = 1;
  const up = STEPS_M.find((m) => high / m <= 4) ?? 20_000;
  c.textAlign = "right";
  for (let m = 0; m <= high; m += up) {
    c.beginPath(); c.moveTo(left, y(m)); c.lineTo(width, y(m)); c.globalAlpha = 0.5; c.stroke(); c.globalAlpha = 1;
    c.fillText(metres(m), left - 5, y(m) + 4);
  }
  const out = STEPS_M.find((m) => far / m <= 5) ?? 20_000;
  c.textAlign = "center";
  for (let m = out; m <= far - out / 4; m += out) c.fillText(metres(m), x(m), height - 4);
  if (!f) return;
  for (let k = 0; k < f.n; k++) {
    const kind = f.col.kind![k]!;
    if (kind === Kind.tentative) continue;
    const acts = f.col.acts![k] === 1;
    const colour = kind === Kind.ended ? p.stale : acts ? p.alarm : p.confirmed;
    const line = store.lines.get(f.col.id![k]!);
    c.strokeStyle = colour;
    const along = (points: Float32Array) => {
      c.beginPath();
      for (let i = 0; i < points.length; i += 3) {
        const d = Math.hypot(points[i]!, points[i + 1]!);
        c.lineTo(x(d), y(points[i + 2]! + (d * d) / (2 * EARTH_M)));
      }
      c.stroke();
    };
    if (line && acts) {
      c.lineWidth = 1.25;
      along(line.trail);
      if (kind !== Kind.ended) { c.setLineDash([2, 4]); along(line.path); c.setLineDash([]); }
    }
    const shape = kind === Kind.ended ? "ended" : kind === Kind.engaged ? "engaged" : acts ? "threat" : "confirmed";
    const size = acts ? 6 : 4;
    stamp(
      c, `${shape} ${size} ${colour} ${p.ground} ${p.halo}`, x(Math.hypot(f.col.east![k]!, f.col.north![k]!)), y(Math.max(f.col.alt![k]!, 0)), size + MARGIN_PX, ratio,
      (pen, at) => symbol(pen, shape, at, at, size, colour, p.ground, p.halo),
    );
  }
}
