// The site's own base map, on a canvas of its own: drawn anew when the view moves or a tile comes, not with every frame.
import { drawTile, type Name, namesOf } from "./basestyle";
import { lang } from "./i18n";
import { readTile, type TileLayer } from "./mvt";
import { secret } from "./link";
import type { View } from "./paint";
import * as store from "./store";
import { type Palette, theme } from "./theme";
import { cornersOf, tilesOf } from "./tiles";
import type { XY } from "./types";

const SIDE_PX = 512; // of a tile as it is kept: 256 on the screen, for screens of two pixels a point
const KEPT_MAX = 160;
const ASKED_MAX = 6;
const RETRY_MS = 5000;
const PARENTS = 4;

interface Kept {
  layers: TileLayer[] | null; // of a vector tile
  image: ImageBitmap | null;
  drawn: OffscreenCanvas | null;
  look: string; // that it was drawn in
  names: Name[];
  failed: number; // when, 0: not
}

export class Base {
  readonly canvas = document.createElement("canvas");
  private kept = new Map<string, Kept | "asked">();
  private asked = 0;
  private arrived = 0;
  private shown = "";
  private visible: [key: string, corners: XY[]][] = [];

  constructor(private readonly changed: () => void) {}

  /** Draw what is there, and ask for what is not. */
  paint(view: View, palette: Palette): void {
    const map = store.layers.peek().base ? store.hello.peek()?.basemap : null;
    const look = `${theme.peek()} ${palette.ground}`;
    const key = map ? [view.east, view.north, view.resolution, view.width, view.height, view.ratio, look, this.arrived].join() : "none";
    if (key === this.shown) return;
    this.shown = key;
    this.canvas.hidden = !map; // nothing to be laid under every picture
    const c = this.sized(view);
    this.visible = [];
    if (!map) return;
    const site = store.hello.peek()!.site;
    for (const [zoom, column, row] of tilesOf(map, site, view, KEPT_MAX / 2)) {
      const corners = cornersOf(map, site, zoom, column, row);
      this.visible.push([`${zoom}/${column}/${row}`, corners]);
      this.place(c, view, zoom, column, row, corners, look, palette);
    }
    c.setTransform(1, 0, 0, 1, 0, 0);
    this.forget();
  }

  /** Names of places, with where they stand (m east and north). */
  names(): { text: string; at: XY; rank: number }[] {
    return this.visible.flatMap(([key, [nw, ne, sw]]) => {
      const tile = this.kept.get(key);
      if (!tile || tile === "asked") return [];
      return tile.names.map(({ text, x, y, rank }) => ({
        text, rank,
        at: [nw![0] + x * (ne![0] - nw![0]) + y * (sw![0] - nw![0]), nw![1] + x * (ne![1] - nw![1]) + y * (sw![1] - nw![1])] as XY,
      }));
    });
  }

  private sized(view: View): CanvasRenderingContext2D {
    const [width, height] = [Math.round(view.width * view.ratio), Math.round(view.height * view.ratio)];
    if (this.canvas.width !== width || this.canvas.height !== height) {
      this.canvas.width = width;
      this.canvas.height = height;
      this.canvas.style.cssText = `position:absolute;inset:0;width:${view.width}px;height:${view.height}px`;
    }
    const c = this.canvas.getContext("2d")!;
    c.setTransform(1, 0, 0, 1, 0, 0);
    c.clearRect(0, 0, width, height);
    return c;
  }

  /** Draw a tile, or until it is there the part of a coarser one that covers it. */
  private place(c: CanvasRenderingContext2D, view: View, zoom: number, column: number, row: number, [nw, ne, sw]: XY[], look: string, palette: Palette): void {
    for (let up = 0; up <= PARENTS && up <= zoom; up++) {
      const key = `${zoom - up}/${column >> up}/${row >> up}`;
      const tile = this.kept.get(key);
      if (!up && (!tile || (tile !== "asked" && tile.failed && performance.now() - tile.failed > RETRY_MS))) void this.ask(key);
      if (!tile || tile === "asked" || (!tile.layers && !tile.image)) continue;
      const picture = pictureOf(tile, look, palette);
      const part = SIDE_PX / 2 ** up;
      const [left, top] = [(column - ((column >> up) << up)) * part, (row - ((row >> up) << up)) * part];
      const x = ([e]: XY) => ((e - view.east) / view.resolution + view.width / 2) * view.ratio;
      const y = ([, n]: XY) => ((view.north - n) / view.resolution + view.height / 2) * view.ratio;
      c.setTransform((x(ne!) - x(nw!)) / SIDE_PX, (y(ne!) - y(nw!)) / SIDE_PX, (x(sw!) - x(nw!)) / SIDE_PX, (y(sw!) - y(nw!)) / SIDE_PX, x(nw!), y(nw!));
      c.drawImage(picture, left, top, part, part, -0.5, -0.5, SIDE_PX + 1, SIDE_PX + 1); // half a pixel over: no seams
      return;
    }
  }

  private async ask(key: string): Promise<void> {
    if (this.asked >= ASKED_MAX) return; // the next arrival draws again, and asks again
    this.asked++;
    this.kept.set(key, "asked");
    const tile: Kept = { layers: null, image: null, drawn: null, look: "", names: [], failed: 0 };
    try {
      const token = secret();
      const answer = await fetch(`/basemap/${key}`, token ? { headers: { authorization: `Bearer ${token}` } } : {});
      if (!answer.ok) throw new Error(String(answer.status));
      const blob = answer.status === 204 ? null : await answer.blob();
      if (blob?.type.startsWith("image/")) tile.image = await createImageBitmap(blob);
      else if (blob) {
        tile.layers = readTile(await blob.arrayBuffer());
        tile.names = namesOf(tile.layers, lang.peek());
      }
    } catch {
      tile.failed = performance.now(); // it is asked for again; the map is whole without
    }
    this.kept.set(key, tile);
    this.asked--;
    this.arrived++;
    this.changed();
  }

  private forget(): void {
    const seen = new Set(this.visible.map(([key]) => key));
    for (const [key, tile] of this.kept) {
      if (this.kept.size <= KEPT_MAX) return;
      if (tile !== "asked" && !seen.has(key)) this.kept.delete(key);
    }
  }
}

function pictureOf(tile: Kept, look: string, palette: Palette): OffscreenCanvas {
  if (tile.drawn && tile.look === look) return tile.drawn;
  tile.drawn = new OffscreenCanvas(SIDE_PX, SIDE_PX);
  tile.look = look;
  const c = tile.drawn.getContext("2d")!;
  if (tile.layers) drawTile(c, tile.layers, SIDE_PX, palette);
  if (tile.image) {
    c.drawImage(tile.image, 0, 0, SIDE_PX, SIDE_PX);
    c.globalCompositeOperation = "source-atop";
    c.fillStyle = palette.veil;
    c.fillRect(0, 0, SIDE_PX, SIDE_PX);
  }
  return tile.drawn;
}
