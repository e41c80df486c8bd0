// The map: OpenLayers moves and zooms, one Canvas2D layer of our own draws everything, in metres east and north.
import OlMap from "ol/Map.js";
import View from "ol/View.js";
import Layer from "ol/layer/Layer.js";
import Projection from "ol/proj/Projection.js";
import { defaults as interactions } from "ol/interaction/defaults.js";
import type { FrameState } from "ol/Map.js";
import { effect } from "@preact/signals";
import { Base } from "./base";
import { Painter, type View as Shown } from "./paint";
import * as store from "./store";

const EXTENT_M = 200_000;
const FIT_MARGIN = 1.15;
const PICK_PX = 22;

let map: OlMap | null = null;
let painter: Painter | null = null;
let base: Base | null = null;
let dirty = true; // what moves has changed since it was drawn,
let seenBefore = ""; // for this part of the map

function draw(): void {
  dirty = true;
  map?.render();
}

function shownBy(state: FrameState): Shown {
  const [width, height] = state.size as [number, number];
  const { center, resolution } = state.viewState;
  return { east: center[0]!, north: center[1]!, resolution, width, height, ratio: state.pixelRatio };
}

class Country extends Layer {
  override getSourceState(): "ready" {
    return "ready";
  }

  override render(state: FrameState | null): HTMLElement {
    if (state) base!.paint(shownBy(state), painter!.palette);
    return base!.canvas;
  }
}

/** A canvas of our own as large as the map, drawn on by `draw`. */
class Sheet extends Layer {
  private readonly canvas = document.createElement("canvas");

  constructor(private readonly draw: (canvas: HTMLCanvasElement, shown: Shown) => void) {
    super({});
  }

  override getSourceState(): "ready" {
    return "ready";
  }

  override render(state: FrameState | null): HTMLElement {
    if (state) {
      const shown = shownBy(state);
      const { width, height, ratio } = shown;
      if (this.canvas.width !== Math.round(width * ratio) || this.canvas.height !== Math.round(height * ratio)) {
        this.canvas.width = Math.round(width * ratio);
        this.canvas.height = Math.round(height * ratio);
        this.canvas.style.cssText = `position:absolute;inset:0;width:${width}px;height:${height}px`;
      }
      this.draw(this.canvas, shown);
    }
    return this.canvas;
  }
}

export function mount(target: HTMLElement): () => void {
  const projection = new Projection({ code: "ENU", units: "m", extent: [-EXTENT_M, -EXTENT_M, EXTENT_M, EXTENT_M] });
  painter = new Painter(target);
  dirty = true;
  base = new Base(draw);
  map = new OlMap({
    target,
    controls: [],
    interactions: interactions({ altShiftDragRotate: false, pinchRotate: false }),
    layers: [
      new Country({}),
      new Sheet((canvas, shown) => painter!.paintStill(canvas, shown, () => map?.render())),
      new Sheet((canvas, shown) => {
        const seen = Object.values(shown).join();
        if (!dirty && seen === seenBefore) return; // only what changes seldom is drawn again
        [dirty, seenBefore] = [false, seen];
        painter!.paint(canvas, shown, base!.names());
      }),
    ],
    view: new View({ projection, center: [0, 0], resolution: 12, minResolution: 0.3, maxResolution: 300, enableRotation: false }),
  });
  map.on("click", (click) => {
    const id = painter!.pick(click.pixel[0]!, click.pixel[1]!, PICK_PX);
    if (id) store.selected.value = id;
  });
  const stop = effect(() => {
    store.frame.value; store.alarms.value; store.acks.value; store.selected.value; store.layers.value; store.hello.value;
    store.engagements.value; store.coverage.value; store.above.value;
    draw();
  });
  const blink = setInterval(() => { if (store.unacknowledged.value.length) draw(); }, 333);
  return () => { stop(); clearInterval(blink); map?.setTarget(undefined); map = null; };
}

export function repaint(): void {
  painter?.newTheme();
  draw();
}

export function zoom(by: number): void {
  const view = map?.getView();
  view?.animate({ resolution: view.getResolution()! * 2 ** -by, duration: 120 });
}

/** Show the zones and everything in the air; or, before anything flies, the zones. */
export function fit(): void {
  const site = store.hello.value?.site;
  const size = map?.getSize();
  if (!site || !map || !size) return;
  const points: number[][] = site.zones.flatMap((z) => z.polygon);
  points.push(...site.assets.flatMap((a) => a.polygon));
  const f = store.frame.value;
  if (f) for (let k = 0; k < f.n; k++) if (f.col.acts![k]) points.push([f.col.east![k]!, f.col.north![k]!]);
  if (!points.length) points.push([-5000, -5000], [5000, 5000]);
  const [x, y] = [points.map((p) => p[0]!), points.map((p) => p[1]!)];
  const [w, e, s, n] = [Math.min(...x), Math.max(...x), Math.min(...y), Math.max(...y)];
  const view = map.getView();
  view.setCenter([(w + e) / 2, (s + n) / 2]);
  view.setResolution(Math.max((e - w) / size[0]!, (n - s) / size[1]!, 0.5) * FIT_MARGIN);
}

export function where(): string {
  const view = map?.getView();
  const centre = view?.getCenter();
  return centre ? `${Math.round(centre[0]!)},${Math.round(centre[1]!)},${view!.getResolution()!.toFixed(2)}` : "";
}

export function goTo(text: string): boolean {
  const [east, north, resolution] = text.split(",").map(Number);
  if (![east, north, resolution].every((value) => Number.isFinite(value))) return false;
  map?.getView().setCenter([east!, north!]);
  map?.getView().setResolution(resolution!);
  return true;
}

export function moved(call: () => void): void {
  map?.on("moveend", call);
}
