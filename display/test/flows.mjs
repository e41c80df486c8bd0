// Real flows in a real browser.  usage: node flows.mjs FLOW ADDRESS [FOLDER FOR SCREENSHOTS]
// Each flow throws at the first thing that is not so; what it prints last is JSON for the test that called it.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { connect, createServer } from "node:net";
import { start } from "./browser.mjs";

const [flow, address, folder] = process.argv.slice(2);
const T0 = 1767225600000;
const PATIENCE_MS = 60_000; // what never comes fails the test; what comes late, on a busy machine, does not
const at = (s) => T0 + s * 1000;
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = await start();
const requests = [];

const here = new Set([address]);

async function open(path, { host = address, axe = false, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1600, height: 900 }, bypassCSP: axe, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.problems = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("websocket", (socket) => requests.push(socket.url()));
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") page.problems.push(message.text()); });
  await page.goto(`http://${host}${path}`);
  return page;
}
const clean = (text) => text.replace(/[\u2066\u2069]/g, ""); // what keeps numbers and units left to right
const banner = (page) => page.locator(".banner").innerText();
/** Let a live run that goes by steps go on to a second: what is waited for comes of that, and not of the clock. */
const go = async (page, s) => assert.equal((await page.request.get(`http://${address}/test/to?s=${s}`)).status(), 204);
const until = (page, text, timeout = PATIENCE_MS) => page.waitForFunction(
  (wanted) => new RegExp(wanted, "s").test((document.querySelector(".banner")?.innerText ?? "").replace(/[\u2066\u2069]/g, "")), text, { timeout });
const replay = (s, more = "") => `/?lang=en&paused=1&t=${at(s)}${more}`;

const flows = {
  // A raid arrives → banner → acknowledge → cancel → all-clear.
  async raid() {
    const page = await open(replay(4.9));
    await until(page, "No alarm");
    const speed = page.locator("select[aria-label='Replay speed']");
    await speed.selectOption("0.1"); // the next alarm is a second of the raid away: on a busy machine too it comes later than a key
    await page.keyboard.press("Escape");
    await speed.blur();
    await page.keyboard.press("Space");
    await until(page, "Block 44.*TAKE SHELTER.*1 unacknowledged");
    assert.equal(await page.locator(".banner [role=alert]").textContent(), "Block 44: TAKE SHELTER");
    assert.equal(await page.locator(".banner .flash-on").count(), 1);
    await page.keyboard.press("a");
    await until(page, "Block 44.*acknowledged");
    assert.equal(await page.locator(".banner .flash-on").count(), 0);
    await speed.selectOption("1");
    await until(page, "Block 55.*unacknowledged"); // it lands first, and it is new
    await page.getByRole("button", { name: /^Acknowledge Block 55/ }).click();
    await speed.selectOption("10");
    await page.locator(".cleared li", { hasText: "Block 55" }).filter({ hasText: "WITHDRAWN" }).waitFor();
    await page.locator(".cleared li", { hasText: "Block 44" }).filter({ hasText: "ALL CLEAR" }).waitFor();
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
      const counted = clean(await page.locator(".banner-side").innerText());
      assert.match(counted, { en: /3 zones in alarm/, fr: /3 zones en alerte/, ar: /3 مناطق في إنذار/ }[lang]); // "few" of six forms
      assert.equal(await page.locator(".clock").evaluate((e) => getComputedStyle(e).direction), "ltr");
      assert.match(await page.locator(".why").innerText(), { en: /engage: 80 %/, fr: /engager\s: 80\s%/, ar: /اعتراض/ }[lang]);
    }
    const indic = await open(`/?lang=ar&digits=arab&paused=1&t=${at(10)}&track=1`);
    await until(indic, "١٠ s");
    assert.match(await indic.locator(".selected h2").innerText(), /1$/); // as the radio says it
    assert.match(await indic.locator(".clock").innerText(), /00:00:10Z/);
    return Object.values(found).flat();
  },
  // axe-core in three languages and three themes, in alarm, calm, and with the dialogs; and the public page in all its states.
  async axe() {
    const violations = [];
    const look = async (page, where) => {
      const result = await page.evaluate(() => window.axe.run(document));
      violations.push(...result.violations.map((v) => `${where} ${v.id}: ${v.nodes.map((n) => n.target.join(" ")).slice(0, 3).join(", ")} ${v.nodes[0].any[0]?.message ?? ""}`));
    };
    const page = await open(replay(10, "&track=1"), { axe: true, reducedMotion: "reduce" });
    await until(page, "Block 55");
    await page.addScriptTag({ content: axeSource });
    for (const lang of ["en", "fr", "ar"]) {
      await page.locator(`.controls select:has(option[value=fr])`).selectOption(lang);
      for (const theme of ["dark", "light", "contrast"]) {
        await page.locator(`.controls select:has(option[value=contrast])`).selectOption(theme);
        await page.waitForFunction(([l, th]) => document.documentElement.lang === l && document.documentElement.dataset.theme === th, [lang, theme]);
        await look(page, `${lang} ${theme}`);
      }
    }
    for (const s of [1, 40]) {
      await page.getByRole("slider").fill(String(s * 1000));
      await page.waitForTimeout(500);
      await look(page, `at ${s} s`);
    }
    for (const key of ["?", "s"]) {
      await page.keyboard.press(key);
      await page.locator("dialog[open]").waitFor();
      await look(page, `dialog ${key}`);
      await page.keyboard.press("Escape");
    }
    const phone = await open("/public?lang=en", { axe: true, viewport: { width: 390, height: 780 } });
    await phone.locator("#what", { hasText: "Choose your zone" }).waitFor();
    await phone.addScriptTag({ content: axeSource });
    await look(phone, "public, no zone");
    await phone.selectOption("#zone", "z44");
    for (const [lang, s] of [["en", 10], ["fr", 30], ["ar", 51]]) {
      await page.getByRole("slider").fill(String(s * 1000));
      await phone.selectOption("#language", lang);
      await phone.waitForTimeout(1600);
      await look(phone, `public ${lang}`);
    }
    assert.deepEqual(violations, []);
    return [];
  },
  // Ten screens, one question: who must act now?  Answered by what is read out of the banner and of the first row alone.
  async screens() {
    const asked = JSON.parse(process.env.SCREENS);
    assert.equal(asked.length, 10);
    const page = await open(replay(0));
    await page.getByRole("slider").waitFor();
    const heard = async (where) => (await where.ariaSnapshot()).replace(/[\u2066\u2069"\n]|- \w+:?|\[[\w=]*\]|\s+/g, " ").replace(/ +/g, " ");
    for (const { what, moment, banner: wanted, row } of asked) {
      await page.getByRole("slider").fill(String(moment * 1000));
      await page.waitForFunction((t) => location.search.includes(`t=${t}`), at(moment));
      const deadline = Date.now() + 5000;
      let said = "";
      while (!new RegExp(wanted).test(said = await heard(page.locator(".banner")))) assert.ok(Date.now() < deadline, `${what}: the banner says ${said}`);
      const first = page.locator(".threats tbody tr:not(.group)").first();
      if (row === null) assert.equal(await first.count(), 0, what);
      else assert.match(await heard(first), new RegExp(row), what);
      if (folder) await page.screenshot({ path: `${folder}/screen-${moment}.png` });
    }
    await page.getByRole("slider").fill("152000"); // two seconds after the last word on the round: nothing is carried on silently
    await page.locator(".threats tr.stale", { hasText: "stale" }).waitFor();
    return page.problems;
  },
  // In grey, what is more urgent is brighter against its ground and larger: banner, then rounds that act, then others.
  async grey() {
    const page = await open(replay(Number(process.env.MOMENT)), { reducedMotion: "reduce" });
    await until(page, "Block 77");
    const canvas = await (await browser.newContext()).newPage();
    for (const theme of ["dark", "light", "contrast"]) {
      await page.locator(".controls select:has(option[value=contrast])").selectOption(theme);
      await page.waitForTimeout(300);
      const weights = [];
      for (const part of [".banner .headline .what", ".threats .acting tr:nth-child(2) .tti", ".threats tbody:last-of-type tr:nth-child(2) .tti"]) {
        const text = await page.locator(part).first().evaluate((e) => parseFloat(getComputedStyle(e).fontSize));
        const shot = (await page.locator(part).first().screenshot()).toString("base64");
        // How far the luminance of a part lies from that of the panel it stands on, and how large it is.
        const away = await canvas.evaluate(async ([data, ground]) => {
          const image = await createImageBitmap(await (await fetch(`data:image/png;base64,${data}`)).blob());
          const c = new OffscreenCanvas(image.width, image.height).getContext("2d");
          c.drawImage(image, 0, 0);
          const linear = (v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4);
          const grey = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
          const pixels = c.getImageData(0, 0, image.width, image.height).data;
          const base = grey(ground);
          let sum = 0;
          for (let k = 0; k < pixels.length; k += 4) {
            const own = grey(pixels.subarray(k, k + 3));
            sum += Math.abs(Math.log((own + 0.05) / (base + 0.05)));
          }
          return sum;
        }, [shot, await page.locator(".threats").evaluate((e) => getComputedStyle(e).backgroundColor.match(/\d+/g).map(Number).slice(0, 3))]);
        weights.push([text, away]);
      }
      for (let k = 1; k < weights.length; k++) {
        assert.ok(weights[k - 1][0] >= 1.5 * weights[k][0], `${theme}: sizes ${JSON.stringify(weights)}`);
        assert.ok(weights[k - 1][1] > weights[k][1], `${theme}: brightness ${JSON.stringify(weights)}`);
      }
    }
    return page.problems;
  },
  // The feed's word that all is well hides no fault that the tracker has found; the dialog says who says what.
  async erring() {
    const page = await open(replay(4.0));
    const radar = page.locator(".chips .chip", { hasText: "north" });
    await radar.waitFor();
    assert.equal(await page.locator(".chips .chip-caution", { hasText: "north" }).count(), 0);
    await page.goto(`http://${address}${replay(6.0)}`);
    await page.locator(".chips .chip-caution", { hasText: /north.*degraded/i }).waitFor();
    assert.equal(await radar.count(), 1);
    await page.keyboard.press("s");
    await page.locator("dialog tr", { hasText: /north.*, errors.*degraded.*errs more than it states/i }).waitFor();
    if (folder) await page.screenshot({ path: `${folder}/erring.png` });
    return page.problems;
  },
  // A round that the simulation has killed will not land: from then on nothing of it counts down, and no path leads on.
  async killed() {
    const page = await open(replay(21, "&track=1"));
    await until(page, "Block 44.*impact in\\s+4 s");
    const row = page.locator(".threats tr", { hasText: /fired|killed/ });
    assert.match(clean(await row.locator(".tti").innerText()), /^4 s/);
    await page.getByRole("slider").fill("23000");
    await row.filter({ hasText: "killed (sim.)" }).waitFor();
    assert.equal(clean(await row.locator(".tti").innerText()).trim(), "–");
    assert.match(clean(await page.locator(".selected dl").nth(1).innerText()), /^Impact in\s+–/);
    const others = page.locator(".threats tr:not(.group)", { hasNot: page.locator("text=killed") });
    assert.match(clean(await others.locator(".tti").first().innerText()), /^9 s/); // those that fly on do
    await page.getByRole("slider").fill("21000");
    await row.filter({ hasText: "fired (sim.)" }).waitFor(); // and before it was killed, it counts
    assert.match(clean(await row.locator(".tti").innerText()), /^4 s/);
    return page.problems;
  },
  // The connection is lost: the screen says so; it comes back to the same moment.
  async reconnect() {
    const page = await open(replay(10));
    await until(page, "Block 55");
    console.log("ready"); // whoever called stops the server now, and starts it again
    await page.locator(".link-bar", { hasText: "CONNECTION LOST" }).waitFor();
    console.log("lost");
    await page.locator(".link-bar").waitFor({ state: "detached" });
    await until(page, "Block 55.*impact in\\s+10 s");
    assert.match(await page.locator(".play").innerText(), /Play/); // still paused
    return [];
  },
  // Consent takes a name and two steps, and stands in the log; a key that is held down or struck twice does nothing.
  async consent() {
    const page = await open("/?lang=en");
    await go(page, 9.5);
    await until(page, "Block 55");
    const asked = page.locator(".asked", { hasText: "CONSENT?" });
    await asked.waitFor();
    assert.match(clean(await asked.innerText()), /Track 1 · compound 80 %.*left/s);
    await page.keyboard.press("e");
    await page.getByText("Give your name first").waitFor();
    await page.getByPlaceholder("Your name").fill("Rana");
    await page.getByPlaceholder("Your name").blur();
    await page.keyboard.down("e");
    await page.keyboard.down("e"); // held: it repeats
    await page.keyboard.up("e");
    const sure = page.getByRole("alertdialog", { name: "Consent to the simulated engagement of track 1?" });
    await sure.waitFor();
    await page.keyboard.press("e");
    assert.equal(await page.getByRole("button", { name: /^Confirm/ }).evaluate((e) => e === document.activeElement), true);
    assert.doesNotMatch(await page.locator(".log").innerText(), /consent/);
    await page.keyboard.press("Escape");
    await sure.waitFor({ state: "detached" });
    await page.keyboard.press("e");
    await sure.waitFor();
    if (folder) await page.screenshot({ path: `${folder}/consent.png` });
    await page.waitForTimeout(400);
    await page.keyboard.press("Enter");
    await page.locator(".log", { hasText: "Rana: consent 1" }).waitFor();
    await page.locator(".actions", { hasText: "in the log, Rana" }).waitFor();
    const veto = page.locator(".actions").getByRole("button", { name: /^Veto/ });
    assert.ok((await veto.boundingBox()).height >= 44);
    await veto.dblclick(); // no double click gets through both steps
    await page.getByRole("alertdialog", { name: /^Veto/ }).waitFor();
    await page.waitForTimeout(400);
    assert.doesNotMatch(await page.locator(".log").innerText(), /veto/);
    await page.getByRole("button", { name: /^Confirm/ }).click();
    await page.locator(".log", { hasText: "Rana: veto 1" }).waitFor();
    await page.keyboard.press("Shift+H");
    await page.getByRole("alertdialog", { name: /Hold ALL/ }).waitFor();
    await page.waitForTimeout(400);
    await page.keyboard.press("Enter");
    await page.getByText("ALL engagements are held").waitFor();
    await page.keyboard.press("Shift+A");
    await until(page, "acknowledged");
    await page.locator(".log", { hasText: "Rana: acknowledge" }).waitFor();
    return page.problems;
  },
  // The same two steps before a simulation that flies: whom a person consents to is engaged, and falls to the effector model.
  async consentFlown() {
    const page = await open("/?lang=en");
    await page.locator(".asked", { hasText: "CONSENT?" }).waitFor({ timeout: 90_000 });
    await page.getByPlaceholder("Your name").fill("Rana");
    await page.getByPlaceholder("Your name").blur();
    await page.keyboard.press("e");
    await page.getByRole("alertdialog", { name: /^Consent to the simulated engagement/ }).waitFor();
    await page.waitForTimeout(400);
    await page.keyboard.press("Enter");
    await page.locator(".log", { hasText: "Rana: consent 1" }).waitFor();
    await page.locator(".log", { hasText: "track 1: engaging" }).waitFor({ timeout: 60_000 });
    await page.locator(".log", { hasText: "track 1: fired" }).waitFor();
    return page.problems;
  },
  // Without a word the time to veto runs out and the model engages; vetoed, it does not.
  async vetoFlown() {
    const page = await open("/?lang=en");
    await page.locator(".asked").filter({ hasText: /WILL BE ENGAGED/ }).waitFor({ timeout: 90_000 });
    await page.keyboard.press("v");
    await page.getByRole("alertdialog", { name: /^Veto/ }).waitFor();
    await page.waitForTimeout(400);
    await page.keyboard.press("Enter");
    await page.locator(".log", { hasText: /veto 1/ }).waitFor();
    await page.locator(".log", { hasText: "track 1: landed" }).waitFor({ timeout: 60_000 });
    assert.doesNotMatch(await page.locator(".log").innerText(), /track 1: (engaging|fired)/);
    return page.problems;
  },
  // A viewer sees everything and changes nothing but this screen.
  async viewer() {
    const page = await open(`/?lang=en&track=1#token=${"b".repeat(32)}`);
    await go(page, 6.5);
    await until(page, "unacknowledged");
    await page.locator(".controls", { hasText: "View only" }).waitFor();
    assert.equal(await page.locator(".actions").count(), 0);
    await page.keyboard.press("e");
    assert.equal(await page.getByRole("alertdialog").count(), 0);
    await page.getByRole("button", { name: /^Silence on this screen: Block/ }).waitFor();
    await page.keyboard.press("Shift+A");
    await until(page, "· acknowledged");
    const operator = await open(`/?lang=en#token=${"a".repeat(32)}`);
    await until(operator, "unacknowledged"); // nobody else's alarm was silenced
    await operator.locator(".controls", { hasText: "Operator Rana K." }).waitFor();
    await operator.keyboard.press("Shift+A");
    await operator.locator(".log", { hasText: "Rana K.: acknowledge" }).waitFor();
    return page.problems;
  },
  // Who looks at the past of a live run is told so, and of what is new at its end.
  async notLive() {
    const page = await open("/?lang=en");
    await go(page, 5.4);
    await until(page, "Block 44");
    assert.equal(await page.locator(".ahead").count(), 0);
    await page.keyboard.press("Space");
    await page.locator(".ahead", { hasText: "NOT LIVE" }).waitFor();
    await go(page, 8.5);
    await page.locator(".ahead-alarm", { hasText: /2 new alarms — Block 55/ }).waitFor();
    assert.doesNotMatch(await banner(page), /Block 55/);
    if (folder) await page.screenshot({ path: `${folder}/not-live.png` });
    await page.keyboard.press("l");
    await page.locator(".ahead").waitFor({ state: "detached" });
    await until(page, "Block 55");
    return page.problems;
  },
  // The line breaks in the middle of a raid: what happened meanwhile is told once, when it comes back.
  async liveBreak() {
    const [host, port] = address.split(":");
    const pairs = new Set();
    let cut = false;
    const relay = createServer((near) => {
      if (cut) { near.destroy(); return; }
      const far = connect(Number(port), host);
      near.pipe(far).pipe(near);
      pairs.add(near);
      for (const end of [near, far]) end.on("error", () => {}).on("close", () => { near.destroy(); far.destroy(); pairs.delete(near); });
    });
    await new Promise((done) => relay.listen(0, "127.0.0.1", done));
    here.add(`127.0.0.1:${relay.address().port}`);
    const page = await open("/?lang=en", { host: `127.0.0.1:${relay.address().port}` });
    await go(page, 5.4);
    await until(page, "Block 44");
    cut = true;
    for (const near of pairs) near.destroy();
    await page.locator(".link-bar", { hasText: /CONNECTION LOST.*old/ }).waitFor();
    await go(page, 9.5);
    cut = false;
    await page.locator(".link-bar").waitFor({ state: "detached" });
    await until(page, "3 zones in alarm.*3 unacknowledged");
    await page.locator(".log", { hasText: "Block 72 warned" }).waitFor();
    const log = await page.locator(".log").innerText();
    for (const zone of ["Block 44", "Block 55", "Block 72"]) assert.equal(log.split(`${zone} warned`).length, 2, `${zone}: ${log}`);
    relay.close();
    return page.problems.filter((text) => !text.includes("WebSocket connection"));
  },
  // A thousand alarms at once: sorted, none lost, and the screen still answers.
  async flood() {
    const page = await open("/?lang=en");
    await page.evaluate(() => {
      window.gaps = [];
      let last = performance.now();
      const step = () => { const now = performance.now(); window.gaps.push(now - last); last = now; requestAnimationFrame(step); };
      requestAnimationFrame(step);
    });
    await go(page, 2.5);
    await until(page, "1,000 zones in alarm.*1,000 unacknowledged");
    await page.waitForFunction(() => document.querySelectorAll(".zone-list li").length === 60);
    const order = await page.locator(".zone-list .zone-time").evaluateAll((all) => all.map((e) => parseInt(e.textContent.replace(/\u2066/g, ""), 10)));
    assert.deepEqual(order, [...order].sort((a, b) => a - b));
    assert.match(await page.locator("[role=alert]").allInnerTexts().then((all) => all.join(" ")), /more zones warned/);
    if (folder) await page.screenshot({ path: `${folder}/flood.png` });
    await page.getByRole("button", { name: /940 more zones in alarm/ }).click();
    await page.waitForFunction(() => document.querySelectorAll(".zone-list li").length === 1000);
    await page.getByRole("button", { name: "Show fewer" }).click();
    await page.getByLabel("Find a zone").fill("zone 0777");
    await page.waitForFunction(() => document.querySelectorAll(".zone-list li").length === 1);
    await page.waitForFunction(() => location.search.includes("zones=zone+0777"));
    await page.getByLabel("Find a zone").fill("");
    await page.getByLabel("Find a zone").blur();
    const began = Date.now();
    await page.keyboard.press("a"); // one alarm by one key
    await until(page, "999 unacknowledged");
    const one = Date.now() - began;
    await page.keyboard.press("Shift+A");
    await until(page, "1,000 zones in alarm.*· acknowledged");
    const gaps = await page.evaluate(() => window.gaps.sort((a, b) => a - b));
    console.log(JSON.stringify({ acknowledged_ms: one, gap_median_ms: gaps[Math.floor(gaps.length / 2)], gap_p95_ms: gaps[Math.floor(gaps.length * 0.95)], gap_max_ms: gaps[gaps.length - 1] }));
    return page.problems;
  },
  // Each stage has a sound of its own; nothing sounds, and the screen says so, until a person has turned it on.
  async sounds() {
    const context = await browser.newContext({ viewport: { width: 1600, height: 900 } });
    await context.addInitScript(() => {
      window.notes = [];
      window.spoken = [];
      const make = AudioContext.prototype.createOscillator;
      AudioContext.prototype.createOscillator = function () {
        const tone = make.call(this);
        const start = tone.start.bind(tone);
        tone.start = (when) => { window.notes.push(tone.frequency.value); start(when); };
        return tone;
      };
      speechSynthesis.getVoices = () => [{ lang: "en-GB" }];
      speechSynthesis.speak = (said) => window.spoken.push(`${said.lang} ${said.text}`);
    });
    const page = await context.newPage();
    await page.goto(`http://${address}${replay(4.6)}`);
    await until(page, "No alarm");
    const button = page.getByRole("button", { name: /Sound/ });
    assert.match(await button.innerText(), /Sound OFF/);
    await page.keyboard.press("m");
    assert.equal(await button.getAttribute("aria-pressed"), "true");
    assert.match(await button.innerText(), /Sound (on|BLOCKED)/);
    const heard = {};
    for (const [stage, from, to] of [["alarm", 4.6, 5.6], ["cancelled", 11.7, 12.7], ["all_clear", 49.7, 50.7], ["degraded", 39.7, 40.7]]) {
      await page.getByRole("slider").fill(String(from * 1000));
      await page.waitForFunction((t) => location.search.includes(`t=${t}`), at(from));
      await page.evaluate(() => { window.notes = []; });
      await page.keyboard.press("Space");
      await page.waitForFunction(() => window.notes.length > 0, undefined, { timeout: PATIENCE_MS }).catch(() => {});
      await page.keyboard.press("Space");
      heard[stage] = (await page.evaluate(() => window.notes)).slice(0, 3).join("-");
    }
    assert.ok(Object.values(heard).every((notes) => notes), JSON.stringify(heard));
    assert.equal(new Set(Object.values(heard)).size, 4, JSON.stringify(heard));
    const spoken = await page.evaluate(() => window.spoken);
    assert.ok(spoken.some((said) => /^en Block 44: TAKE SHELTER/.test(said)), spoken.join("; "));
    assert.ok(spoken.some((said) => /Block 55: WITHDRAWN/.test(said)), spoken.join("; "));
    await page.keyboard.press("m");
    assert.match(await button.innerText(), /Sound OFF/);
    return [];
  },
  // Everything can be reached and seen by keyboard, and nothing moves for those who asked for stillness.
  async keyboard() {
    const page = await open(replay(10), { reducedMotion: "reduce" });
    await until(page, "Block 55");
    const wanted = await page.evaluate(() => [...document.querySelectorAll("a[href], button:not(:disabled), select, input, [tabindex='0']")]
      .filter((e) => e.checkVisibility() && !e.closest("dialog")).map((e, k) => { e.dataset.k = k; return k; }));
    const reached = new Set();
    for (let k = 0; k < wanted.length + 5; k++) {
      await page.keyboard.press("Tab");
      const at = await page.evaluate(() => {
        const e = document.activeElement;
        const shown = e.closest(".strip") ?? e; // the slider is drawn by the strip around it
        return [e.dataset.k, getComputedStyle(shown).outlineStyle, e.className];
      });
      if (at[0] !== undefined) {
        assert.notEqual(at[1], "none", `no focus to be seen on ${at[2]}`);
        reached.add(Number(at[0]));
      }
    }
    assert.deepEqual(wanted.filter((k) => !reached.has(k)), []);
    assert.equal(await page.locator(".flash-on").first().evaluate((e) => getComputedStyle(e).animationName), "none");
    await page.evaluate(() => document.activeElement.blur());
    await page.keyboard.press("?");
    await page.getByRole("dialog", { name: "Keys and symbols" }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("dialog[open]").waitFor({ state: "detached" });
    await page.keyboard.press("s");
    await page.getByRole("dialog", { name: "State of the system" }).getByRole("row", { name: /north/ }).waitFor();
    await page.keyboard.press("Escape");
    await page.locator("dialog[open]").waitFor({ state: "detached" });
    await page.keyboard.press("n");
    await page.locator(".selected h2", { hasText: "2" }).waitFor(); // it lands first
    await page.keyboard.press(".");
    await page.waitForFunction((t) => location.search.includes(`t=${t}`), at(12)); // block 55 is withdrawn
    await page.keyboard.press(",");
    await page.waitForFunction((t) => location.search.includes(`t=${t}`), at(8)); // block 72 was warned
    await page.keyboard.press("a");
    await until(page, "2 unacknowledged");
    for (const button of await page.locator(".ack button").all()) assert.ok((await button.boundingBox()).height >= 44);
    await page.keyboard.press("m");
    await page.locator("button[aria-pressed=true]", { hasText: "Sound" }).waitFor();
    await page.keyboard.press("f");
    const moving = await open(replay(10));
    await until(moving, "Block 55");
    const flash = await moving.locator(".flash-on").first().evaluate((e) => [getComputedStyle(e).animationName, parseFloat(getComputedStyle(e).animationDuration)]);
    assert.notEqual(flash[0], "none");
    assert.ok(flash[1] >= 1 / 3); // never more than three times a second
    return page.problems;
  },
  // Health, stale tracks and old data are told in words.
  async health() {
    const page = await open(replay(31.9));
    await until(page, "Block 72|STAY");
    const chips = page.locator(".health .chips");
    await chips.getByText(/north OK/).waitFor();
    await chips.getByText("no channels").waitFor(); // a replay sends nothing
    await chips.getByText("data time").waitFor();
    await page.getByRole("slider").fill("41000");
    await chips.getByText(/north SILENT .9 s/).waitFor();
    await chips.getByText(/tracking DEGRADED/).waitFor();
    await page.getByRole("slider").fill("55000");
    await chips.getByText(/north LOST/).waitFor();
    await page.keyboard.press("s");
    await page.getByRole("dialog").getByText("slow").waitFor(); // the reason, without a tooltip
    return page.problems;
  },
  async token() {
    const page = await open("/?lang=en#token=wrong");
    await page.locator(".link-bar", { hasText: "Access refused" }).waitFor();
    assert.match(await banner(page), /NOT KNOWN/); // who is told nothing is not told that all is well
    assert.doesNotMatch(await page.locator("body").innerText(), /No alarm|zones? clear/);
    const good = await open(`/?lang=en&t=${at(10)}#token=${"b".repeat(32)}`);
    await until(good, "Block 55");
    assert.doesNotMatch(good.url(), /token/);
    return good.problems;
  },
  // The four modes never look alike, neither to the operator nor to people on the public page.
  async modes() {
    const looks = [];
    let page;
    let phone; // each mode is an origin of its own: of the one before, nothing is kept
    for (const [mode, served] of Object.entries(JSON.parse(process.env.MODES))) {
      here.add(served);
      const look = (e) => { const s = getComputedStyle(e); return [s.backgroundColor, s.borderTopStyle, s.borderTopWidth, s.borderTopColor, s.display].join(" "); };
      if (page) await page.goto(`http://${served}${replay(10)}`);
      else page = await open(replay(10), { host: served });
      await until(page, "Block 55");
      await page.getByRole("slider").fill("10000"); // the public page of a replay shows the moment that somebody went to
      const path = "/public?lang=en&zone=z44";
      if (phone) await phone.goto(`http://${served}${path}`);
      else phone = await open(path, { host: served, viewport: { width: 390, height: 780 } });
      await phone.locator("#what", { hasText: "TAKE SHELTER" }).waitFor();
      looks.push({
        mode, word: await page.locator(".mode").innerText(), look: await page.locator(".mode").evaluate(look),
        strip: await page.locator(".top").evaluate((e) => { const s = getComputedStyle(e); return [s.borderTopColor, s.borderImageSource].join(" "); }),
        publicWord: await phone.locator("#mode").innerText(), publicLook: await phone.locator("#mode").evaluate(look),
      });
    }
    for (const key of ["word", "look", "strip", "publicWord", "publicLook"]) assert.equal(new Set(looks.map((l) => l[key])).size, 4, `${key}: ${JSON.stringify(looks)}`);
    for (const { mode, word, publicWord } of looks) {
      assert.match(word, new RegExp(mode.toUpperCase()));
      assert.match(publicWord, mode === "actual" ? /^$/ : new RegExp(`${mode.toUpperCase()} – not real`));
    }
    return [];
  },
  // Data that no longer come are told, to the operator and to the public, though both are still connected.
  async noData() {
    const page = await open("/?lang=en");
    await page.locator(".health .chip-caution", { hasText: /data .* old/ }).waitFor();
    await page.locator(".link-bar[role=alert]", { hasText: "NO NEW DATA" }).waitFor();
    await until(page, "NOT KNOWN|STAY IN SHELTER");
    const phone = await open("/public?lang=en&zone=z44", { viewport: { width: 390, height: 780 } });
    await phone.locator("#what", { hasText: "CONTACT LOST" }).waitFor();
    return page.problems;
  },
  // A line of 2 kB/s with 0.8 s of delay, on which every other answer is lost: the page comes, and stays in contact.
  async badLine() {
    const operator = await open(replay(10));
    await until(operator, "Block 55");
    await operator.keyboard.press("Shift+ArrowRight"); // somebody looks at 40 s
    await until(operator, "STAY");
    const context = await browser.newContext({ viewport: { width: 390, height: 780 } });
    const page = await context.newPage();
    const line = await context.newCDPSession(page);
    await line.send("Network.enable");
    await line.send("Network.emulateNetworkConditions", { offline: false, latency: 800, downloadThroughput: 2000, uploadThroughput: 2000 });
    let asked = 0;
    await page.route("**/public/state*", (route) => (asked++ % 2 ? route.abort() : route.continue()));
    const began = Date.now();
    await page.goto(`http://${address}/public?lang=en&zone=z44`);
    await page.locator("#what", { hasText: "STAY IN SHELTER" }).waitFor();
    const came = Date.now() - began;
    for (const end = Date.now() + 9000; Date.now() < end; await page.waitForTimeout(200)) {
      assert.doesNotMatch(await page.locator("body").innerText(), /CONTACT LOST/);
    }
    assert.ok(asked >= 4);
    console.log(JSON.stringify({ first_answer_ms: came }));
    return [];
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
    const what = (text) => page.locator("#what", { hasText: text }).waitFor();
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
    await page.locator("#lost", { hasText: "CONTACT PERDU" }).waitFor();
    assert.match(await page.locator("#what").innerText(), /À L’ABRI/);
    if (folder) await page.screenshot({ path: `${folder}/public-lost.png` });
    await page.context().setOffline(false);
    await page.locator("#lost:empty").waitFor({ state: "attached" });
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
  const foreign = requests.filter((url) => !["http:", "ws:"].includes(new URL(url).protocol) || !here.has(new URL(url).host)).filter((url) => !url.startsWith("data:"));
  assert.deepEqual(foreign, [], "a request left the machine");
  console.log(`ok ${flow}`);
} finally {
  await browser.close();
}
