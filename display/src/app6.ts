// APP-6/MIL-STD-2525 symbols beside the simple shapes: frame and icon are the standard's, colour and size say the state as ever.
import symbols from "app6:symbols";
import { type Frame, Kind } from "./frame";
import type { Pen } from "./symbols";

const UNITS = 50; // of the standard's drawing, that make one radius
const SOLID = 7; // width of a frame
const DASH = [14, 10];
const ICONS: Record<string, string> = {
  is_mortar: "round", is_rocket: "round", is_shell: "round", is_aircraft: "aircraft", is_drone: "drone", is_bird: "track",
};

interface Made {
  frame: Path2D;
  lines: Path2D;
  solids: Path2D;
}
const made = new Map<string, Made>();

function outlines(key: string): Made {
  let found = made.get(key);
  if (!found) {
    const { frame, icon } = symbols[key]!;
    found = { frame: new Path2D(frame), lines: new Path2D(), solids: new Path2D() };
    for (const [outline, filled] of icon) (filled ? found.solids : found.lines).addPath(new Path2D(outline));
    made.set(key, found);
  }
  return found;
}

/** Whose and what: not yet known, somebody's, a round that acts on nobody, a round that does. */
export function symbolOf(f: Frame, k: number): string {
  let [what, most] = ["", 0];
  for (const name in ICONS) {
    const chance = f.col[name]?.[k] ?? 0;
    if (chance > most) [what, most] = [name, chance];
  }
  const icon = ICONS[what] ?? "track";
  const kind = f.col.kind![k];
  if (kind === Kind.tentative) return "pending track";
  if (kind === Kind.threat || kind === Kind.engaged) return `hostile ${icon}`;
  return `${icon === "round" ? "suspect" : "unknown"} ${icon}`;
}

export function standard(c: Pen, key: string, x: number, y: number, r: number, colour: string, ground: string, halo = ""): void {
  const { frame, lines, solids } = outlines(key);
  const threat = halo !== "";
  c.save();
  c.translate(x, y);
  c.scale(r / UNITS, r / UNITS);
  c.translate(-100, -100);
  c.lineJoin = "round";
  if (threat) { c.strokeStyle = halo; c.lineWidth = 24; c.stroke(frame); }
  c.fillStyle = threat ? colour : ground;
  c.fill(frame);
  c.strokeStyle = colour;
  c.lineWidth = SOLID;
  if (key.startsWith("suspect") || key.startsWith("pending")) c.setLineDash(DASH);
  c.stroke(frame);
  c.setLineDash([]);
  c.strokeStyle = c.fillStyle = threat ? ground : colour;
  c.lineWidth = SOLID * 0.8;
  c.stroke(lines);
  c.fill(solids);
  c.restore();
}
