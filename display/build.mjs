// Builds what the wheel ships: one script and one stylesheet a page, fonts beside them, no address of any other host.
import { build } from "esbuild";
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";

const out = process.argv[2] ? `${process.argv[2]}/` : new URL("../src/opencram/display/static/", import.meta.url).pathname;
const here = new URL("./", import.meta.url).pathname;
rmSync(out, { recursive: true, force: true });
mkdirSync(out, { recursive: true });

const common = {
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
const licences = ["preact", "@preact/signals", "@preact/signals-core", "ol", "@fontsource/noto-sans"].map((name) => {
  const folder = `${here}node_modules/${name}/`;
  const file = readdirSync(folder).find((entry) => /^licen[cs]e(\.md|\.txt)?$/i.test(entry));
  return `==== ${name} ====\n\n${file ? readFileSync(folder + file, "utf8").trim() : "see its package"}\n`;
});
writeFileSync(`${out}LICENCES.txt`, licences.join("\n"));
for (const name of ["display.js", "display.css", "public.js", "public.css", "public.html"]) {
  const bytes = readFileSync(out + name);
  console.log(`${name}: ${(bytes.length / 1000).toFixed(1)} kB, ${(gzipSync(bytes).length / 1000).toFixed(1)} kB gzipped`);
}
