// Labels that never lie on one another: the most important is placed first, and what finds no room is left out.
import type { Palette } from "./theme";

export interface Label {
  lines: string[] | (() => string[]); // made when there may be room
  x: number;
  y: number;
  colour: string;
  priority: number; // the lowest first
  size: number;
  bold?: boolean;
  centred?: boolean; // on its point; else beside it, at `gap`
  or?: [x: number, y: number]; // where it stands if its point is taken
  gap?: number;
  plate?: boolean;
  edge?: string;
  over?: boolean; // moved a little where it would lie on a symbol, and lies there if that does not help: it must not go missing
}

type Box = [left: number, top: number, right: number, bottom: number];
const LABELS_MAX = 220;
const SQUARE_PX = 64;
const WIDTHS_MAX = 5000;
const widths = new Map<string, number>();

export class Labels {
  private labels: Label[] = [];
  private readonly kept = new Boxes();

  constructor(
    private readonly c: CanvasRenderingContext2D,
    private readonly width: number,
    private readonly height: number,
    private readonly palette: Palette,
  ) {}

  add(label: Label): void {
    if (label.x > -80 && label.x < this.width + 80 && label.y > -40 && label.y < this.height + 40) this.labels.push(label);
  }

  /** Keep a spot free: no label covers a symbol. */
  keep(x: number, y: number, r: number): void {
    this.kept.add([x - r, y - r, x + r, y + r]);
  }

  draw(): void {
    const taken = new Boxes();
    const placed: [Label, string[], Box][] = [];
    this.labels.sort((a, b) => a.priority - b.priority);
    for (const label of this.labels.slice(0, LABELS_MAX)) {
      const lines = typeof label.lines === "function" ? label.lines() : label.lines;
      const width = Math.max(...lines.map((line) => this.measured(line, label))) + (label.centred ? 4 : 8);
      const height = lines.length * label.size * 1.22 + 4;
      const spots = places(label, width, height);
      const fits = (b: Box) => this.inside(b) && taken.free(b);
      const box = spots.find((b) => fits(b) && this.kept.free(b)) ?? (label.over ? spots.find(fits) : undefined);
      if (!box) continue;
      taken.add(box);
      placed.push([label, lines, box]);
    }
    for (const [label, lines, box] of placed.reverse()) this.drawOne(label, lines, box);
  }

  private drawOne(label: Label, lines: string[], [left, top, right, bottom]: Box): void {
    const c = this.c;
    if (label.plate) {
      c.fillStyle = this.palette.plate;
      c.fillRect(left, top, right - left, bottom - top);
    }
    if (label.edge) {
      c.strokeStyle = label.edge;
      c.lineWidth = 1;
      c.strokeRect(left, top, right - left, bottom - top);
    }
    c.fillStyle = label.colour;
    c.textAlign = label.centred ? "center" : "left";
    c.font = `${label.bold ? "bold " : ""}${label.size}px ${this.palette.font}`;
    lines.forEach((line, k) => {
      c.fillText(line, label.centred ? (left + right) / 2 : left + 4, top + label.size * (1.22 * k + 1.05));
    });
  }

  /** Measuring text is slow and the same texts come back: widths are kept. */
  private measured(line: string, { bold, size }: Label): number {
    const key = `${bold ? "b" : ""}${size} ${line}`;
    let width = widths.get(key);
    if (width === undefined) {
      this.c.font = `${bold ? "bold " : ""}${size}px ${this.palette.font}`;
      width = this.c.measureText(line).width;
      if (widths.size > WIDTHS_MAX) widths.clear();
      if (document.fonts.status === "loaded") widths.set(key, width);
    }
    return width;
  }

  private inside([left, top, right, bottom]: Box): boolean {
    return left >= 0 && top >= 0 && right <= this.width && bottom <= this.height;
  }
}

/** Boxes by the squares of a grid that they touch, so that a spot is compared with its neighbours only. */
class Boxes {
  private readonly squares = new Map<number, Box[]>();

  add(box: Box): void {
    this.some(box, (key) => {
      const there = this.squares.get(key);
      if (there) there.push(box);
      else this.squares.set(key, [box]);
      return false;
    });
  }

  free(box: Box): boolean {
    return !this.some(box, (key) => this.squares.get(key)?.some((other) => overlap(box, other)) ?? false);
  }

  private some([left, top, right, bottom]: Box, found: (key: number) => boolean): boolean {
    for (let column = Math.floor(left / SQUARE_PX); column <= Math.floor(right / SQUARE_PX); column++)
      for (let row = Math.floor(top / SQUARE_PX); row <= Math.floor(bottom / SQUARE_PX); row++) if (found(column * 4096 + row)) return true;
    return false;
  }
}

function places({ x, y, gap = 8, centred, or, over }: Label, width: number, height: number): Box[] {
  const at = (left: number, top: number): Box => [left, top, left + width, top + height];
  if (centred) {
    const aside = over ? ([[0, -0.7], [0, 0.7], [-0.6, 0], [0.6, 0]] as const).map(([dx, dy]): [number, number] => [x + dx * width, y + dy * height]) : [];
    return [[x, y] as const, ...(or ? [or] : []), ...aside].map(([x, y]) => at(x - width / 2, y - height / 2));
  }
  return [
    at(x + gap, y - height - gap / 2), at(x + gap, y + gap / 2), at(x - gap - width, y - height - gap / 2), at(x - gap - width, y + gap / 2),
    at(x - width / 2, y - gap - height), at(x - width / 2, y + gap), at(x + gap * 2.5, y - height / 2), at(x - gap * 2.5 - width, y - height / 2),
  ];
}

function overlap(a: Box, b: Box): boolean {
  return a[0] < b[2] && b[0] < a[2] && a[1] < b[3] && b[1] < a[3];
}
