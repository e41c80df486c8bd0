// The one connection: it says where the screen is in time when it comes back, so that nothing is missed.
import { batch } from "@preact/signals";
import { embedded } from "./embed";
import { type Column, FRAME, LINES, decodeFrame, decodeLines, kindOf } from "./frame";
import { Reel } from "./reel";
import * as store from "./store";
import { onEvents } from "./announce";
import type { Ahead, Hello, LogItem, Player, Sensor } from "./types";

const RETRY_MS = [250, 500, 1000, 2000, 4000];
const BAD_TOKEN = 4401;
const BAD_ORIGIN = 4403;
const SILENT_MS = 5000; // frames come ten times a second, paused or not: silence means that the line is dead

let reel: Reel | null = null;
let socket: WebSocket | null = null;
let tries = 0;
let seq = 0;
let columns: Column[] = [];
let firstTime: string | null = null;
let toldMs = 0; // when the newest event was known that this picture has been told of
let wantPaused = false;
let moment: (Said | ArrayBuffer)[] | null = null; // what has come of a moment that is not yet whole: its frame is the last
let seeking = false; // a seek is on its way: the screen asks for the next moment when it has drawn this one
let nextSeek: number | null = null;

export function secret(): string | null {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem("token", given);
    history.replaceState(null, "", location.pathname + location.search);
  }
  return sessionStorage.getItem("token");
}

export function connect(t: string | null, paused: boolean): void {
  firstTime = t;
  wantPaused = paused;
  if (embedded !== null) {
    void Reel.open(embedded, t, paused).then((opened) => { reel = opened; });
    return;
  }
  open();
  setInterval(() => {
    if (socket?.readyState === WebSocket.OPEN && performance.now() - store.linkLostAt.value > SILENT_MS) socket.close();
  }, 1000);
}

function address(): string {
  const query = new URLSearchParams();
  const shown = store.frame.value;
  if (seq) query.set("after", String(seq));
  if (shown ? !store.player.value.playing : wantPaused) query.set("paused", "1");
  if (shown && !store.player.value.following) query.set("t", String(Math.max(shown.t, toldMs)));
  else if (!shown && firstTime) query.set("t", firstTime);
  return `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws?${query}`;
}

function open(): void {
  const token = secret();
  const resumed = store.frame.value ? { ...store.player.value } : null;
  socket = new WebSocket(address(), token ? ["opencram", `token.${token}`] : ["opencram"]);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => {
    if (resumed && !resumed.following) send({ do: "speed", speed: resumed.speed });
  };
  socket.onmessage = (message) => {
    store.linkLostAt.value = performance.now();
    take(message.data as string | ArrayBuffer);
  };
  socket.onclose = (closed) => {
    moment = null;
    sought();
    if (closed.code === BAD_TOKEN || closed.code === BAD_ORIGIN) {
      store.link.value = closed.code === BAD_TOKEN ? "refused" : "forbidden";
      return;
    }
    store.link.value = "lost";
    setTimeout(open, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
  };
}

/** Take what the server says.  Of a whole moment nothing is drawn until all of it is there: panels, trails and frame change at once. */
function take(data: string | ArrayBuffer): void {
  if (typeof data === "string") {
    const said = JSON.parse(data) as Said;
    if (said.type === "state") moment = [];
    if (moment) moment.push(said);
    else takeText(said);
    return;
  }
  if (!moment) { takeBytes(data); return; }
  moment.push(data);
  if (kindOf(data) !== FRAME) return;
  const whole = moment;
  moment = null;
  batch(() => { for (const part of whole) if (part instanceof ArrayBuffer) takeBytes(part); else takeText(part); });
  seeking = false;
  const next = nextSeek;
  nextSeek = null;
  if (next === null) sought();
  else seek(next);
}

function sought(): void {
  [seeking, nextSeek, store.sought.value] = [false, null, null];
}

/** Go to another moment.  Of moments that are asked for faster than they can be drawn only the newest is gone to. */
export function seek(t: number): void {
  if (reel) { reel.obey({ do: "seek", t }); return; }
  store.sought.value = t;
  if (seeking) { nextSeek = t; return; }
  seeking = send({ do: "seek", t });
  if (!seeking) sought();
}

function takeBytes(buffer: ArrayBuffer): void {
  const kind = kindOf(buffer);
  if (kind === FRAME) {
    const f = decodeFrame(buffer, columns);
    seq = Math.max(seq, f.seq);
    store.takeFrame(f);
  } else if (kind === LINES) {
    decodeLines(buffer, store.lines);
    store.lineTold();
  }
}

type Said = { type: string } & Record<string, unknown>;

function takeText(said: Said): void {
  switch (said.type) {
    case "hello":
      tries = 0;
      columns = said.columns as Column[];
      store.hello.value = said as unknown as Hello;
      store.marks.value = (said as unknown as Hello).marks;
      store.link.value = "open";
      break;
    case "state":
      toldMs = 0;
      store.takeState(said as unknown as store.State);
      break;
    case "missed": {
      const known = new Set(store.log.value.map((item) => item.seq));
      const items = (said.items as LogItem[]).filter((item) => !known.has(item.seq));
      store.log.value = [...store.log.value, ...items].sort((a, b) => a.seq - b.seq).slice(-200);
      onEvents(items);
      break;
    }
    case "events":
      seq = Math.max(seq, (said.items as LogItem[]).at(-1)!.seq); // the line may break before the frame that goes with them
      toldMs = (said.items as LogItem[]).at(-1)!.known + 1;
      store.takeEvents(said.items as LogItem[]);
      onEvents(said.items as LogItem[]);
      break;
    case "player":
      store.player.value = said as unknown as Player;
      break;
    case "status":
      store.sensors.value = said.sensors as Sensor[];
      store.ahead.value = said.ahead as Ahead | null;
      break;
  }
}

/** Say something to the server; false: there is no line, and nothing was said. */
export function send(command: { do: string } & Record<string, unknown>): boolean {
  if (reel) return reel.obey(command);
  if (socket?.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(command));
  return true;
}
