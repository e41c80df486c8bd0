// What the server says in JSON (src/opencram/display/rows.py, plan.py).  Times are ms since 1970.

import type { Column } from "./frame";

export type XY = [number, number];
export type Mode = "simulation" | "exercise" | "test" | "actual";

export interface Zone {
  id: string;
  name: string;
  people: number;
  shelter: number;
  polygon: XY[];
}
export interface Site {
  name: string;
  latitude: number;
  longitude: number;
  terrain: boolean; // some of it may hide what flies from the radars
  sensors: { id: string; at: XY; range: number; period: number }[];
  assets: { id: string; polygon: XY[] }[];
  zones: Zone[];
  districts: { id: string; name: string }[];
  effectors: { id: string; kind: string; at: XY; near: number; far: number; rounds: number }[];
  sectors: { id: string; effector: string; from: number; to: number }[]; // no fire there; effector "": none of them
  corridors: { id: string; polygon: XY[] }[];
  policy: { protect: string; mode: string };
  dwell: number;
}
export interface BaseMap {
  grid: "mercator" | "plane";
  kind: "vector" | "image";
  min: number;
  max: number;
  attribution: string;
}
/** Cells of the map that are in range of a radar and hidden from every one: for each height, row, first column, column after the last. */
export interface Coverage {
  west: number; // m, the corner of the grid
  south: number;
  step: number;
  above: number[]; // m above the ground
  hidden: number[][];
}
export interface Hello {
  version: string;
  mode: Mode;
  source: string;
  live: boolean;
  role: "viewer" | "operator";
  name: string; // of the operator, where a token says it
  acts: boolean;
  paused: boolean;
  site: Site;
  basemap: BaseMap | null;
  coverage?: Coverage | null; // where no server can be asked
  columns: Column[];
  begin: number;
  end: number;
  marks: [number, string, string][];
}
export interface Alarm {
  id: number;
  zone: string;
  state: "issued" | "updated" | "cancelled" | "all_clear" | "expired";
  change: "" | "grown" | "shrunk";
  p: number;
  impact: number;
  std: number | null;
  advice: "shelter" | "drop" | "none";
  tracks: number[];
  zones: string[];
  reason: string;
  issued: number;
  t: number;
  expires: number;
  acked: number | null;
}
export interface Decision {
  track: number;
  t: number;
  action: "engage" | "ignore" | "hold";
  asset: string | null;
  p: number;
  effector: string | null;
  code: string;
  reasons: Record<string, string>;
  until: number | null; // people are asked to consent, or may veto, until then
}
export interface Engagement {
  id: number;
  track: number;
  t: number;
  effector: string;
  state: "committed" | "fired" | "killed" | "missed" | "aborted";
  rounds: number;
  fire: number;
  intercept: number;
  at: [number, number, number];
  p: number;
}
export interface Health {
  part: string;
  t: number;
  state: "ok" | "degraded" | "lost";
  reason: string;
}
export interface Sensor {
  id: string;
  silent: number | null;
  state: "ok" | "degraded" | "lost" | "unknown";
  plots: number;
}
export interface Player {
  playing: boolean;
  following: boolean;
  speed: number;
}
/** What a screen that looks at the past of a live run does not show. */
export interface Ahead {
  alarms: number; // issued since, that nobody has acknowledged
  zone: string; // of the first of them
  impact: number;
  end: number;
}
export interface LogItem {
  seq: number;
  known: number;
  kind: "alarm" | "decision" | "engagement" | "health" | "operator" | "ended";
  row: Record<string, unknown>;
}
