// Where the tiles of a base map lie on the plane of the map: metres east and north of the site.
import type { BaseMap, XY } from "./types";

const TILE_PX = 256;
const PLANE_M = 204_800; // as in src/opencram/display/basemap.py
const SEMI_MAJOR_M = 6_378_137; // WGS84
const ECCENTRICITY_2 = 0.00669437999014;
const RAD = Math.PI / 180;

export interface Origin {
  latitude: number; // degrees
  longitude: number;
}
export interface Extent {
  east: number;
  north: number;
  resolution: number; // metres a pixel
  width: number;
  height: number;
}

/** The tiles that a view needs, at the zoom whose pixels are nearest to the screen's. */
export function tilesOf(map: BaseMap, site: Origin, view: Extent, most: number): [number, number, number][] {
  const world = map.grid === "plane" ? PLANE_M : 2 * Math.PI * SEMI_MAJOR_M * Math.cos(site.latitude * RAD);
  const zoom = Math.min(Math.max(Math.round(Math.log2(world / TILE_PX / view.resolution)), map.min), map.max);
  const [w, h] = [(view.width / 2) * view.resolution, (view.height / 2) * view.resolution];
  const edge = [-1, 0, 1].flatMap((i) => [-1, 0, 1].map((j) => gridOf(map, site, view.east + i * w, view.north + j * h, zoom)));
  const [columns, rows] = [edge.map((at) => at[0]), edge.map((at) => at[1])];
  const found: [number, number, number][] = [];
  const last = 2 ** zoom - 1;
  for (let column = Math.max(Math.floor(Math.min(...columns)), 0); column <= Math.min(Math.floor(Math.max(...columns)), last); column++)
    for (let row = Math.max(Math.floor(Math.min(...rows)), 0); row <= Math.min(Math.floor(Math.max(...rows)), last); row++)
      if (found.length < most) found.push([zoom, column, row]);
  return found;
}

/** Where a point of the plane lies among the tiles of a zoom. */
export function gridOf(map: BaseMap, { latitude, longitude }: Origin, east: number, north: number, zoom: number): [number, number] {
  if (map.grid === "plane") return [(east / PLANE_M + 0.5) * 2 ** zoom, (0.5 - north / PLANE_M) * 2 ** zoom];
  const phi0 = latitude * RAD;
  const prime = SEMI_MAJOR_M / Math.sqrt(1 - ECCENTRICITY_2 * Math.sin(phi0) ** 2);
  let [phi, lambda] = [phi0 + north / prime, east / (prime * Math.cos(phi0))];
  for (let k = 0; k < 4; k++) { // towards the point whose place on the plane this is
    const [e, n] = planeOf(phi, lambda, phi0);
    phi += (north - n) / prime;
    lambda += (east - e) / (prime * Math.cos(phi));
  }
  return [(lambda / RAD + longitude + 180) / 360 * 2 ** zoom, (0.5 - Math.asinh(Math.tan(phi)) / (2 * Math.PI)) * 2 ** zoom];
}

/** East and north (m) of a point of the ellipsoid, on the plane that touches it at latitude `phi0`; `lambda` from there. */
function planeOf(phi: number, lambda: number, phi0: number): XY {
  const prime = (latitude: number) => SEMI_MAJOR_M / Math.sqrt(1 - ECCENTRICITY_2 * Math.sin(latitude) ** 2);
  const ring = prime(phi) * Math.cos(phi);
  const up = prime(phi) * (1 - ECCENTRICITY_2) * Math.sin(phi) - prime(phi0) * (1 - ECCENTRICITY_2) * Math.sin(phi0);
  return [ring * Math.sin(lambda), up * Math.cos(phi0) - (ring * Math.cos(lambda) - prime(phi0) * Math.cos(phi0)) * Math.sin(phi0)];
}

/** North-west, north-east and south-west corner of a tile (m east and north). */
export function cornersOf(map: BaseMap, { latitude, longitude }: Origin, zoom: number, column: number, row: number): XY[] {
  const side = 2 ** -zoom;
  return [[column, row], [column + 1, row], [column, row + 1]].map(([x, y]): XY => {
    const [u, v] = [x! * side, y! * side];
    if (map.grid === "plane") return [(u - 0.5) * PLANE_M, (0.5 - v) * PLANE_M];
    const phi = Math.atan(Math.sinh(2 * Math.PI * (0.5 - v)));
    return planeOf(phi, (u * 360 - 180 - longitude) * RAD, latitude * RAD);
  });
}
