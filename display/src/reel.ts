// A recording held in the page, played without a server: it answers what the server would (src/opencram/display/session.py).
import { batch } from "@preact/signals";
import { secondAsked } from "./embed";
import { decodeFrame, type Frame, PLAYING } from "./frame";
import { onEvents } from "./announce";
import * as store from "./store";
import type { Hello, LogItem, Sensor } from "./types";

const BEAT_MS = 100;
const CARRIED_S = 0.5; // as EXTRAPOLATED_S_MAX of the server: a position is carried on no further
const ENDED = 4;
const TRAIL_MS = 24_000;
const EARTH_M = 6_371_000;
const SPEED_MIN = 0.1;
const SPEED_MAX = 20;

interface Head {
  hello: Hello;
  events: LogItem[];
  sizes: number[]; // of the frames, bytes
  paths: [track: number, t: number, points: number][];
  sensors: [t: number, sensors: Sensor[]][]; // when the state of one changed
}
interface Course {
  t: number[];
  at: number[]; // east, north, up (m) by turns
}

export class Reel {
  private t: number;
  private playing: boolean;
  private speed = 1;
  private told = 0; // events
  private last = performance.now();
  private shown = NaN;

  private constructor(
    private readonly head: Head,
    private readonly frames: Frame[],
    private readonly courses: Map<number, Course>,
    private readonly paths: Map<number, [t: number, path: Float32Array][]>,
    wanted: string | null,
    paused: boolean,
  ) {
    const { begin } = head.hello;
    this.t = secondAsked !== null ? begin + Number(secondAsked) * 1000 : wanted === null ? begin : Number(wanted);
    this.playing = !paused;
    store.hello.value = head.hello;
    store.marks.value = head.hello.marks;
    store.link.value = "open";
    this.wind(this.t);
    setInterval(() => this.beat(), BEAT_MS);
  }

  static async open(base64: string, t: string | null, paused: boolean): Promise<Reel> {
    const packed = Uint8Array.from(atob(base64.trim()), (c) => c.charCodeAt(0));
    const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
    const bytes = await new Response(plain).arrayBuffer();
    const length = new DataView(bytes).getUint32(0, true);
    const head = JSON.parse(new TextDecoder().decode(new Uint8Array(bytes, 4, length))) as Head;
    let at = 4 + length;
    const frames = head.sizes.map((size) => {
      const frame = decodeFrame(bytes.slice(at, at + size), head.hello.columns);
      at += size;
      return frame;
    });
    const paths = new Map<number, [number, Float32Array][]>();
    for (const [track, known, points] of head.paths) {
      if (!paths.has(track)) paths.set(track, []);
      paths.get(track)!.push([known, new Float32Array(bytes.slice(at, at + points * 12))]);
      at += points * 12;
    }
    return new Reel(head, frames, coursesOf(frames), paths, t, paused);
  }

  /** Do what the server would do. */
  obey(command: { do: string; t?: number; speed?: number }): boolean {
    switch (command.do) {
      case "play":
        if (this.t >= this.head.hello.end) this.wind(this.head.hello.begin);
        this.playing = true;
        break;
      case "pause":
        this.playing = false;
        break;
      case "seek":
        this.wind(command.t ?? this.t);
        break;
      case "follow":
        this.wind(this.head.hello.end);
        break;
      case "speed":
        this.speed = Math.min(Math.max(command.speed ?? 1, SPEED_MIN), SPEED_MAX);
        break;
      default:
        return false; // nobody is there who could hear it
    }
    this.show();
    return true;
  }

  private beat(): void {
    const now = performance.now();
    store.linkLostAt.value = now;
    const elapsed = now - this.last;
    this.last = now;
    if (!this.playing) return;
    this.t = Math.min(this.t + elapsed * this.speed, this.head.hello.end);
    if (this.t >= this.head.hello.end) this.playing = false;
    this.tell();
    this.show();
  }

  /** Go to a moment: everything is as it was known then. */
  private wind(t: number): void {
    this.t = Math.min(Math.max(t, this.head.hello.begin), this.head.hello.end);
    batch(() => { // drawn once, when all of it is there
      store.takeState({ t: this.t, seq: 0, alarms: [], decisions: [], engagements: [], health: [], log: [], held: false });
      this.told = 0;
      while (this.told < this.head.events.length && this.head.events[this.told]!.known <= this.t) this.told++;
      if (this.told) store.takeEvents(this.head.events.slice(0, this.told));
      this.shown = NaN;
      this.show();
    });
  }

  private tell(): void {
    const from = this.told;
    while (this.told < this.head.events.length && this.head.events[this.told]!.known <= this.t) this.told++;
    if (this.told === from) return;
    const items = this.head.events.slice(from, this.told);
    store.takeEvents(items);
    onEvents(items);
  }

  private show(): void {
    store.player.value = { playing: this.playing, following: false, speed: this.speed };
    if (this.t === this.shown) return;
    this.shown = this.t;
    const sensors = lastBefore(this.head.sensors, this.t, ([t]) => t);
    store.sensors.value = sensors ? sensors[1] : [];
    const kept = lastBefore(this.frames, this.t, (frame) => frame.t) ?? this.frames[0];
    if (!kept) return;
    const frame = carried(kept, this.t, this.head.hello, this.playing);
    this.draw(frame);
    store.takeFrame(frame);
  }

  /** Trails are where the tracks were, paths what was last predicted. */
  private draw(frame: Frame): void {
    store.lines.clear();
    store.lineTold();
    for (const id of frame.col.id!) {
      const course = this.courses.get(id);
      if (!course) continue;
      const path = lastBefore(this.paths.get(id) ?? [], this.t, ([t]) => t);
      const [from, to] = [this.t - TRAIL_MS, this.t].map((t) => countUpTo(course.t, t, (at) => at)) as [number, number];
      store.lines.set(id, { ever: to, trail: new Float32Array(course.at.slice(3 * from, 3 * to)), path: path ? path[1] : new Float32Array() });
    }
  }
}

/** A frame some tenths later: positions go on with their speeds, times with the clock. */
function carried(kept: Frame, t: number, hello: Hello, playing: boolean): Frame {
  const col = Object.fromEntries(Object.entries(kept.col).map(([name, values]) => [name, values.slice()]));
  const later = Math.max((t - kept.t) / 1000, 0);
  for (let k = 0; k < kept.n; k++) {
    const on = col.kind![k] === ENDED ? 0 : Math.max(Math.min(later, CARRIED_S - col.told![k]!), 0);
    for (const [place, speed] of [["east", "ve"], ["north", "vn"], ["alt", "vu"]] as const) col[place]![k]! += on * col[speed]![k]!;
    for (const name of ["told", "age"]) col[name]![k]! += later;
    col.tti![k]! -= later;
  }
  return { ...kept, t, begin: hello.begin, end: hello.end, dataAge: kept.dataAge + later, flags: playing ? PLAYING : 0, col };
}

function coursesOf(frames: Frame[]): Map<number, Course> {
  const found = new Map<number, Course>();
  for (const { t, n, col } of frames)
    for (let k = 0; k < n; k++) {
      if (col.kind![k] === ENDED) continue;
      let course = found.get(col.id![k]!);
      if (!course) found.set(col.id![k]!, (course = { t: [], at: [] }));
      const [east, north] = [col.east![k]!, col.north![k]!];
      course.t.push(t);
      course.at.push(east, north, col.alt![k]! - (east * east + north * north) / (2 * EARTH_M));
    }
  return found;
}

function countUpTo<T>(rows: T[], t: number, time: (row: T) => number): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const half = (low + high) >> 1;
    if (time(rows[half]!) <= t) low = half + 1;
    else high = half;
  }
  return low;
}

function lastBefore<T>(rows: T[], t: number, time: (row: T) => number): T | undefined {
  return rows[countUpTo(rows, t, time) - 1];
}
