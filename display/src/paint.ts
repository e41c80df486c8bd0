// What the map shows: what changes seldom on one canvas, what moves on another above it.
import { type Frame, Kind } from "./frame";
import { ltr, metres, seconds } from "./i18n";
import * as store from "./store";
import { type Label, Labels } from "./labels";
import { standard, symbolOf } from "./app6";
import { MARGIN_PX, ring, type Shape, symbol } from "./symbols";
import { stamp } from "./sprites";
import { paintHidden } from "./coverage";
import { type Palette, paletteOf } from "./theme";
import type { Site, XY } from "./types";

export interface View {
  east: number;
  north: number;
  resolution: number; // metres a pixel
  width: number;
  height: number;
  ratio: number;
}

const RING_STEPS_M = [100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 50_000];
const RINGS_MAX = 6;
const SPOKE_RAD = 0.07; // 4 degrees
const STALE_S = 1.05; // two missed updates
const FLASH_HZ = 1.5;
const HASTY = 2; // played faster than this, courses are drawn with every frame, not when they are told
const EDGE_PX = 60;
const QUIET_PX = 1; // the trail of a round that acts on nobody; wider lines take several times as long to draw
const STEP_PX = 3;
const GROWN_MS = 25; // after the picture of what moves
const PLACE_PX = 9; // of the symbol of a radar or an effector
const TOOLS_PX = 62; // above the buttons along the lower edge
type Adds = Pick<Labels, "add" | "keep">;
const still = matchMedia("(prefers-reduced-motion: reduce)");

export function flashing(): boolean {
  return still.matches || Math.floor(performance.now() / (500 / FLASH_HZ)) % 2 === 0;
}

export function isStale(f: Frame, k: number): boolean {
  return f.col.told![k]! > STALE_S && f.col.kind![k] !== Kind.ended;
}

export class Painter {
  palette: Palette;
  private spots: { id: number; x: number; y: number }[] = [];
  private still = ""; // what the canvas of what changes seldom was drawn for,
  private stillTold = 0; // how often lines had been told then,
  private stillWaits = false; // whether it is to be drawn again,
  private readonly tips = new Map<number, [east: number, north: number]>(); // where each trail on it ends,
  private stillLabels: Label[] = []; // the labels that go with it,
  private stillPlaces: [x: number, y: number, r: number][] = []; // and what they may not lie on

  constructor(private readonly element: HTMLElement) {
    this.palette = paletteOf(element);
  }

  newTheme(): void {
    this.palette = paletteOf(this.element);
  }

  pick(x: number, y: number, within: number): number {
    let best = 0;
    let nearest = within;
    for (const spot of this.spots) {
      const distance = Math.hypot(spot.x - x, spot.y - y);
      if (distance < nearest) [best, nearest] = [spot.id, distance];
    }
    return best;
  }

  /** Draw what changes seldom, if it has changed: rings, zones, ranges, and the impacts and trails of what acts on nobody.
   *  Where they have only grown they wait until the picture of what moves is out: `again` asks for another one. */
  paintStill(canvas: HTMLCanvasElement, view: View, again: () => void): void {
    const [key, told] = [this.stillKey(view), store.linesTold()];
    if (key === this.still && told === this.stillTold) return;
    if (key === this.still && !this.stillWaits) {
      this.stillWaits = true;
      setTimeout(again, GROWN_MS);
      return;
    }
    [this.still, this.stillTold, this.stillWaits] = [key, told, false];
    const c = begun(canvas, view);
    this.stillLabels = [];
    this.stillPlaces = [];
    const labels: Adds = {
      add: (label) => { this.stillLabels.push(label); },
      keep: (...place) => { this.stillPlaces.push(place); },
    };
    const shown = store.layers.peek();
    if (shown.coverage) paintHidden(c, view, this.palette.ring);
    if (shown.rings) this.rings(c, view, labels);
    this.ground(c, view, labels);
    const f = store.frame.peek();
    if (!f) return;
    if (shown.ellipses) this.quietImpacts(c, view, f);
    if (shown.trails) this.quietTrails(c, view, f);
  }

  /** Draw what moves: rounds, the impacts and lines of those that act or are selected, and every label. */
  paint(canvas: HTMLCanvasElement, view: View, places: { text: string; at: XY; rank: number }[]): void {
    const c = begun(canvas, view);
    const labels = new Labels(c, view.width, view.height, this.palette);
    const shown = store.layers.peek();
    for (const label of this.stillLabels) labels.add(label);
    for (const place of this.stillPlaces) labels.keep(...place);
    const f = store.frame.peek();
    if (f) this.tracks(c, view, f, labels);
    this.alarmNames(view, labels);
    if (shown.zones) this.zoneNames(view, labels);
    for (const { text, at, rank } of places)
      labels.add({ lines: [text], x: this.x(view, at[0]), y: this.y(view, at[1]), colour: this.palette.muted, priority: 9 + rank / 100, size: 11, centred: true, plate: true });
    labels.draw();
    this.scaleBar(c, view);
  }

  /** Whatever the canvas of what changes seldom depends on: a round that changes its state is seen at once, its course when it is told. */
  private stillKey(view: View): string {
    const f = store.frame.peek();
    const t = f?.t ?? 0;
    const alarms = store.standing.peek().map((alarm) => `${alarm.id}${store.isAcked(alarm, t) ? "a" : ""}${alarm.impact >= t ? "" : "p"}${alarm.zones.length}`);
    let states = 0;
    if (f) for (let k = 0; k < f.n; k++) states = (states * 31 + f.col.id![k]! * 16 + f.col.kind![k]! * 2 + f.col.acts![k]! + (isStale(f, k) ? 8 : 0)) % 1e9;
    const hasty = store.player.peek().speed > HASTY ? t : 0;
    return [
      view.east, view.north, view.resolution, view.width, view.height, view.ratio, Object.values(this.palette).join(), Object.values(store.layers.peek()),
      store.hello.peek()?.site.name, store.selected.peek(), states, store.killed.peek().size, hasty, alarms,
      store.above.peek(), store.coverage.peek() !== null, store.momentsTold(),
    ].join("|");
  }

  private x = (view: View, east: number) => (east - view.east) / view.resolution + view.width / 2;
  private y = (view: View, north: number) => (view.north - north) / view.resolution + view.height / 2;

  private outline(c: CanvasRenderingContext2D, view: View, polygon: XY[]): void {
    c.beginPath();
    for (const [east, north] of polygon) c.lineTo(this.x(view, east), this.y(view, north));
    c.closePath();
  }

  private rings(c: CanvasRenderingContext2D, view: View, labels: Adds): void {
    const reach = Math.hypot(view.width, view.height) / 2 * view.resolution + Math.hypot(view.east, view.north);
    const step = RING_STEPS_M.find((metre) => reach / metre <= RINGS_MAX) ?? 100_000;
    c.strokeStyle = this.palette.ring;
    c.lineWidth = 1;
    c.setLineDash([5, 6]);
    for (let k = 1; k * step <= reach; k++) {
      c.beginPath();
      c.arc(this.x(view, 0), this.y(view, 0), (k * step) / view.resolution, 0, 2 * Math.PI);
      c.stroke();
      labels.add({
        lines: [metres(k * step)], x: this.x(view, 0), y: this.y(view, k * step), or: [this.x(view, 0), this.y(view, -k * step)], colour: this.palette.muted,
        priority: 5, size: 12, centred: true, plate: true,
      });
    }
    c.setLineDash([]);
  }

  private ground(c: CanvasRenderingContext2D, view: View, labels: Adds): void {
    const site = store.hello.peek()?.site;
    if (!site) return;
    const p = this.palette;
    c.lineJoin = "round";
    c.strokeStyle = p.zone;
    c.lineWidth = 1;
    for (const zone of site.zones) { this.outline(c, view, zone.polygon); c.stroke(); }
    const t = store.frame.peek()?.t ?? 0;
    for (const alarm of store.standing.peek()) {
      const acked = store.isAcked(alarm, t);
      for (const id of alarm.zones.length ? alarm.zones : [alarm.zone]) {
        const zone = store.zonesById.peek().get(id);
        if (!zone) continue;
        this.outline(c, view, zone.polygon);
        c.fillStyle = alarm.impact >= t ? p.alarmFill : p.waitFill;
        c.fill();
        c.strokeStyle = p.alarm;
        c.lineWidth = acked ? 1.5 : 3;
        c.stroke();
      }
    }
    this.sensors(c, view, site, labels);
    for (const asset of site.assets) {
      this.outline(c, view, asset.polygon);
      c.strokeStyle = p.asset;
      c.lineWidth = 2.5;
      c.stroke();
      const [east, north] = middle(asset.polygon);
      labels.add({ lines: [asset.id], x: this.x(view, east), y: this.y(view, north), colour: p.text, priority: 3, size: 12, bold: true, centred: true, plate: true, over: true });
    }
    this.effectors(c, view, site, labels);
  }

  private sensors(c: CanvasRenderingContext2D, view: View, site: Site, labels: Adds): void {
    const p = this.palette;
    for (const sensor of site.sensors) {
      if (store.layers.peek().coverage) this.circle(c, view, sensor.at, sensor.range, p.ring, [2, 8]);
      this.place(c, view, sensor.at, "sensor", "friend radar", p.text, labels);
      labels.add({ lines: [sensor.id], x: this.x(view, sensor.at[0]), y: this.y(view, sensor.at[1]), colour: p.muted, priority: 6, size: 12, gap: 11, plate: true });
    }
  }

  /** Ranges of the effector models, where the site's rules let them fire, and the corridors that they keep out of. */
  private effectors(c: CanvasRenderingContext2D, view: View, site: Site, labels: Adds): void {
    const p = this.palette;
    for (const corridor of site.corridors) {
      this.outline(c, view, corridor.polygon);
      c.strokeStyle = p.effector;
      c.lineWidth = 1.5;
      c.setLineDash([12, 4, 2, 4]);
      c.stroke();
      c.setLineDash([]);
      const [east, north] = middle(corridor.polygon);
      labels.add({ lines: [corridor.id], x: this.x(view, east), y: this.y(view, north), colour: p.effector, priority: 7, size: 12, centred: true, plate: true });
    }
    for (const effector of site.effectors) {
      this.circle(c, view, effector.at, effector.far, p.effector, [8, 4]);
      if (effector.near > 0) this.circle(c, view, effector.at, effector.near, p.effector, [2, 4]);
      for (const sector of site.sectors) if (!sector.effector || sector.effector === effector.id) this.sector(c, view, effector, sector, labels);
      this.place(c, view, effector.at, "effector", `friend ${effector.kind}`, p.effector, labels);
      labels.add({ lines: [effector.id], x: this.x(view, effector.at[0]), y: this.y(view, effector.at[1]), colour: p.effector, priority: 6, size: 12, gap: 11, plate: true });
    }
  }

  /** A sector that an effector may not fire into: spokes all over it. */
  private sector(c: CanvasRenderingContext2D, view: View, { at, near, far }: Site["effectors"][number], sector: Site["sectors"][number], labels: Adds): void {
    const [x, y] = [this.x(view, at[0]), this.y(view, at[1])];
    const width = (sector.to - sector.from + 2 * Math.PI) % (2 * Math.PI) || 2 * Math.PI;
    const spokes = Math.max(Math.ceil(width / SPOKE_RAD), 1);
    c.beginPath();
    for (let k = 0; k <= spokes; k++) {
      const azimuth = sector.from + (k / spokes) * width;
      const [e, n] = [Math.sin(azimuth) / view.resolution, Math.cos(azimuth) / view.resolution];
      c.moveTo(x + near * e, y - near * n);
      c.lineTo(x + far * e, y - far * n);
    }
    c.strokeStyle = this.palette.effector;
    c.lineWidth = 0.75;
    c.stroke();
    const [middle, out] = [sector.from + width / 2, (near + far) / 2 / view.resolution];
    labels.add({ lines: [`✕ ${sector.id}`], x: x + out * Math.sin(middle), y: y - out * Math.cos(middle), colour: this.palette.effector, priority: 7, size: 12, centred: true, plate: true });
  }

  private place(c: CanvasRenderingContext2D, view: View, at: XY, shape: Shape, key: string, colour: string, labels: Adds): void {
    const [x, y] = [this.x(view, at[0]), this.y(view, at[1])];
    labels.keep(x, y, PLACE_PX);
    if (store.layers.peek().app6) standard(c, key, x, y, 9, colour, this.palette.ground);
    else symbol(c, shape, x, y, 7, colour, this.palette.ground);
  }

  private circle(c: CanvasRenderingContext2D, view: View, at: XY, radius: number, colour: string, dash: number[]): void {
    c.beginPath();
    c.arc(this.x(view, at[0]), this.y(view, at[1]), radius / view.resolution, 0, 2 * Math.PI);
    c.strokeStyle = colour;
    c.lineWidth = 1;
    c.setLineDash(dash);
    c.stroke();
    c.setLineDash([]);
  }

  private tracks(c: CanvasRenderingContext2D, view: View, f: Frame, labels: Labels): void {
    const shown = store.layers.peek();
    const chosen = store.selected.peek();
    const order = [...Array(f.n).keys()].sort(
      (a, b) => Number(f.col.id![a] === chosen) - Number(f.col.id![b] === chosen) || f.col.acts![a]! - f.col.acts![b]! || f.col.tti![b]! - f.col.tti![a]!,
    );
    for (const k of order) {
      if (f.col.acts![k] !== 1 && f.col.id![k] !== chosen) continue;
      const path = new Path2D();
      this.impact(path, view, f, k);
      c.strokeStyle = this.colour(f, k);
      c.lineWidth = f.col.id![k] === chosen ? 2.5 : 1.75;
      c.stroke(path);
    }
    if (shown.trails) this.newestPieces(c, view, f);
    for (const k of order) if (f.col.acts![k] === 1 || f.col.id![k] === chosen) this.line(c, view, f, k, shown.trails && f.col.acts![k] === 1);
    this.spots = [];
    for (const k of order) this.mark(c, view, f, k, labels, shown.labels);
  }

  private colour(f: Frame, k: number): string {
    const p = this.palette;
    const kind = f.col.kind![k]!;
    if (kind === Kind.ended || isStale(f, k)) return p.stale;
    if (f.col.acts![k]) return p.alarm;
    return kind === Kind.tentative ? p.tentative : p.confirmed;
  }

  /** Add the 95 % ellipse of an impact, and a cross where it is expected. */
  private impact(path: Path2D, view: View, f: Frame, k: number): void {
    const [east, north] = [f.col.imp_e![k]!, f.col.imp_n![k]!];
    if (Number.isNaN(east) || store.killed.peek().has(f.col.id![k]!) || f.col.kind![k] === Kind.ended || f.col.kind![k] === Kind.tentative) return;
    const [x, y] = [this.x(view, east), this.y(view, north)];
    const [a, b] = [f.col.ell_a![k]! / view.resolution, f.col.ell_b![k]! / view.resolution];
    const turn = f.col.ell_az![k]! - Math.PI / 2;
    if (a < 20_000) {
      path.moveTo(x + a * Math.cos(turn), y + a * Math.sin(turn));
      path.ellipse(x, y, a, b, turn, 0, 2 * Math.PI);
    }
    path.moveTo(x - 4, y - 4); path.lineTo(x + 4, y + 4); path.moveTo(x - 4, y + 4); path.lineTo(x + 4, y - 4);
  }

  /** Impacts of what acts on nobody, one stroke for each colour. */
  private quietImpacts(c: CanvasRenderingContext2D, view: View, f: Frame): void {
    this.strokes(c, f, 1, (path, k) => {
      if (f.col.id![k] !== store.selected.peek()) this.impact(path, view, f, k);
    });
  }

  /** The trails of what acts on nobody, as far as they have been told. */
  private quietTrails(c: CanvasRenderingContext2D, view: View, f: Frame): void {
    this.tips.clear();
    this.strokes(c, f, QUIET_PX, (path, k) => {
      const trail = store.lines.get(f.col.id![k]!)?.trail;
      if (!trail?.length) return;
      this.tips.set(f.col.id![k]!, [trail[trail.length - 3]!, trail[trail.length - 2]!]);
      let [x, y] = [this.x(view, trail[0]!), this.y(view, trail[1]!)];
      path.moveTo(x, y);
      for (let i = 3; i < trail.length; i += 3) {
        const [to, down] = [this.x(view, trail[i]!), this.y(view, trail[i + 1]!)];
        if (i + 3 < trail.length && Math.abs(to - x) + Math.abs(down - y) < STEP_PX) continue; // nobody sees the bend between them
        path.lineTo(to, down);
        [x, y] = [to, down];
      }
    });
  }

  /** The newest piece of each of these trails: from the last point that was drawn to where the track is now. */
  private newestPieces(c: CanvasRenderingContext2D, view: View, f: Frame): void {
    this.strokes(c, f, QUIET_PX, (path, k) => {
      const tip = this.tips.get(f.col.id![k]!);
      if (!tip) return;
      const [x, y] = [this.x(view, f.col.east![k]!), this.y(view, f.col.north![k]!)];
      if (!near(view, x, y)) return;
      path.moveTo(this.x(view, tip[0]), this.y(view, tip[1]));
      path.lineTo(x, y);
    });
  }

  /** Stroke what is added for each track that acts on nobody, all of one colour at once. */
  private strokes(c: CanvasRenderingContext2D, f: Frame, width: number, add: (path: Path2D, k: number) => void): void {
    const paths = new Map<string, Path2D>();
    for (let k = 0; k < f.n; k++) {
      if (f.col.acts![k] === 1) continue;
      const colour = this.colour(f, k);
      let path = paths.get(colour);
      if (!path) paths.set(colour, (path = new Path2D()));
      add(path, k);
    }
    c.lineWidth = width;
    for (const [colour, path] of paths) { c.strokeStyle = colour; c.stroke(path); }
  }

  private line(c: CanvasRenderingContext2D, view: View, f: Frame, k: number, trails: boolean): void {
    const line = store.lines.get(f.col.id![k]!);
    if (!line) return;
    const colour = this.colour(f, k);
    const [x, y] = [this.x(view, f.col.east![k]!), this.y(view, f.col.north![k]!)];
    c.strokeStyle = colour;
    if (trails && line.trail.length) {
      c.lineWidth = f.col.acts![k] ? 2.5 : 1.5;
      c.beginPath();
      for (let i = 0; i < line.trail.length; i += 3) c.lineTo(this.x(view, line.trail[i]!), this.y(view, line.trail[i + 1]!));
      c.lineTo(x, y);
      c.stroke();
    }
    if (f.col.kind![k] === Kind.ended || store.killed.peek().has(f.col.id![k]!) || (!f.col.acts![k] && f.col.id![k] !== store.selected.peek())) return;
    c.lineWidth = 1.25;
    c.setLineDash([2, 5]);
    c.beginPath();
    c.moveTo(x, y);
    // The part of the predicted path that lies ahead: beyond the foot of the track on it.
    const [ie, inn] = [f.col.imp_e![k]!, f.col.imp_n![k]!];
    const left = Math.hypot(ie - f.col.east![k]!, inn - f.col.north![k]!);
    for (let i = 0; i < line.path.length; i += 3)
      if (Math.hypot(ie - line.path[i]!, inn - line.path[i + 1]!) < left) c.lineTo(this.x(view, line.path[i]!), this.y(view, line.path[i + 1]!));
    c.stroke();
    c.setLineDash([]);
  }

  private mark(c: CanvasRenderingContext2D, view: View, f: Frame, k: number, labels: Labels, named: boolean): void {
    const p = this.palette;
    const id = f.col.id![k]!;
    const kind = f.col.kind![k]!;
    const acts = f.col.acts![k] === 1;
    const [x, y] = [this.x(view, f.col.east![k]!), this.y(view, f.col.north![k]!)];
    if (!near(view, x, y)) return;
    this.spots.push({ id, x, y });
    if (kind !== Kind.ended && kind !== Kind.tentative) labels.keep(x, y, (acts ? 9 : 6) * (store.layers.peek().app6 ? 1.5 : 1));
    const size = acts ? 10.5 : 7; // a threat is half as large again
    const colour = this.colour(f, k);
    if (id === store.selected.peek()) {
      c.strokeStyle = p.text;
      c.lineWidth = 2;
      c.strokeRect(x - size - 6, y - size - 6, 2 * size + 12, 2 * size + 12);
    }
    const shape = kind === Kind.ended ? "ended" : kind === Kind.engaged ? "engaged" : kind === Kind.threat ? "threat" : kind === Kind.tentative ? "tentative" : "confirmed";
    if (store.layers.peek().app6 && kind !== Kind.ended) {
      if (kind === Kind.engaged) ring(c, x, y, size * 1.5 + 5, p.halo);
      const [key, halo] = [symbolOf(f, k), acts ? p.halo : ""];
      stamp(c, `${key} ${size} ${colour} ${p.ground} ${halo}`, x, y, size * 1.3 + MARGIN_PX, view.ratio, (pen, at) => standard(pen, key, at, at, size * 1.3, colour, p.ground, halo));
    } else stamp(c, `${shape} ${size} ${colour} ${p.ground} ${p.halo}`, x, y, size + MARGIN_PX, view.ratio, (pen, at) => symbol(pen, shape, at, at, size, colour, p.ground, p.halo));
    if (!named || kind === Kind.ended || kind === Kind.tentative) return;
    const tti = store.killed.peek().has(id) ? NaN : f.col.tti![k]!;
    labels.add({
      lines: () => [ltr(`${id}  ${tti >= 0 ? seconds(tti) : ""}`), ltr(`${metres(f.col.alt![k]!)}${isStale(f, k) ? "  ?" : ""}`)],
      x, y, colour: acts ? p.text : colour, priority: id === store.selected.peek() ? -1 : acts ? 1 + Math.max(tti, 0) / 1000 : 4 + Math.max(tti || 0, 0) / 1000,
      size: acts ? 13 : 12, bold: acts, gap: size + 4, plate: true,
    });
  }

  private alarmNames(view: View, labels: Labels): void {
    const t = store.frame.peek()?.t ?? 0;
    for (const alarm of store.standing.peek()) {
      const zone = store.zonesById.peek().get(alarm.zone);
      if (!zone) continue;
      const [east, north] = middle(zone.polygon);
      const left = (alarm.impact - t) / 1000;
      const unseen = !store.isAcked(alarm, t);
      labels.add({
        lines: [zone.name, `${unseen ? (flashing() ? "▲ " : "△ ") : ""}${left >= 0 ? seconds(left) : "…"}`], x: this.x(view, east), y: this.y(view, north),
        colour: this.palette.text, priority: 0.5 + Math.max(left, 0) / 1e4, size: 11.5, bold: true, centred: true, plate: true, edge: this.palette.alarm, over: true,
      });
    }
  }

  private zoneNames(view: View, labels: Labels): void {
    const alarmed = new Set(store.standing.peek().map((alarm) => alarm.zone));
    for (const zone of store.hello.peek()?.site.zones ?? []) {
      if (alarmed.has(zone.id)) continue;
      const [east, north] = middle(zone.polygon);
      labels.add({ lines: [zone.name], x: this.x(view, east), y: this.y(view, north), colour: this.palette.muted, priority: 8, size: 11, centred: true });
    }
  }

  private scaleBar(c: CanvasRenderingContext2D, view: View): void {
    const step = [...RING_STEPS_M].reverse().find((metre) => metre / view.resolution <= 160) ?? 100;
    const length = step / view.resolution;
    const [x, y] = [view.width - length - 16, view.height - TOOLS_PX];
    c.strokeStyle = this.palette.text;
    c.fillStyle = this.palette.text;
    c.lineWidth = 1.5;
    c.beginPath();
    c.moveTo(x, y - 5); c.lineTo(x, y); c.lineTo(x + length, y); c.lineTo(x + length, y - 5);
    c.stroke();
    c.font = `12px ${this.palette.font}`;
    c.textAlign = "center";
    c.fillText(metres(step), x + length / 2, y - 7);
    c.font = `bold 14px ${this.palette.font}`;
    c.fillText("N ↑", view.width - 26, 24);
    const whose = store.layers.peek().base ? store.hello.peek()?.basemap?.attribution : "";
    if (!whose) return;
    c.font = `11px ${this.palette.font}`;
    c.textAlign = "right";
    const width = c.measureText(whose).width;
    c.fillStyle = this.palette.plate;
    c.fillRect(x - width - 32, y - 10, width + 12, 16);
    c.fillStyle = this.palette.text;
    c.fillText(whose, x - 26, y + 2);
  }
}

/** A canvas wiped, to be drawn on in points. */
function begun(canvas: HTMLCanvasElement, view: View): CanvasRenderingContext2D {
  const c = canvas.getContext("2d")!;
  c.setTransform(view.ratio, 0, 0, view.ratio, 0, 0);
  c.clearRect(0, 0, view.width, view.height);
  c.direction = "ltr";
  return c;
}

/** Whether something of a point can be seen. */
function near(view: View, x: number, y: number): boolean {
  return x > -EDGE_PX && y > -EDGE_PX && x < view.width + EDGE_PX && y < view.height + EDGE_PX;
}

function middle(polygon: XY[]): XY {
  const [x, y] = [polygon.map((p) => p[0]), polygon.map((p) => p[1])];
  return [(Math.min(...x) + Math.max(...x)) / 2, (Math.min(...y) + Math.max(...y)) / 2];
}
