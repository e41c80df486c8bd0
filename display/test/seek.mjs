// How long a seek over a long recording takes on the screen: from the move of the strip to the picture of that moment.
import { chromium } from "playwright-core";

const [address, seeks] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const page = await browser.newPage({ viewport: { width: 1920, height: 1080 } });
await page.addInitScript(() => {
  window.shown = [];
  const Real = window.WebSocket;
  window.WebSocket = class extends Real {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        if (!(data instanceof ArrayBuffer) || new DataView(data).getUint32(0, true) !== 1) return;
        const t = new DataView(data).getFloat64(8, true);
        // The page asks for its animation frame after this one was asked for; what it draws is there one task later.
        requestAnimationFrame(() => setTimeout(() => window.shown.push([t, performance.now()])));
      });
    }
  };
});
await page.goto(`http://${address}/?lang=en&paused=1`);
await page.locator(".timeline input[type=range]").waitFor();
await page.waitForTimeout(1500);
const took = await page.evaluate(async (number) => {
  const strip = document.querySelector(".timeline input[type=range]");
  const [begin] = window.shown.at(-1);
  const found = [];
  for (let k = 1; k <= number; k++) {
    const wanted = Math.round((((k * 0.618) % 1) * Number(strip.max)) / 100) * 100; // all over it, never near the last
    window.shown.length = 0;
    const began = performance.now();
    strip.value = String(wanted);
    strip.dispatchEvent(new Event("input", { bubbles: true }));
    let seen;
    while (!(seen = window.shown.find(([t]) => Math.abs(t - begin - Number(strip.value)) < 100)) && performance.now() - began < 10_000) await new Promise((done) => setTimeout(done, 1));
    found.push(seen ? seen[1] - began : Infinity);
    await new Promise((done) => setTimeout(done, 150));
  }
  return found.sort((a, b) => a - b);
}, Number(seeks));
const at = (part) => took[Math.min(Math.floor(part * took.length), took.length - 1)];
console.log(JSON.stringify({ p50: at(0.5), p95: at(0.95), worst: took.at(-1), seeks: took.length }));
await browser.close();
