// Real flows in a real browser.  usage: node flows.mjs FLOW ADDRESS [FOLDER FOR SCREENSHOTS]
// Each flow throws at the first thing that is not so; what it prints last is JSON for the test that called it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [flow, address, folder] = process.argv.slice(2);
const T0 = 1767225600000;
const at = (s) => T0 + s * 1000;
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
});
const requests = [];

async function open(path, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1600, height: 900 }, bypassCSP: Boolean(options.axe), ...options });
  const page = await context.newPage();
  page.problems = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("websocket", (socket) => requests.push(socket.url()));
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") page.problems.push(message.text()); });
  await page.goto(`http://${address}${path}`);
  return page;
}
const banner = (page) => page.locator(".banner").innerText();
const until = (page, text, timeout = 15_000) => page.waitForFunction(
  (wanted) => new RegExp(wanted, "s").test((document.querySelector(".banner")?.innerText ?? "").replace(/[\u2066\u2069]/g, "")), text, { timeout });
const replay = (s, more = "") => `/?lang=en&paused=1&t=${at(s)}${more}`;

const flows = {
  // A raid arrives → banner → acknowledge → cancel → all-clear.
  async raid() {
    const page = await open("/?lang=en&paused=1");
    await until(page, "No alarm");
    await page.keyboard.press("Space");
    await until(page, "Block 44.*TAKE SHELTER.*1 unacknowledged");
    assert.equal(await page.locator(".banner [role=alert]").textContent(), "Block 44: TAKE SHELTER");
    assert.equal(await page.locator(".banner .flash-on").count(), 1);
    await page.keyboard.press("a");
    await until(page, "Block 44.*acknowledged");
    assert.equal(await page.locator(".banner .flash-on").count(), 0);
    await until(page, "Block 55.*unacknowledged"); // it lands first, and it is new
    await page.getByRole("button", { name: /^Acknowledge Block 55/ }).click();
    await page.locator(".speed, select[aria-label='Replay speed']").first().selectOption("10");
    await page.locator(".cleared li", { hasText: "Block 55" }).filter({ hasText: "WITHDRAWN" }).waitFor();
    await page.locator(".cleared li", { hasText: "Block 44" }).filter({ hasText: "ALL CLEAR" }).waitFor({ timeout: 20_000 });
    await until(page, "No alarm");
    return page.problems;
  },
  // On a seek every panel shows what was known at that moment.
  async seek() {
    const page = await open(replay(10, "&track=1"));
    await until(page, "Block 55.*impact in\\s+10 s");
    assert.match(await page.locator(".selected").innerText(), /Decision\s+hold/);
    assert.equal(await page.locator(".zone-list li").count(), 3);
    await page.keyboard.press("Shift+ArrowRight"); // 40 s
    await until(page, "STAY IN SHELTER");
    assert.match(await page.locator(".selected").innerText(), /not in the air/);
    await page.getByRole("slider").focus();
    await page.getByRole("slider").fill("15000");
    await until(page, "Block 44.*impact in\\s+10 s");
    await page.locator(".selected", { hasText: /engaging/ }).waitFor();
    assert.match(await page.locator(".log").innerText(), /Block 55: warning withdrawn/);
    await page.waitForFunction((t) => location.search.includes(`t=${t}`), at(15));
    const again = await open(`${new URL(page.url()).pathname}${new URL(page.url()).search}`);
    await until(again, "Block 44.*impact in\\s+10 s"); // the address alone leads to the same moment
    return page.problems;
  },
  async languages() {
    const found = {};
    for (const [lang, words, dir] of [["en", "TAKE SHELTER", "ltr"], ["fr", "À L’ABRI", "ltr"], ["ar", "إلى الملجأ", "rtl"]]) {
      const page = await open(`/?lang=${lang}&paused=1&t=${at(10)}&track=1`);
      await until(page, words);
      assert.equal(await page.locator("html").getAttribute("dir"), dir);
      assert.equal(await page.locator("html").getAttribute("lang"), lang);
      assert.equal(await page.locator(".map").evaluate((e) => getComputedStyle(e).direction), "ltr");
      assert.equal(await page.locator(".timeline").evaluate((e) => getComputedStyle(e).direction), "ltr");
      const [list, side] = [await page.locator(".threats").boundingBox(), await page.locator(".side").boundingBox()];
      assert.equal(list.x < side.x, dir === "ltr");
      if (folder) await page.screenshot({ path: `${folder}/${lang}.png` });
      found[lang] = page.problems;
    }
    return Object.values(found).flat();
  },
  // axe-core in three languages and three themes, alarm and calm.
  async axe() {
    const violations = [];
    for (const [lang, theme, s] of [["en", "dark", 10], ["fr", "light", 10], ["ar", "contrast", 10], ["ar", "dark", 1], ["en", "light", 40]]) {
      const page = await open(`/?lang=${lang}&theme=${theme}&paused=1&t=${at(s)}&track=1`, { axe: true, reducedMotion: "reduce" });
      await page.locator(".threats table").waitFor();
      await page.waitForTimeout(600);
      await page.addScriptTag({ content: axeSource });
      const result = await page.evaluate(() => window.axe.run(document));
      violations.push(...result.violations.map((v) => `${lang} ${theme} ${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")} ${v.nodes[0].any[0]?.message ?? ""}`));
      await page.context().close();
    }
    const page = await open("/public?lang=en&zone=z44", { axe: true });
    await page.waitForTimeout(800);
    await page.addScriptTag({ content: axeSource });
    violations.push(...(await page.evaluate(() => window.axe.run(document))).violations.map((v) => `public ${v.id}`));
    assert.deepEqual(violations, []);
    return [];
  },
  // Ten screens, one question: who must act now?  Answered by the banner and by the first row of the list alone.
  async twoSeconds() {
    const asked = [[1, "No alarm", null], [5.2, "Block 44.*TAKE SHELTER.*20 s", 1], [6.2, "Block 55.*14 s", 2], [9, "Block 55.*11 s", 2],
      [13, "Block 44.*TAKE SHELTER.*12 s", 1], [20, "Block 44.*5 s", 1], [24.5, "Block 44.*1 s", 1], [26, "Block 72.*6 s", 3], [34, "STAY IN SHELTER", null], [58, "No alarm", null]];
    const page = await open(replay(0));
    await page.getByRole("slider").waitFor();
    for (const [s, words, first] of asked) {
      await page.getByRole("slider").fill(String(s * 1000));
      await until(page, words);
      if (first !== null) await page.waitForFunction((id) => document.querySelector(".threats tbody tr:not(.group) bdi")?.textContent === String(id), first);
    }
    return page.problems;
  },
  // The connection is lost: the screen says so; it comes back to the same moment.
  async reconnect() {
    const page = await open(replay(10));
    await until(page, "Block 55");
    console.log("ready"); // whoever called stops the server now, and starts it again
    await page.locator(".link-bar", { hasText: "CONNECTION LOST" }).waitFor({ timeout: 20_000 });
    console.log("lost");
    await page.locator(".link-bar").waitFor({ state: "detached", timeout: 30_000 });
    await until(page, "Block 55.*impact in\\s+10 s");
    assert.match(await page.locator(".play").innerText(), /Play/); // still paused
    return [];
  },
  // Consent takes two steps, and stands in the log.
  async consent() {
    const page = await open("/?lang=en&track=1");
    await until(page, "Block 44");
    await page.getByRole("button", { name: /^Consent/ }).waitFor();
    await page.keyboard.press("e");
    await page.getByRole("button", { name: /Confirm: Consent/ }).waitFor();
    assert.doesNotMatch(await page.locator(".log").innerText(), /operator/);
    await page.keyboard.press("e");
    await page.locator(".log", { hasText: "operator: consent" }).waitFor();
    await page.getByRole("button", { name: /^Veto/ }).click();
    await page.getByRole("button", { name: /Confirm: Veto/ }).click();
    await page.locator(".log", { hasText: "operator: veto" }).waitFor();
    await page.keyboard.press("Shift+A");
    await until(page, "acknowledged");
    await page.locator(".log", { hasText: "operator: acknowledge" }).waitFor();
    return page.problems;
  },
  async token() {
    const page = await open("/?lang=en#token=wrong");
    await page.locator(".link-bar", { hasText: "Access refused" }).waitFor();
    const good = await open(`/?lang=en&t=${at(10)}#token=${"b".repeat(32)}`);
    await until(good, "Block 55");
    assert.doesNotMatch(good.url(), /token/);
    return good.problems;
  },
  // The four modes never look alike.
  async mode() {
    const page = await open(replay(10));
    await until(page, "Block 55");
    const chip = page.locator(".mode");
    const look = await chip.evaluate((e) => { const s = getComputedStyle(e); return [s.backgroundColor, s.borderTopStyle, s.borderTopWidth, s.borderTopColor].join(" "); });
    console.log(JSON.stringify({ word: await chip.innerText(), look }));
    return page.problems;
  },
  // Magnified to 200 %, nothing is cut off at the side, and the banner stays in sight.
  async magnified() {
    const page = await open(replay(10, "&track=1"), { viewport: { width: 800, height: 450 } });
    await until(page, "Block 55");
    assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
    for (const name of [".threats", ".map", ".zones", ".selected", ".log", ".timeline"]) {
      await page.locator(name).scrollIntoViewIfNeeded();
      assert.ok(await page.locator(".banner").evaluate((e) => e.getBoundingClientRect().top >= -1));
    }
    return page.problems;
  },
  // What people in the zones see on a phone: what to do, seconds left, the end; and that contact is lost.
  async publicPage() {
    const operator = await open(replay(10));
    await until(operator, "Block 55");
    const to = async (s) => {
      await operator.getByRole("slider").fill(String(s * 1000));
      await operator.waitForFunction((t) => location.search.includes(`t=${t}`), at(s));
    };
    await to(5.2);
    const page = await open("/public?lang=en&zone=z44", { viewport: { width: 390, height: 780 } });
    const what = (text) => page.locator("#what", { hasText: text }).waitFor({ timeout: 15_000 });
    await what("TAKE SHELTER");
    assert.match(await page.locator("#when").innerText(), /20/);
    assert.match(await page.locator("#mode").innerText(), /SIMULATION – not real/);
    assert.equal(await page.locator("#more").innerText(), "");
    if (folder) await page.screenshot({ path: `${folder}/public.png` });
    await to(15); // ten seconds left, and shelter takes fifteen
    await page.getByText("Drop and cover where you are").waitFor();
    await page.selectOption("#language", "ar");
    await what("إلى الملجأ");
    assert.equal(await page.locator("html").getAttribute("dir"), "rtl");
    if (folder) await page.screenshot({ path: `${folder}/public-ar.png` });
    await page.selectOption("#language", "fr");
    await what("À L’ABRI");
    assert.equal(await page.locator("#sound").getAttribute("aria-pressed"), "false");
    await page.locator("#sound").click();
    assert.match(await page.locator("#sound").innerText(), /Son actif/);
    await page.context().setOffline(true); // an alarm outlives the contact
    await page.locator("#lost", { hasText: "CONTACT PERDU" }).waitFor({ timeout: 15_000 });
    assert.match(await page.locator("#what").innerText(), /À L’ABRI/);
    if (folder) await page.screenshot({ path: `${folder}/public-lost.png` });
    await page.context().setOffline(false);
    await page.locator("#lost:empty").waitFor({ state: "attached", timeout: 15_000 });
    await page.selectOption("#language", "en");
    await to(30);
    await what("STAY IN SHELTER");
    await to(51);
    await what("ALL CLEAR");
    await page.selectOption("#zone", "z55");
    await what("Warning withdrawn");
    await page.selectOption("#zone", "z00");
    await what("No alarm");
    await page.context().setOffline(true);
    await what("CONTACT LOST"); // silence is not an all-clear
    return page.problems.filter((text) => !text.includes("ERR_INTERNET_DISCONNECTED"));
  },
};

try {
  const problems = await flows[flow]();
  assert.deepEqual(problems, []);
  const foreign = requests.filter((url) => !["http:", "ws:"].includes(new URL(url).protocol) || new URL(url).host !== address).filter((url) => !url.startsWith("data:"));
  assert.deepEqual(foreign, [], "a request left the machine");
  console.log(`ok ${flow}`);
} finally {
  await browser.close();
}
