// Builds what the wheel ships: one script and one stylesheet a page, fonts beside them, no address of any other host.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import ms from "milsymbol";

const out = process.argv[2] ? `${process.argv[2]}/` : new URL("../src/opencram/display/static/", import.meta.url).pathname;
const here = new URL("./", import.meta.url).pathname;
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

/** APP-6/MIL-STD-2525D symbols as outlines, made by milsymbol here: a screen needs no library for a dozen of them. */
function app6() {
  const identities = { pending: 0, unknown: 1, suspect: 5, hostile: 6 };
  const air = { round: ["02", "110000"], aircraft: ["01", "110100"], drone: ["01", "110300"], track: ["01", "000000"] };
  const ground = { radar: ["15", "220300"], gun: ["15", "110500"], interceptor: ["15", "111100"] }; // of the site's own
  const outline = (part) =>
    part.type === "circle"
      ? `M${part.cx - part.r},${part.cy}a${part.r},${part.r} 0 1,0 ${2 * part.r},0a${part.r},${part.r} 0 1,0 ${-2 * part.r},0z`
      : part.d;
  const flat = (parts) => parts.flat(9).flatMap((part) => (part.draw ? flat(part.draw) : [part]));
  const made = {};
  for (const [names, whose] of [[air, Object.keys(identities)], [ground, ["friend"]]])
    for (const [name, [set, entity]] of Object.entries(names))
      for (const identity of whose) {
        const mark = new ms.Symbol(`100${identities[identity] ?? 3}${set}0000${entity}0000`);
        if (!mark.isValid()) throw new Error(`milsymbol knows no ${identity} ${name}`);
        const parts = flat(mark.drawInstructions);
        made[`${identity} ${name}`] = {
          frame: outline(parts[0]),
          icon: parts.filter((part) => part.icon).map((part) => [outline(part), part.fill && part.fill !== "none" ? 1 : 0]),
        };
      }
  return made;
}
const symbols = {
  name: "app6",
  setup(bundle) {
    bundle.onResolve({ filter: /^app6:symbols$/ }, ({ path }) => ({ path, namespace: "app6" }));
    bundle.onLoad({ filter: /.*/, namespace: "app6" }, () => ({ contents: JSON.stringify(app6()), loader: "json" }));
  },
};

const common = {
  plugins: [symbols],
  bundle: true,
  minify: true,
  target: ["es2022"],
  format: "esm",
  legalComments: "none",
  charset: "utf8",
  jsx: "automatic",
  jsxImportSource: "preact",
  external: ["*.woff2"],
  logLevel: "warning",
};
await build({ ...common, entryPoints: [`${here}src/main.tsx`], outfile: `${out}display.js` });
await build({ ...common, entryPoints: [`${here}src/public.ts`], outfile: `${out}public.js` });
await build({ ...common, entryPoints: [`${here}src/style.css`], outfile: `${out}display.css` });
await build({ ...common, entryPoints: [`${here}src/public.css`], outfile: `${out}public.css` });
copyFileSync(`${here}src/index.html`, `${out}index.html`);
copyFileSync(`${here}src/public.html`, `${out}public.html`);
const fonts = `${here}node_modules/@fontsource/`;
for (const weight of [400, 700]) {
  copyFileSync(`${fonts}noto-sans/files/noto-sans-latin-${weight}-normal.woff2`, `${out}noto-sans-${weight}.woff2`);
  copyFileSync(
    `${fonts}noto-sans-arabic/files/noto-sans-arabic-arabic-${weight}-normal.woff2`,
    `${out}noto-sans-arabic-${weight}.woff2`,
  );
}
const licences = ["preact", "@preact/signals", "@preact/signals-core", "ol", "pbf", "milsymbol", "@fontsource/noto-sans"].map((name) => {
  const folder = `${here}node_modules/${name}/`;
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.md|\.txt)?$/i.test(entry));
  return `==== ${name} ====\n\n${file ? readFileSync(folder + file, "utf8").trim() : "see its package"}\n`;
});
writeFileSync(`${out}LICENCES.txt`, licences.join("\n"));
for (const name of ["display.js", "display.css", "public.js", "public.css", "public.html"]) {
  const bytes = readFileSync(out + name);
  console.log(`${name}: ${(bytes.length / 1000).toFixed(1)} kB, ${(gzipSync(bytes).length / 1000).toFixed(1)} kB gzipped`);
}
