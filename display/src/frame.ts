// Binary frames of the server (src/opencram/display/frames.py): a head, then one Float32Array for each quantity.

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

export interface Line {
  trail: Float32Array; // east, north, up (m), the oldest point first
  path: Float32Array;
}

export function kindOf(buffer: ArrayBuffer): number {
  return new DataView(buffer).getUint32(0, true);
}

export function decodeFrame(buffer: ArrayBuffer, columns: readonly string[]): Frame {
  const view = new DataView(buffer);
  const n = view.getUint32(40, true);
  const col: Record<string, Float32Array> = {};
  columns.forEach((name, k) => {
    col[name] = new Float32Array(buffer, HEAD_BYTES + k * n * 4, n);
  });
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

export function decodeLines(buffer: ArrayBuffer, into: Map<number, Line>): void {
  const view = new DataView(buffer);
  const count = view.getUint32(4, true);
  let at = 8;
  for (let k = 0; k < count; k++) {
    const id = view.getUint32(at, true);
    const trail = view.getUint16(at + 4, true);
    const path = view.getUint16(at + 6, true);
    at += 8;
    into.set(id, {
      trail: new Float32Array(buffer.slice(at, at + trail * 12)),
      path: new Float32Array(buffer.slice(at + trail * 12, at + (trail + path) * 12)),
    });
    at += (trail + path) * 12;
  }
}
