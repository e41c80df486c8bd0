// What a full screen costs a browser without GPU: CPU seconds of all its processes, and of each picture where a busy machine
// leaves some out; frames a second while panning; and how long a frame takes from its making on the server (its stamp) to its picture.
import { readFileSync, readdirSync } from "node:fs";
import { chromium } from "playwright-core";

const [address, seconds] = process.argv.slice(2);
const WINDOWS = 3;
const TICKS_A_SECOND = 100; // of /proc/PID/stat
const server = await chromium.launchServer({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const browser = await chromium.connect(server.wsEndpoint());
const page = await browser.newPage({ viewport: { width: 1920, height: 1080 } });
await page.addInitScript(() => {
  window.delays = [];
  window.bytes = 0;
  window.pictures = 0; // frames that came while one waited for its picture have none of their own
  let waits = false;
  const Real = window.WebSocket;
  window.WebSocket = class extends Real {
    constructor(...given) {
      super(...given);
      this.addEventListener("message", ({ data }) => {
        if (!(data instanceof ArrayBuffer) || new DataView(data).getUint32(0, true) !== 1) return;
        const made = new DataView(data).getFloat64(16, true);
        window.bytes = data.byteLength;
        // The page asks for its animation frame after this one was asked for; what it draws is there one task later.
        if (!waits) requestAnimationFrame(() => { waits = false; window.pictures++; });
        waits = true;
        requestAnimationFrame(() => setTimeout(() => window.delays.push(performance.timeOrigin + performance.now() - made)));
      });
    }
  };
});
await page.goto(`http://${address}/?lang=en`);
await page.waitForTimeout(4000);

function cpuSeconds() {
  const found = new Map();
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
      found.set(Number(pid), [Number(fields[1]), (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND]);
    } catch { /* it has just ended */ }
  }
  const ours = new Set([server.process().pid]);
  for (let before = 0; before !== ours.size; ) {
    before = ours.size;
    for (const [pid, [parent]] of found) if (ours.has(parent)) ours.add(pid);
  }
  return [...ours].reduce((sum, pid) => sum + (found.get(pid)?.[1] ?? 0), 0);
}
async function share(act) {
  const [before, began] = [cpuSeconds(), Date.now()];
  await act();
  return (cpuSeconds() - before) / ((Date.now() - began) / 1000);
}
await page.evaluate(() => { window.delays.length = 0; window.pictures = 0; });
const shares = [];
for (let k = 0; k < WINDOWS; k++) shares.push(await share(() => page.waitForTimeout((Number(seconds) * 1000) / WINDOWS)));
const pictures = await page.evaluate(() => window.pictures);
const delays = (await page.evaluate(() => window.delays)).sort((a, b) => a - b);

const box = await page.locator(".map-canvas").boundingBox();
const [x, y] = [box.x + box.width / 2, box.y + box.height / 3];
await page.mouse.move(x, y);
await page.mouse.down();
await page.evaluate(() => { window.count = 0; const tick = () => { window.count++; requestAnimationFrame(tick); }; requestAnimationFrame(tick); });
let fps = 0;
const panned = await share(async () => {
  const from = await page.evaluate(() => [window.count, performance.now()]);
  for (let k = 0; k < 250; k++) { await page.mouse.move(x + 150 * Math.sin(k / 12), y + 60 * Math.cos(k / 12)); await page.waitForTimeout(12); }
  const to = await page.evaluate(() => [window.count, performance.now()]);
  fps = ((to[0] - from[0]) * 1000) / (to[1] - from[1]);
});
await page.mouse.up();
const at = (part) => delays[Math.min(Math.floor(part * delays.length), delays.length - 1)];
console.log(JSON.stringify({ shares, pictures, fps, panned, p50: at(0.5), p95: at(0.95), frames: delays.length, bytes: await page.evaluate(() => window.bytes) }));
if (process.argv[4]) await page.screenshot({ path: process.argv[4] });
await browser.close();
await server.close();
