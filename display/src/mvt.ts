// Reads vector tiles: layers of points, lines and polygons with their properties (Mapbox Vector Tile specification 2.1).
import { PbfReader } from "pbf";

export interface Feature {
  type: 0 | 1 | 2 | 3; // unknown, points, lines, polygons
  properties: Record<string, string | number | boolean>;
  rings: number[][]; // x and y by turns, in the layer's own units, y down
  closed: boolean;
}
export interface TileLayer {
  name: string;
  extent: number;
  features: Feature[];
}
const MOVE = 1;
const LINE = 2;
const FEATURES_MAX = 50_000;

export function readTile(bytes: ArrayBuffer): TileLayer[] {
  return new PbfReader(bytes).readFields<TileLayer[]>((tag, layers, pbf) => {
    if (tag === 3) layers.push(readLayer(pbf));
  }, []);
}

function readLayer(pbf: PbfReader): TileLayer {
  const end = pbf.readVarint() + pbf.pos;
  const found = { name: "", extent: 4096, at: [] as [number, number][], keys: [] as string[], values: [] as (string | number | boolean)[] };
  pbf.readFields((tag, layer, p) => {
    if (tag === 1) layer.name = p.readString();
    else if (tag === 2) { const to = p.readVarint() + p.pos; layer.at.push([p.pos, to]); p.pos = to; }
    else if (tag === 3) layer.keys.push(p.readString());
    else if (tag === 4) layer.values.push(readValue(p));
    else if (tag === 5) layer.extent = p.readVarint();
  }, found, end);
  const features: Feature[] = [];
  for (const [from, to] of found.at.slice(0, FEATURES_MAX)) {
    pbf.pos = from;
    features.push(readFeature(pbf, to, found.keys, found.values));
  }
  pbf.pos = end;
  return { name: found.name, extent: found.extent, features };
}

function readValue(pbf: PbfReader): string | number | boolean {
  let value: string | number | boolean = "";
  const end = pbf.readVarint() + pbf.pos;
  pbf.readFields((tag, _, p) => {
    if (tag === 1) value = p.readString();
    else if (tag === 2) value = p.readFloat();
    else if (tag === 3) value = p.readDouble();
    else if (tag === 4 || tag === 5) value = p.readVarint(tag === 4);
    else if (tag === 6) value = p.readSVarint();
    else if (tag === 7) value = p.readBoolean();
  }, null, end);
  return value;
}

function readFeature(pbf: PbfReader, end: number, keys: string[], values: (string | number | boolean)[]): Feature {
  const feature: Feature = { type: 0, properties: {}, rings: [], closed: false };
  pbf.readFields((tag, f, p) => {
    if (tag === 2) {
      const to = p.readVarint() + p.pos;
      while (p.pos < to) { const key = keys[p.readVarint()]; const value = values[p.readVarint()]; if (key !== undefined && value !== undefined) f.properties[key] = value; }
    } else if (tag === 3) f.type = p.readVarint() as Feature["type"];
    else if (tag === 4) f.rings = readGeometry(p);
  }, feature, end);
  feature.closed = feature.type === 3;
  return feature;
}

function readGeometry(pbf: PbfReader): number[][] {
  const end = pbf.readVarint() + pbf.pos;
  const rings: number[][] = [];
  let [x, y, command, left] = [0, 0, 0, 0];
  while (pbf.pos < end) {
    if (left <= 0) { const both = pbf.readVarint(); command = both & 7; left = both >> 3; }
    left--;
    if (command !== MOVE && command !== LINE) continue; // a ring is closed by whoever draws it
    x += pbf.readSVarint();
    y += pbf.readSVarint();
    if (command === MOVE) rings.push([]);
    rings[rings.length - 1]?.push(x, y);
  }
  return rings;
}
