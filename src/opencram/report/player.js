"use strict";
/* The replay: at each time, what was known then.  It draws into the map's own picture, reads the one data
   block of the page, and needs nothing else.  Text goes in as text nodes only. */
(() => {
  const block = document.getElementById("raid");
  const map = document.getElementById("picture");
  const panel = document.getElementById("player");
  if (!block || !map || !panel) return;
  const raid = JSON.parse(block.textContent);
  const words = raid.words;
  const live = document.getElementById("live");
  const scrub = document.getElementById("scrub");
  const play = document.getElementById("play");
  const known = document.getElementById("known");
  const stillAside = document.querySelector(".still-aside");
  const ROWS_MAX = 14;
  const TRACK_STRIDE = 3; // t, x, y
  let now = 0;
  let timer = 0;
  let last = 0;

  // ---- what holds at a time

  /** Return the last entry whose first element is not after t, or null. */
  const upTo = (entries, t) => {
    let low = 0;
    let high = entries.length;
    while (low < high) {
      const half = (low + high) >> 1;
      if (entries[half][0] <= t) low = half + 1;
      else high = half;
    }
    return low ? entries[low - 1] : null;
  };

  /** Return the points of a trail up to t as path data, and the last of them. */
  const trailTo = (trail, t) => {
    const parts = [];
    let at = null;
    for (let i = 0; i < trail.length && trail[i] <= t; i += TRACK_STRIDE) {
      at = [trail[i + 1], trail[i + 2]];
      parts.push(`${at[0]} ${at[1]}`);
    }
    return { d: parts.length > 1 ? `M${parts.join("L")}` : "", at };
  };

  const clockOf = (t) => {
    const tenths = Math.floor((raid.start_ms + t) / 100);
    const pad = (value) => String(value).padStart(2, "0");
    const day = Math.floor(tenths / 10) % 86400;
    return `${pad(Math.floor(day / 3600))}:${pad(Math.floor(day / 60) % 60)}:${pad(day % 60)}.${tenths % 10}`;
  };
  const secondsOf = (ms) => `${(ms / 1000).toFixed(1)} s`;
  const say = (key, values = {}) =>
    (words[key] || key).replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));

  // ---- drawing

  const svg = (tag, attributes, text) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
    if (text !== undefined) node.textContent = text;
    return node;
  };

  /** Find a free place for a label beside a point: eight sides, near and far; null if all are taken. */
  const placeLabel = (taken, text, x, y, size, centre = false) => {
    const wide = text.length * size * 0.6;
    const high = size * 1.15;
    for (const gap of [10, 22]) {
      const sides = [
        [x + gap, y], [x - gap - wide, y], [x - wide / 2, y - gap - high / 2], [x - wide / 2, y + gap + high / 2],
        [x + gap * 0.7, y - gap], [x + gap * 0.7, y + gap], [x - gap * 0.7 - wide, y - gap], [x - gap * 0.7 - wide, y + gap],
      ];
      if (centre) sides.unshift([x - wide / 2, y], [x - wide / 2, y - 14], [x - wide / 2, y + 14]);
      for (const [left, middle] of sides) {
        const box = [left, middle - high / 2, left + wide, middle + high / 2];
        const out = box[0] < 4 || box[1] < 4 || box[2] > raid.width - 4 || box[3] > raid.height - 4;
        if (!out && !taken.some((b) => box[0] < b[2] && b[0] < box[2] && box[1] < b[3] && b[1] < box[3])) {
          taken.push(box);
          return [left, middle + size * 0.35];
        }
      }
    }
    return null;
  };

  const diamond = (x, y, r) => `M${x} ${y - r}L${x + r} ${y}L${x} ${y + r}L${x - r} ${y}Z`;

  /** Draw one projectile as known at t; return its row for the table, or null. */
  const drawTrack = (track, t, layer, taken) => {
    if (t < track.trail[0]) return null;
    const { d, at } = trailTo(track.trail, t);
    const over = t >= track.end || t > track.to;
    const estimate = upTo(track.estimates, t);
    const decision = upTo(track.decisions, t);
    const shot = upTo(track.engaged, t);
    const action = decision ? decision[1] : "";
    if (d) layer.under.append(svg("path", { d, class: "live-trail" }));
    if (estimate && t >= track.from) {
      const [, x, y, rx, ry, turn] = estimate;
      layer.under.append(svg("ellipse", { cx: x, cy: y, rx, ry, transform: `rotate(${turn} ${x} ${y})`, class: "ellipse" }));
      layer.over.append(svg("path", { d: `M${x - 5} ${y}h10M${x} ${y - 5}v10`, class: "halo" }));
      layer.over.append(svg("path", { d: `M${x - 5} ${y}h10M${x} ${y - 5}v10`, class: "predicted" }));
    }
    if (over) return null;
    if (!at) return null;
    const threat = action === "engage";
    const state = t < track.from ? "tentative" : threat ? "threat" : "";
    const mark = { d: diamond(at[0], at[1], threat ? 7 : 5.5), class: `live-track ${state}` };
    if (t < track.from) mark["stroke-dasharray"] = "2 2";
    layer.over.append(svg("path", mark));
    if (shot || threat) layer.over.append(svg("circle", { cx: at[0], cy: at[1], r: 11, class: "engaged" }));
    layer.labels.push([`${track.id}`, at[0], at[1], threat]);
    taken.push([at[0] - 7, at[1] - 7, at[0] + 7, at[1] + 7]);
    if (t < track.from) return null;
    const left = estimate ? estimate[6] - t : Infinity;
    return { id: track.id, kind: track.kind, left, size: estimate ? estimate[7] : null, action };
  };

  const drawOther = (track, t, layer) => {
    if (t < track.trail[0] || t > track.to) return;
    const { d, at } = trailTo(track.trail, t);
    if (d) layer.under.append(svg("path", { d, class: "trail other" }));
    if (at) layer.labels.push([`${track.id} ${track.kind}`, at[0], at[1], false]);
  };

  /** Mark the zones in alarm at t; return their rows, the most urgent first. */
  const drawZones = (t, layer, taken) => {
    for (const node of map.querySelectorAll(".told.alarm")) node.classList.remove("alarm");
    const rows = [];
    for (const alarm of raid.zones) {
      if (t < alarm.from || t >= alarm.to) continue;
      const phase = upTo(alarm.phases, t);
      const node = document.getElementById(`zone-${alarm.zone}`);
      if (node) node.classList.add("alarm");
      const left = phase[2] - t;
      rows.push({ name: alarm.name, left, advice: phase[3] });
      if (alarm.at) layer.alarms.push([`▲ ${left > 0 ? secondsOf(left) : ""}`.trim(), alarm.at[0], alarm.at[1]]);
    }
    rows.sort((a, b) => (a.left <= 0) - (b.left <= 0) || a.left - b.left || (a.name < b.name ? -1 : 1));
    return rows;
  };

  const draw = (t) => {
    const layer = { under: svg("g", {}), over: svg("g", {}), labels: [], alarms: [] };
    const taken = raid.marks.slice();
    const zones = drawZones(t, layer, taken);
    for (const track of raid.others) drawOther(track, t, layer);
    const rows = raid.tracks.map((track) => drawTrack(track, t, layer, taken)).filter(Boolean);
    rows.sort((a, b) => a.left - b.left || a.id - b.id);
    layer.labels.sort((a, b) => b[3] - a[3]);
    const text = svg("g", {});
    for (const [content, x, y] of layer.labels) {
      const at = placeLabel(taken, content, x, y, 13);
      if (at) text.append(svg("text", { x: at[0], y: at[1], class: "live-label", "font-size": 13 }, content));
    }
    for (const [content, x, y] of layer.alarms) {
      const at = placeLabel(taken, content, x, y, 11.5, true);
      if (at) text.append(svg("text", { x: at[0], y: at[1], class: "alarm-label", "font-size": 11.5 }, content));
    }
    live.replaceChildren(layer.under, layer.over, text);
    fillTracks(rows);
    fillZones(zones);
  };

  // ---- tables beside the map

  const row = (cells, kind) => {
    const line = document.createElement("tr");
    if (kind) line.className = kind;
    cells.forEach((content, index) => {
      const cell = document.createElement(index ? "td" : "th");
      if (!index) cell.scope = "row";
      cell.textContent = content;
      line.append(cell);
    });
    return line;
  };

  const fill = (id, lines, empty, columns) => {
    const body = document.getElementById(id);
    const shown = lines.slice(0, ROWS_MAX);
    const note = lines.length ? (lines.length > ROWS_MAX ? say("player.more", { more: lines.length - ROWS_MAX }) : "") : empty;
    if (note) {
      const line = document.createElement("tr");
      const cell = document.createElement("td");
      cell.colSpan = columns;
      cell.className = "quiet";
      cell.textContent = note;
      line.append(cell);
      shown.push(line);
    }
    body.replaceChildren(...shown);
  };

  const fillTracks = (rows) => {
    const lines = rows.map((r) =>
      row([
        `${r.id} ${r.kind}`,
        Number.isFinite(r.left) ? secondsOf(Math.max(r.left, 0)) : "–",
        r.size === null ? "–" : `±${r.size < 10 ? r.size.toFixed(1) : Math.round(r.size)} m`,
        r.action ? say(`action.${r.action}`) : "–",
      ]));
    fill("track-rows", lines, say("player.no_tracks"), 4);
  };

  const fillZones = (rows) => {
    const lines = rows.map((r) =>
      row([
        `▲ ${r.name}`,
        r.left > 0 ? secondsOf(r.left) : "–",
        r.left > 0 ? say(`advice.${r.advice}`) : say("player.past"),
      ], "alarm-row"));
    fill("zone-rows", lines, say("player.no_zones"), 3);
  };

  // ---- the controls

  const show = (t) => {
    now = Math.min(Math.max(t, 0), raid.length_ms);
    map.classList.add("replaying");
    known.hidden = false;
    stillAside.hidden = true;
    scrub.value = now;
    const time = clockOf(now);
    scrub.setAttribute("aria-valuetext", time);
    document.getElementById("clock").textContent = time;
    document.getElementById("known-title").textContent = say("player.known", { time });
    const event = upTo(raid.events, now);
    document.getElementById("event").textContent = event ? `${clockOf(event[0])}  ${event[2] ? "▲ " : ""}${event[1]}` : "";
    draw(now);
  };

  const stop = () => {
    cancelAnimationFrame(timer);
    timer = 0;
    play.textContent = say("player.play");
  };

  const frame = (at) => {
    const speed = Number(document.getElementById("speed").value);
    const next = now + (last ? Math.min(at - last, 250) * speed : 0);
    last = at;
    show(next);
    if (now >= raid.length_ms) stop();
    else timer = requestAnimationFrame(frame);
  };

  const start = () => {
    if (now >= raid.length_ms) now = 0;
    last = 0;
    play.textContent = say("player.pause");
    timer = requestAnimationFrame(frame);
  };

  const toggle = () => (timer ? stop() : start());
  const step = (ms) => { stop(); show(now + ms); };
  const jump = (forward) => {
    stop();
    const times = raid.events.map((event) => event[0]);
    const found = forward ? times.find((t) => t > now) : times.filter((t) => t < now).pop();
    if (found !== undefined) show(found);
  };
  const whole = () => {
    stop();
    now = 0;
    scrub.value = 0;
    map.classList.remove("replaying");
    live.replaceChildren();
    known.hidden = true;
    stillAside.hidden = false;
    document.getElementById("clock").textContent = "";
    document.getElementById("event").textContent = "";
  };

  play.addEventListener("click", toggle);
  document.getElementById("next").addEventListener("click", () => jump(true));
  document.getElementById("previous").addEventListener("click", () => jump(false));
  document.getElementById("whole").addEventListener("click", whole);
  scrub.addEventListener("input", () => { stop(); show(Number(scrub.value)); });

  const keys = {
    " ": toggle, ArrowRight: () => step(1000), ArrowLeft: () => step(-1000), n: () => jump(true), p: () => jump(false),
    Home: () => step(-raid.length_ms), End: () => step(raid.length_ms),
  };
  document.getElementById("picture").closest(".map-figure").addEventListener("keydown", (event) => {
    const action = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    const native = event.target.tagName === "SELECT" || (event.key === " " && event.target.tagName === "BUTTON");
    if (!action || native || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    action();
  });

  const ticks = document.getElementById("ticks");
  for (const [t, , alarm] of raid.events) {
    const mark = document.createElement("i");
    mark.style.left = `${(100 * t) / raid.length_ms}%`;
    if (alarm) mark.className = "alarm";
    ticks.append(mark);
  }
  panel.hidden = false;
  const asked = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash); // #t=12.5 opens the replay at that second
  if (asked) show(Number(asked[1]) * 1000);
})();
