// What a full screen costs a browser without GPU: CPU seconds of all its processes, and frames a second while panning.
import { execFileSync } from "node:child_process";
import { chromium } from "playwright-core";

const [address, seconds] = process.argv.slice(2);
const server = await chromium.launchServer({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const browser = await chromium.connect(server.wsEndpoint());
const page = await browser.newPage({ viewport: { width: 1920, height: 1080 } });
let bytes = 0;
page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => { if (typeof payload !== "string" && payload.readUInt32LE(0) === 1) bytes = payload.length; }));
await page.goto(`http://${address}/?lang=en`);
await page.waitForTimeout(4000);

function cpuSeconds() {
  const rows = execFileSync("ps", ["-eo", "pid,ppid,cputimes,args"], { encoding: "utf8" }).trim().split("\n").slice(1).map((row) => row.trim().split(/\s+/));
  const ours = new Set([String(server.process().pid)]);
  for (let changed = true; changed; ) {
    changed = false;
    for (const [pid, ppid] of rows) if (ours.has(ppid) && !ours.has(pid)) { ours.add(pid); changed = true; }
  }
  return rows.filter(([pid]) => ours.has(pid)).reduce((sum, row) => sum + Number(row[2]), 0);
}
const before = cpuSeconds();
const began = Date.now();
await page.waitForTimeout(Number(seconds) * 1000);
const share = (cpuSeconds() - before) / ((Date.now() - began) / 1000);

await page.evaluate(() => { window.count = 0; const tick = () => { window.count++; requestAnimationFrame(tick); }; requestAnimationFrame(tick); });
const box = await page.locator(".map-canvas").boundingBox();
const [x, y] = [box.x + box.width / 2, box.y + box.height / 3];
await page.mouse.move(x, y);
await page.mouse.down();
const from = await page.evaluate(() => [window.count, performance.now()]);
for (let k = 0; k < 150; k++) { await page.mouse.move(x + 150 * Math.sin(k / 12), y + 60 * Math.cos(k / 12)); await page.waitForTimeout(12); }
const to = await page.evaluate(() => [window.count, performance.now()]);
await page.mouse.up();
console.log(JSON.stringify({ share, fps: ((to[0] - from[0]) * 1000) / (to[1] - from[1]), bytes }));
await browser.close();
await server.close();
