// Says where the corners of base map tiles fall, and back: tests/display/test_display_basemap.py compares them with the program's geodesy.
import { build } from "esbuild";

const out = await build({ entryPoints: [new URL("../src/tiles.ts", import.meta.url).pathname], bundle: true, format: "esm", write: false });
const { cornersOf, gridOf } = await import(`data:text/javascript;base64,${Buffer.from(out.outputFiles[0].text).toString("base64")}`);
const { site, tiles } = JSON.parse(process.argv[2]);
const map = { grid: "mercator", kind: "vector", min: 0, max: 20, attribution: "" };
console.log(JSON.stringify(tiles.map(([zoom, column, row]) => {
  const corners = cornersOf(map, site, zoom, column, row);
  return { corners, back: gridOf(map, site, ...corners[0], zoom) };
})));
