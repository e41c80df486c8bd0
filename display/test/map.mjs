// What the map draws, looked at pixel by pixel.  usage: node map.mjs FLOW ADDRESS [JSON]; run by tests/display/test_display_map.py.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { start } from "./browser.mjs";

const [flow, address, given] = process.argv.slice(2);
const T0 = 1767225600000;
const browser = await start();
const requests = [];

async function open(query) {
  const page = await (await browser.newContext({ viewport: { width: 1600, height: 900 } })).newPage();
  page.setDefaultTimeout(60_000);
  page.problems = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("websocket", (socket) => requests.push(socket.url()));
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") page.problems.push(message.text()); });
  return load(page, query);
}
async function load(page, query) {
  await page.goto(`http://${address}/?lang=en&paused=1&${query}`);
  await page.locator(".map-canvas canvas").nth(2).waitFor();
  await page.waitForFunction(() => document.fonts.status === "loaded" && document.querySelector(".banner:not(:has(.unknown))"));
  await drawn(page);
  return page;
}

/** Mean colour, and how many pixels are not blank, of a canvas of the map: 0 the country, 1 what changes seldom, 2 what moves. */
const canvas = (page, which) => page.evaluate((k) => {
  const c = document.querySelectorAll(".map-canvas canvas")[k];
  const { data } = c.getContext("2d").getImageData(0, 0, c.width, c.height);
  const sum = [0, 0, 0];
  let drawn = 0;
  for (let i = 0; i < data.length; i += 4) if (data[i + 3]) { drawn++; for (let j = 0; j < 3; j++) sum[j] += data[i + j]; }
  return { share: drawn / (c.width * c.height), colour: sum.map((s) => s / Math.max(drawn, 1)), width: c.width, height: c.height };
}, which);

/** Wait until what has been asked for is on the canvases: the picture after next. */
const drawn = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))));

const flows = {
  // The site's own base map is drawn, can be switched off, follows the theme, and nothing is asked of anybody else.
  async basemap() {
    const page = await open(`t=${T0 + 10_000}&view=0,0,12`);
    let dark = await canvas(page, 0);
    for (const end = Date.now() + 60_000; dark.share <= 0.05 && Date.now() < end; dark = await canvas(page, 0)) await page.waitForTimeout(200); // tiles come
    assert.ok(dark.share > 0.05, `the country covers ${dark.share}`);
    assert.ok(dark.colour.every((part) => part < 90), `dark: ${dark.colour}`);
    await page.locator("select").filter({ hasText: "Light" }).selectOption("light");
    let light = dark;
    for (const end = Date.now() + 60_000; light.colour[0] < 90 && Date.now() < end; light = await canvas(page, 0)) await page.waitForTimeout(200);
    assert.ok(light.colour.every((part) => part > 170), `light: ${light.colour}`);
    await page.getByRole("button", { name: "base map" }).click();
    await drawn(page);
    assert.equal((await canvas(page, 0)).share, 0);
    assert.ok(requests.some((url) => url.includes("/basemap/")));
    return page.problems;
  },
  // What the terrain hides from the radar is hatched when somebody asks for it, the less the higher it flies; and words say so.
  async coverage() {
    const page = await open(`t=${T0 + 1000}&view=0,0,20&layers=labels.trails.zones.ellipses.rings`);
    const bare = (await canvas(page, 1)).share;
    assert.equal(await page.locator(".legend-box").count(), 0);
    assert.ok(!requests.some((url) => url.endsWith("/coverage")), "nobody has asked for it");
    await page.getByRole("button", { name: "coverage" }).click();
    const legend = page.getByRole("group", { name: "coverage" });
    await legend.getByText("hidden from every radar by the terrain").waitFor();
    await legend.getByRole("status").waitFor({ state: "detached" });
    const shares = [];
    for (const above of ["200", "500", "1000", "2000"]) {
      await legend.getByRole("combobox").selectOption(above);
      await page.waitForFunction((m) => location.search.includes(`above=${m}`) || m === "500", above);
      await drawn(page);
      shares.push((await canvas(page, 1)).share - bare);
    }
    console.log(JSON.stringify({ shares }));
    assert.ok(shares[0] > 2 * shares[1] && shares[1] > 0.001 && shares[2] <= shares[1] && shares[3] <= shares[2], `${shares}`);
    await page.waitForFunction(() => location.search.includes("above=2000"));
    if (process.argv[5]) {
      await legend.getByRole("combobox").selectOption("200");
      await drawn(page);
      await page.screenshot({ path: `${process.argv[5]}/coverage.png` });
    }
    await page.getByRole("button", { name: "coverage" }).click();
    await drawn(page);
    assert.equal((await canvas(page, 1)).share, bare);
    return page.problems;
  },
  async coverageFlat() {
    const page = await open(`t=${T0 + 1000}&layers=coverage`);
    await page.getByRole("group", { name: "coverage" }).getByText("no terrain").waitFor();
    assert.ok(!requests.some((url) => url.endsWith("/coverage")));
    return page.problems;
  },
  // Seen in grey, every round that acts on people has brighter light, and more of it, than any that does not.
  async grey() {
    const { tracks, theme, app6 } = JSON.parse(given);
    const off = ["labels", "trails", "zones", "ellipses", "rings", ...(app6 ? ["app6"] : [])].join(".");
    const light = [];
    let page;
    for (const { id, east, north } of tracks) { // each in the middle of the screen, away from the others
      const query = `t=${T0 + 14_000}&view=${east},${north},1&layers=${off}&theme=${theme}`;
      page = page ? await load(page, query) : await open(query);
      light.push(await page.evaluate((track) => {
        const c = document.querySelectorAll(".map-canvas canvas")[2];
        const [w, h, r] = [c.width, c.height, 15];
        const { data } = c.getContext("2d").getImageData(Math.round(w / 2 - r), Math.round(h / 2 - r), 2 * r, 2 * r);
        const ground = getComputedStyle(c).getPropertyValue("--ground").trim().slice(1).match(/../g).map((part) => parseInt(part, 16));
        const lit = (parts) => {
          const [red, green, blue] = parts.map((part) => { const v = part / 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; });
          return 0.2126 * red + 0.7152 * green + 0.0722 * blue + 0.05;
        };
        let [most, all] = [1, 0];
        for (let i = 0; i < data.length; i += 4) {
          const share = data[i + 3] / 255;
          const ratio = lit([0, 1, 2].map((j) => share * data[i + j] + (1 - share) * ground[j])) / lit(ground);
          const salience = Math.max(ratio, 1 / ratio);
          most = Math.max(most, salience);
          all += salience - 1;
        }
        return { id: track, most, all };
      }, id));
      assert.deepEqual(page.problems, []);
    }
    console.log(JSON.stringify(light));
    return [];
  },
};

/** The player within the page: what its banner says. */
async function player(page) {
  await page.locator("iframe").waitFor();
  const frame = await (await page.locator("iframe").elementHandle()).contentFrame();
  await frame.locator(".banner").waitFor();
  return { frame, banner: (text) => frame.waitForFunction((wanted) => document.querySelector(".banner").innerText.replace(/[\u2066\u2069]/g, "").includes(wanted), text) };
}
async function bare() {
  const page = await (await browser.newContext({ viewport: { width: 1200, height: 900 } })).newPage();
  page.problems = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => page.problems.push(String(error)));
  page.on("console", (message) => { if (message.type() === "error") page.problems.push(message.text()); });
  return page;
}
Object.assign(flows, {
  // The report opens the display at the second that its address asks for, under its own policy, and it plays.
  async report() {
    const { address: file, words, plays } = JSON.parse(given);
    const page = await bare();
    await page.goto(`${file}#t=8`);
    const { frame, banner } = await player(page);
    await banner(words);
    if (!plays) return page.problems;
    assert.match(await frame.locator(".clock").first().innerText(), /00:00:0[89]|00:00:1\d/);
    await frame.locator(".timeline select").selectOption("20");
    await frame.waitForFunction(() => /00:00:[2-5]\d/.test(document.querySelector(".clock").innerText));
    await frame.locator(".timeline select").selectOption("0.1"); // at its beginning it stays, however busy the machine is
    await frame.locator(".timeline input[type=range]").fill("0");
    await frame.waitForFunction(() => !document.querySelector(".banner-alarm, .banner-acked"));
    const slow = await frame.evaluate(async () => { // seeks all over the recording: each until its picture is there
      const strip = document.querySelector(".timeline input[type=range]");
      let worst = 0;
      for (let k = 1; k <= 20; k++) {
        const began = performance.now();
        strip.value = String(((k * 7) % 20) / 20 * Number(strip.max));
        strip.dispatchEvent(new Event("input", { bubbles: true }));
        await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
        worst = Math.max(worst, performance.now() - began);
      }
      return worst;
    });
    console.log(`slowest seek ${slow.toFixed(0)} ms`);
    await page.emulateMedia({ media: "print" });
    assert.equal(await page.locator("#replay").isVisible(), false);
    return page.problems;
  },
  // A notebook's widget draws the same page, in a frame as high as it is told.
  async widget() {
    const { esm, traits } = JSON.parse(readFileSync(JSON.parse(given).held, "utf8"));
    const page = await bare();
    await page.goto("about:blank");
    await page.evaluate(async ([code, held]) => {
      const { default: widget } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
      const heard = {};
      const model = { get: (name) => held[name], on: (name, call) => { heard[name] = call; }, off: (name) => { delete heard[name]; } };
      window.end = widget.render({ model, el: document.body });
      window.change = (name, value) => { held[name] = value; heard[`change:${name}`](); };
      window.heard = heard;
    }, [esm, traits]);
    const { banner } = await player(page);
    await banner("TAKE SHELTER");
    await page.evaluate(() => window.change("height_px", 700));
    assert.equal((await page.locator("iframe").boundingBox()).height, 702); // with its edge
    await page.evaluate(() => window.end());
    assert.deepEqual(await page.evaluate(() => Object.keys(window.heard)), []);
    return page.problems;
  },
});

let failed = null;
try {
  assert.deepEqual(await flows[flow](), []);
  const elsewhere = requests.filter((url) => !/^(https?|wss?):/.test(url) ? !/^(data|blob|about|file):/.test(url) : new URL(url).host !== address);
  assert.deepEqual(elsewhere, [], "something was asked of another host");
  console.log(`ok ${flow}`);
} catch (error) {
  failed = error;
}
await browser.close();
if (failed) throw failed;
