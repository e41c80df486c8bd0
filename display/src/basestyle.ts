// How a base map looks: quiet, so that everything drawn over it keeps a contrast of 3:1 (tests/display).
// Layers and kinds are those of the two usual schemes, Protomaps ("roads") and OpenMapTiles ("transportation").
import type { Feature, TileLayer } from "./mvt";
import type { Palette } from "./theme";

export interface Name {
  text: string;
  x: number; // share of the tile from the west,
  y: number; // and from the north
  rank: number; // the smaller the more important
}
const WATER = new Set(["water", "waterway", "ocean", "water_polygons", "water_lines"]);
const ROADS = new Set(["roads", "transportation", "streets", "road"]);
const BUILDINGS = new Set(["buildings", "building"]);
const BORDERS = new Set(["boundaries", "boundary"]);
const PLACES = new Set(["places", "place", "place_labels"]);
const GREEN = /park|wood|forest|grass|garden|farm|orchard|meadow|cemetery|scrub|pitch|nature|recreation|zoo|golf/;
const MAJOR = /highway|motorway|trunk|major|primary/;
const MEDIUM = /medium|secondary|tertiary/;
const THIN = /path|foot|pedestrian|steps|track|cycleway|service|other/;
const ORDER = ["earth", "landcover", "landuse", "park", "water", "waterway", "ocean", "building", "buildings", "road", "roads", "streets", "transportation", "boundary", "boundaries"];
const NAMES_MAX = 30;

export function kindOf(feature: Feature): string {
  const { kind, class: sort, pmap_kind: old } = feature.properties;
  return String(kind ?? sort ?? old ?? "");
}

/** Draw the layers of a tile on a square of `side` pixels, from the ground up. */
export function drawTile(c: OffscreenCanvasRenderingContext2D, layers: TileLayer[], side: number, p: Palette): void {
  const rank = (layer: TileLayer) => { const at = ORDER.indexOf(layer.name); return at < 0 ? 1.5 : at; };
  c.lineJoin = c.lineCap = "round";
  for (const layer of [...layers].sort((a, b) => rank(a) - rank(b))) {
    if (PLACES.has(layer.name) || layer.name === "pois" || layer.name === "poi" || layer.name === "earth") continue;
    c.setTransform(side / layer.extent, 0, 0, side / layer.extent, 0, 0);
    const px = layer.extent / side;
    const strokes = new Map<string, Path2D>(); // one path a look: a tile of a town has ten thousand lines
    const fills = new Map<string, Path2D>();
    for (const feature of layer.features) {
      const look = lookOf(layer.name, feature, p);
      if (!look) continue;
      const into = feature.closed ? fills : strokes;
      let path = into.get(look);
      if (!path) into.set(look, (path = new Path2D()));
      for (const ring of feature.rings) {
        path.moveTo(ring[0]!, ring[1]!);
        for (let k = 2; k < ring.length; k += 2) path.lineTo(ring[k]!, ring[k + 1]!);
        if (feature.closed) path.closePath();
      }
    }
    for (const [look, path] of fills) { c.fillStyle = look.split("|")[0]!; c.fill(path); }
    for (const [look, path] of strokes) {
      const [colour, width, dash] = look.split("|") as [string, string, string?];
      c.strokeStyle = colour;
      c.lineWidth = Number(width) * px;
      c.setLineDash(dash ? [6 * px, 5 * px] : []);
      c.stroke(path);
    }
    c.setLineDash([]);
  }
}

/** Return colour, width in pixels and whether it is dashed, as one text: what looks alike is drawn at once. */
function lookOf(layer: string, feature: Feature, p: Palette): string {
  const kind = kindOf(feature);
  if (feature.type === 1) return "";
  if (WATER.has(layer)) return `${p.water}|2`;
  if (feature.closed) {
    if (BUILDINGS.has(layer)) return p.building;
    return GREEN.test(kind) || layer === "park" ? p.green : "";
  }
  if (ROADS.has(layer)) {
    if (/rail/.test(kind)) return `${p.street}|1.5|dashed`;
    return MAJOR.test(kind) ? `${p.road}|4.5` : MEDIUM.test(kind) ? `${p.road}|2.5` : `${p.street}|${THIN.test(kind) ? 1 : 2}`;
  }
  return BORDERS.has(layer) ? `${p.road}|1.5|dashed` : "";
}

export function namesOf(layers: TileLayer[], language: string): Name[] {
  const found: Name[] = [];
  for (const layer of layers) {
    if (!PLACES.has(layer.name)) continue;
    for (const { type, properties, rings } of layer.features) {
      const text = properties[`name:${language}`] ?? properties[`name_${language}`] ?? properties.name;
      const [x, y] = rings[0] ?? [];
      if (type !== 1 || !text || x === undefined || y === undefined || x < 0 || y < 0 || x >= layer.extent || y >= layer.extent) continue;
      found.push({ text: String(text), x: x / layer.extent, y: y / layer.extent, rank: Number(properties.min_zoom ?? properties.rank ?? 9) });
    }
  }
  return found.sort((a, b) => a.rank - b.rank).slice(0, NAMES_MAX);
}
