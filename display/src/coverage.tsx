// What the terrain hides from every radar: asked for once, hatched on the map for a height above the ground.
import { lang, ltr, num, t } from "./i18n";
import { secret } from "./link";
import type { View } from "./paint";
import * as store from "./store";
import type { Coverage } from "./types";

const PERIOD_PX = 9;
const outlines = new Map<number, Path2D>(); // by height, in metres east and north
let outlinesOf: Coverage | null = null;

/** Ask the server, once; where the page holds it (a report), or there is no terrain, nobody is asked. */
export async function fetchCoverage(): Promise<void> {
  const hello = store.hello.value;
  if (!hello || store.coverage.value || !hello.site.terrain) return;
  if (hello.coverage !== undefined) { store.coverage.value = hello.coverage; return; }
  const token = secret();
  try {
    const answer = await fetch("/coverage", token ? { headers: { authorization: `Bearer ${token}` } } : {});
    store.coverageFailed.value = !answer.ok;
    if (answer.ok) store.coverage.value = (await answer.json()) as Coverage;
  } catch {
    store.coverageFailed.value = true; // the legend says so; switching the layer on again asks again
  }
}

function outline(of: Coverage, above: number): Path2D | undefined {
  if (of !== outlinesOf) { outlines.clear(); outlinesOf = of; }
  const k = of.above.indexOf(above);
  if (k < 0) return undefined;
  let path = outlines.get(above);
  if (!path) {
    outlines.set(above, (path = new Path2D()));
    const runs = of.hidden[k]!;
    for (let i = 0; i < runs.length; i += 3)
      path.rect(of.west + runs[i + 1]! * of.step, of.south + runs[i]! * of.step, (runs[i + 2]! - runs[i + 1]!) * of.step, of.step);
  }
  return path;
}

let hatch: { colour: string; pattern: CanvasPattern } | null = null;

function hatchOf(c: CanvasRenderingContext2D, colour: string): CanvasPattern {
  if (hatch?.colour === colour) return hatch.pattern;
  const cell = new OffscreenCanvas(PERIOD_PX, PERIOD_PX);
  const pen = cell.getContext("2d")!;
  pen.strokeStyle = colour;
  pen.lineWidth = 1;
  pen.beginPath();
  for (const at of [-PERIOD_PX, 0, PERIOD_PX]) { pen.moveTo(at - 1, PERIOD_PX + 1); pen.lineTo(at + PERIOD_PX + 1, -1); }
  pen.stroke();
  hatch = { colour, pattern: c.createPattern(cell, "repeat")! };
  return hatch.pattern;
}

/** Hatch what no radar sees.  The lines lie on the map: they move with it, and are as far apart at every scale. */
export function paintHidden(c: CanvasRenderingContext2D, view: View, colour: string): void {
  const of = store.coverage.peek();
  const path = of && outline(of, store.above.peek());
  if (!path) return;
  const metre = view.ratio / view.resolution;
  const place = new DOMMatrix([metre, 0, 0, -metre, view.ratio * (view.width / 2 - view.east / view.resolution), view.ratio * (view.height / 2 + view.north / view.resolution)]);
  const pattern = hatchOf(c, colour);
  const [x, y] = [(place.e / view.ratio) % PERIOD_PX, (place.f / view.ratio) % PERIOD_PX];
  pattern.setTransform(place.inverse().multiply(new DOMMatrix([view.ratio, 0, 0, view.ratio, x * view.ratio, y * view.ratio])));
  c.save();
  c.setTransform(place);
  c.fillStyle = pattern;
  c.fill(path);
  c.restore();
}

export function CoverageLegend() {
  if (!store.layers.value.coverage || !store.hello.value) return null;
  const of = store.coverage.value;
  const hides = store.hello.value.site.terrain;
  return (
    <div class="legend-box" dir={lang.value === "ar" ? "rtl" : "ltr"} role="group" aria-label={t("layer.coverage")}>
      <p><span class="swatch swatch-ring" aria-hidden="true" /> {t("coverage.range")}</p>
      {!hides && <p>{t("coverage.flat")}</p>}
      {hides && (
        <>
          <p><span class="swatch swatch-hidden" aria-hidden="true" /> {t("coverage.hidden")}</p>
          <label>
            {t("coverage.above")}{" "}
            <select value={String(store.above.value)} onChange={(e) => { store.above.value = Number(e.currentTarget.value); }}>
              {store.ABOVE_M.map((m) => <option key={m} value={String(m)}>{ltr(`${num(m)} m`)}</option>)}
            </select>
          </label>
          {!of && <p role="status">{t(store.coverageFailed.value ? "coverage.failed" : "coverage.wait")}</p>}
        </>
      )}
    </div>
  );
}
