// All state of the screen.  The server's word is in signals; what follows from it is computed, never stored twice.
import { batch, computed, signal } from "@preact/signals";
import { type Frame, Kind, type Line } from "./frame";
import type { Ahead, Alarm, Coverage, Decision, Engagement, Health, Hello, LogItem, Player, Sensor } from "./types";

export type LinkState = "connecting" | "open" | "lost" | "refused" | "forbidden";

export const hello = signal<Hello | null>(null);
export const link = signal<LinkState>("connecting");
export const linkLostAt = signal(0); // performance.now() of the last word from the server
export const frame = signal<Frame | null>(null);
export const listFrame = signal<Frame | null>(null); // the same, four times a second: nobody reads faster
export const alarms = signal<ReadonlyMap<number, Alarm>>(new Map());
export const decisions = signal<ReadonlyMap<number, Decision>>(new Map());
export const engagements = signal<ReadonlyMap<number, Engagement>>(new Map());
export const health = signal<ReadonlyMap<string, Health>>(new Map());
export const sensors = signal<readonly Sensor[]>([]);
export const sought = signal<number | null>(null); // the time that was asked for and is not yet on the screen
export const player = signal<Player>({ playing: true, following: false, speed: 1 });
export const log = signal<readonly LogItem[]>([]);
export const marks = signal<readonly [number, string, string][]>([]);
export const lines = new Map<number, Line>();
let linesAt = 0;
export const linesTold = (): number => linesAt; // how often trails and paths have changed
export const lineTold = (): void => { linesAt++; };
let momentsAt = 0;
export const momentsTold = (): number => momentsAt; // how often this screen was told all of a moment
export const held = signal(false); // all simulated engagements
export const ahead = signal<Ahead | null>(null);

export const selected = signal(0);
export const acks = signal<ReadonlyMap<number, number>>(new Map()); // in a replay: alarm → data time of its acknowledgement
export const armed = signal<Armed | null>(null);
export const outcome = signal<Outcome | null>(null);
export const said = signal(""); // who is at this screen, where no token tells
export const nameless = signal(false); // somebody wanted to consent and has not said who it is
export const helpOpen = signal(false);
export const healthOpen = signal(false);
export const soundOn = signal(false);
export const soundBlocked = signal(false);
export const voice = signal(false); // the browser has one in the language of the screen
export const shortcuts = signal(true);
export const layers = signal<Record<Layer, boolean>>({
  rings: true, labels: true, trails: true, zones: true, ellipses: true, coverage: false, app6: false, base: true,
});
export type Layer = "rings" | "labels" | "trails" | "zones" | "ellipses" | "coverage" | "app6" | "base";
export const coverage = signal<Coverage | null>(null);
export const coverageFailed = signal(false);
export const ABOVE_M = [200, 500, 1000, 2000] as const; // as in src/opencram/display/coverage.py
export const above = signal<number>(500); // the height above the ground that coverage is shown for, m
export const onlyActing = signal(false);
export const zoneFilter = signal("");

export type Deed = "consent" | "veto" | "hold" | "release" | "acknowledge";
/** A deed that waits for its second step.  Track 0: all engagements. */
export interface Armed {
  action: Deed;
  track: number;
  since: number;
}
/** A deed that was sent: it is done when the log says so, and not before. */
export interface Outcome {
  action: Deed;
  track: number;
  zone: string;
  after: number; // the last record known when it was sent
  late: boolean; // the log should have said so by now
}

export const now = computed(() => listFrame.value?.t ?? hello.value?.begin ?? 0);
const districts = computed(() => new Set(hello.value?.site.districts.map((d) => d.id)));
const zoneNames = computed(() => new Map([...(hello.value?.site.zones ?? []), ...(hello.value?.site.districts ?? [])].map((z) => [z.id, z.name])));
export const zonesById = computed(() => new Map(hello.value?.site.zones.map((z) => [z.id, z])));

export function nameOf(zone: string): string {
  return zoneNames.value.get(zone) ?? zone;
}

/** A district's alarm is that of its zones: it is no alarm beside theirs. */
export function isDistrict(zone: string): boolean {
  return districts.value.has(zone);
}

export function stands(alarm: Alarm): boolean {
  return alarm.state === "issued" || alarm.state === "updated";
}

export function isAcked(alarm: Alarm, t: number): boolean {
  if (alarm.acked !== null) return true;
  const mine = acks.value.get(alarm.id);
  return mine !== undefined && mine <= t + 150 && mine >= alarm.issued;
}

const SAME_MOMENT_MS = 500;

/** Alarms that stand: the next impact first; those whose impact is past wait for their all-clear after them. */
export const standing = computed(() => {
  const t = now.value;
  const found = [...alarms.value.values()].filter((a) => stands(a) && !isDistrict(a.zone)).sort((a, b) => {
    const past = Number(a.impact < t) - Number(b.impact < t);
    return past || a.impact - b.impact || a.id - b.id;
  });
  // Impacts within half a second are one moment to a person: the likeliest of them first.
  const ordered: Alarm[] = [];
  for (let from = 0, to = 0; from < found.length; from = to) {
    const first = found[from]!;
    while (to < found.length && found[to]!.impact - first.impact <= SAME_MOMENT_MS && found[to]!.impact < t === first.impact < t) to++;
    ordered.push(...found.slice(from, to).sort((a, b) => b.p - a.p || a.impact - b.impact || a.id - b.id));
  }
  return ordered;
});
export const unacknowledged = computed(() => standing.value.filter((a) => !isAcked(a, now.value)));
export const cleared = computed(() =>
  [...alarms.value.values()].filter((a) => !stands(a) && !isDistrict(a.zone)).sort((a, b) => b.t - a.t),
);
/** Decisions that wait for a person: the one that waits shortest first. */
export const asked = computed(() =>
  [...decisions.value.values()].filter((d) => d.until !== null && d.until > now.value).sort((a, b) => a.until! - b.until! || a.track - b.track),
);

/** Rounds that the simulation has killed: nothing of them will land, though their tracks go on until they are dropped. */
export const killed = computed(() => new Set([...engagements.value.values()].filter((e) => e.state === "killed").map((e) => e.track)));

/** Indices of the frame's tracks: those that act on people first, each group by time to impact. */
export const ranked = computed(() => {
  const f = listFrame.value;
  if (!f) return [];
  const { acts, tti, kind, id } = f.col as Record<string, Float32Array>;
  const found: number[] = [];
  for (let k = 0; k < f.n; k++) {
    if (kind![k] === Kind.ended || kind![k] === Kind.tentative) continue;
    if (onlyActing.value && !acts![k]) continue;
    found.push(k);
  }
  const urgency = (k: number) => (Number.isNaN(tti![k]!) || killed.value.has(id![k]!) ? 1e9 : tti![k]!);
  // Of rounds that act on nobody those of one second stand by their numbers: rows that swap places cannot be read.
  const second = (k: number) => Math.ceil(urgency(k));
  return found.sort((a, b) => acts![b]! - acts![a]! || (acts![a] ? urgency(a) - urgency(b) : second(a) - second(b) || id![a]! - id![b]!));
});

export function indexOf(f: Frame | null, id: number): number {
  return f && id ? f.col.id!.indexOf(id) : -1;
}

function keyed<T, K>(rows: T[], key: (row: T) => K): Map<K, T> {
  return new Map(rows.map((row) => [key(row), row]));
}

export interface State {
  t: number;
  seq: number;
  alarms: Alarm[];
  decisions: Decision[];
  engagements: Engagement[];
  health: Health[];
  held: boolean;
  log: LogItem[]; // the last events before this moment
}

export function takeState(state: State): void {
  batch(() => {
    momentsAt++;
    lines.clear();
    lineTold();
    alarms.value = keyed(state.alarms, (a) => a.id);
    decisions.value = keyed(state.decisions, (d) => d.track);
    engagements.value = keyed(state.engagements, (e) => e.id);
    health.value = keyed(state.health, (h) => h.part);
    log.value = state.log;
    held.value = state.held;
    listFrame.value = null;
  });
}

const LOG_MAX = 200;
const CLEARED_MS = 120_000;

export function takeEvents(items: LogItem[]): void {
  const tables = {
    alarm: new Map(alarms.value) as Map<unknown, unknown>,
    decision: new Map(decisions.value) as Map<unknown, unknown>,
    engagement: new Map(engagements.value) as Map<unknown, unknown>,
    health: new Map(health.value) as Map<unknown, unknown>,
  };
  const added: [number, string, string][] = [];
  let holds = held.value;
  for (const { kind, row, known } of items) {
    if (kind === "alarm") tables.alarm.set(row.id, row);
    else if (kind === "decision") tables.decision.set(row.track, row);
    else if (kind === "engagement") tables.engagement.set(row.id, row);
    else if (kind === "health") tables.health.set(row.part, row);
    else if (kind === "operator" && row.track === 0 && (row.action === "hold" || row.action === "release")) holds = row.action === "hold";
    else if (kind === "operator" && row.action === "acknowledge") {
      for (const [id, alarm] of tables.alarm as Map<number, Alarm>)
        if (stands(alarm) && (row.zone === "" || row.zone === alarm.zone) && alarm.acked === null)
          tables.alarm.set(id, { ...alarm, acked: row.t as number });
    }
    const mark = kind === "alarm" ? MARKED[row.state as string] : kind === "engagement" ? (row.state as string) : undefined;
    if (mark) added.push([known, mark, String(row.zone ?? row.track)]);
  }
  const latest = items[items.length - 1]!.known;
  for (const [id, alarm] of tables.alarm as Map<number, Alarm>)
    if (!stands(alarm) && latest - alarm.t > CLEARED_MS) tables.alarm.delete(id);
  batch(() => {
    alarms.value = tables.alarm as Map<number, Alarm>;
    decisions.value = tables.decision as Map<number, Decision>;
    engagements.value = tables.engagement as Map<number, Engagement>;
    health.value = tables.health as Map<string, Health>;
    log.value = [...log.value, ...items].slice(-LOG_MAX);
    held.value = holds;
    if (hello.value?.live && added.length) marks.value = [...marks.value, ...added].slice(-5000);
  });
}
const MARKED: Record<string, string> = { issued: "alarm", cancelled: "cancelled", all_clear: "all_clear", expired: "expired" };

export function takeFrame(f: Frame): void {
  batch(() => {
    frame.value = f;
    const shown = listFrame.value;
    const older = shown && f.dataAge - shown.dataAge >= 0.25; // time stands still: nothing comes
    if (!shown || older || f.t < shown.t || Math.floor(f.t / 250) !== Math.floor(shown.t / 250) || f.seq < shown.seq)
      listFrame.value = f;
    for (const id of lines.keys()) if (lines.size > f.n + 50 && !f.col.id!.includes(id)) lines.delete(id);
  });
}
