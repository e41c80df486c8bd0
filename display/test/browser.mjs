// The browser that flows share: one start of it costs more than many of them.
// usage: node browser.mjs; prints the address that BROWSER is to be, and serves until its input ends.
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const options = {
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
};

/** The browser at the address BROWSER, in contexts of one's own; without an address, a browser of one's own. */
export const start = () => (process.env.BROWSER ? chromium.connect(process.env.BROWSER) : chromium.launch(options));

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const server = await chromium.launchServer(options);
  server.on("close", () => process.exit());
  process.stdin.on("end", () => server.close()).resume();
  console.log(server.wsEndpoint());
}
