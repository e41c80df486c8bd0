// Takes in lines as a screen does, and says what it then holds: tests/display/test_display_frames.py compares it with the picture.
import { readFileSync } from "node:fs";
import { build } from "esbuild";

const out = await build({ entryPoints: [new URL("../src/frame.ts", import.meta.url).pathname], bundle: true, format: "esm", write: false });
const { decodeLines } = await import(`data:text/javascript;base64,${Buffer.from(out.outputFiles[0].text).toString("base64")}`);
const held = new Map();
for (const text of JSON.parse(readFileSync(0, "utf8"))) decodeLines(Uint8Array.from(Buffer.from(text, "base64")).buffer, held);
console.log(JSON.stringify(Object.fromEntries([...held].map(([id, { trail, path }]) => [id, { trail: [...trail], path: [...path] }]))));
