// Says reasons in French and Arabic as a screen does: tests/display/test_display_reasons.py looks at what comes.
import { readFileSync } from "node:fs";
import { build } from "esbuild";

const out = await build({ entryPoints: [new URL("../src/reasons.ts", import.meta.url).pathname], bundle: true, format: "esm", write: false });
const { reasonIn } = await import(`data:text/javascript;base64,${Buffer.from(out.outputFiles[0].text).toString("base64")}`);
console.log(JSON.stringify(JSON.parse(readFileSync(0, "utf8")).map((text) => ["en", "fr", "ar"].map((lang) => reasonIn(text, lang)))));
