// Binary frames of the server (src/opencram/display/frames.py): a head, then one column for each quantity.

export const FRAME = 1;
export const LINES = 2;
export const enum Kind {
  tentative,
  confirmed,
  threat,
  engaged,
  ended,
}
export const PLAYING = 1;
export const FOLLOWING = 2;
const HEAD_BYTES = 48;

export interface Frame {
  seq: number;
  t: number; // ms since 1970, data time
  begin: number;
  end: number;
  dataAge: number; // s
  flags: number;
  n: number;
  col: Record<string, Float32Array>;
}

/** How a column travels: floats, or whole multiples of a step. */
export type Column = [name: string, type: "f4" | "u2" | "i2" | "u1", step: number];
const ARRAYS = { f4: Float32Array, u2: Uint16Array, i2: Int16Array, u1: Uint8Array } as const;
const NAN = { f4: NaN, u2: 65535, i2: -32768, u1: 255 } as const;

export interface Line {
  ever: number; // points that the trail ever had
  trail: Float32Array; // east, north, up (m), the oldest point first
  path: Float32Array;
}

export function kindOf(buffer: ArrayBuffer): number {
  return new DataView(buffer).getUint32(0, true);
}

export function decodeFrame(buffer: ArrayBuffer, columns: readonly Column[]): Frame {
  const view = new DataView(buffer);
  const n = view.getUint32(40, true);
  const col: Record<string, Float32Array> = {};
  let at = HEAD_BYTES;
  for (const [name, type, step] of columns) {
    const told = new ARRAYS[type](buffer, at, n);
    at += told.byteLength;
    col[name] = told instanceof Float32Array ? told : inSteps(told, NAN[type], step);
  }
  return {
    seq: view.getUint32(4, true),
    t: view.getFloat64(8, true),
    begin: view.getFloat64(16, true),
    end: view.getFloat64(24, true),
    dataAge: view.getFloat64(32, true),
    n,
    flags: view.getUint32(44, true),
    col,
  };
}

function inSteps(told: Uint16Array | Int16Array | Uint8Array, nan: number, step: number): Float32Array {
  const found = new Float32Array(told.length);
  for (let k = 0; k < told.length; k++) found[k] = told[k] === nan ? NaN : told[k]! * step;
  return found;
}

const TRAIL_POINTS_MAX = 48; // as in src/opencram/display/picture.py
const XYZ = 3;

/** Take in what trails have grown by: points that follow those that are there, or stand instead of them. */
export function decodeLines(buffer: ArrayBuffer, into: Map<number, Line>): void {
  const view = new DataView(buffer);
  const count = view.getUint32(4, true);
  let at = 8;
  for (let k = 0; k < count; k++) {
    const [id, before] = [view.getUint32(at, true), view.getUint32(at + 4, true)];
    const [grown, path] = [view.getUint16(at + 8, true), view.getUint16(at + 10, true)];
    at += 12;
    const points = new Float32Array(buffer, at, (grown + path) * XYZ);
    at += points.byteLength;
    const known = into.get(id);
    const first = known ? known.ever - known.trail.length / XYZ : before;
    const kept = known && before >= first && before <= known.ever ? known.trail.subarray(0, (before - first) * XYZ) : new Float32Array();
    const trail = new Float32Array(kept.length + grown * XYZ);
    trail.set(kept);
    trail.set(points.subarray(0, grown * XYZ), kept.length);
    into.set(id, { ever: before + grown, trail: trail.slice(-TRAIL_POINTS_MAX * XYZ), path: points.slice(grown * XYZ) });
  }
}
