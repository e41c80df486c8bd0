// What a person can do, whether by key, by button or on the map.
import { seek, send } from "./link";
import * as store from "./store";
import type { Alarm } from "./types";

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4, 10, 20];
const ARMED_MS = 10_000;
const SLIP_MS = 350; // a second press within this is the first one's own: a double click, a bouncing key
const LOGGED_MS = 3000; // after which a deed that the log does not show has failed

/** The alarm that the acknowledge key is about: the most urgent that nobody has acknowledged. */
export function toAcknowledge(): Alarm | undefined {
  return store.unacknowledged.value[0];
}

/** Whether an acknowledgement is for everybody and in the log; else it is this screen's own. */
export function acksForAll(): boolean {
  const hello = store.hello.value;
  return Boolean(hello?.acts && hello.role === "operator" && store.player.value.following);
}

export function acknowledge(all = false): void {
  const found = all ? store.unacknowledged.value : store.unacknowledged.value.slice(0, 1);
  if (!found.length) return;
  if (acksForAll()) {
    tell("acknowledge", 0, all ? "" : found[0]!.zone);
    return;
  }
  const mine = new Map(store.acks.value);
  for (const alarm of found) mine.set(alarm.id, store.now.value);
  store.acks.value = mine;
}

export function nextThreat(step: 1 | -1): void {
  const f = store.listFrame.value;
  const ids = store.ranked.value.map((k) => f!.col.id![k]!);
  if (!ids.length) return;
  const at = ids.indexOf(store.selected.value);
  store.selected.value = ids[at < 0 ? (step > 0 ? 0 : ids.length - 1) : (at + step + ids.length) % ids.length]!;
}

export function togglePlay(): void {
  send({ do: store.player.value.playing ? "pause" : "play" });
}

export function seekBy(s: number): void {
  const f = store.frame.value;
  if (f) seek(Math.min(Math.max((store.sought.value ?? f.t) + s * 1000, f.begin), f.end));
}

export function setSpeed(speed: number): void {
  send({ do: "speed", speed });
}

export function goLive(): void {
  send({ do: "follow" });
}

export function jumpToMark(step: 1 | -1): void {
  const f = store.frame.value;
  if (!f) return;
  const from = store.sought.value ?? f.t;
  const times = [...new Set(store.marks.value.map(([at]) => at))].sort((a, b) => a - b);
  const found = step > 0 ? times.find((at) => at > from + 50) : times.reverse().find((at) => at < from - 50);
  if (found !== undefined) seek(found);
}

export function mayAct(): boolean {
  const hello = store.hello.value;
  return Boolean(hello?.acts && hello.role === "operator" && store.player.value.following && hello.source === "simulation");
}

/** The track that consent, veto and hold are about: the selected one, else the one that waits shortest for an answer. */
export function subject(): number {
  return store.selected.value || store.asked.value[0]?.track || 0;
}

/** The first of two steps: it arms for ten seconds, and says what the second will do.  Track 0: all engagements. */
export function arm(action: store.Deed, track: number): void {
  const single = action === "consent" || action === "veto";
  if (!mayAct() || (single && !track) || store.armed.value) return;
  store.nameless.value = action === "consent" && !named();
  if (store.nameless.value) return;
  if (track) store.selected.value = track;
  const since = performance.now();
  store.armed.value = { action, track, since };
  setTimeout(() => { if (store.armed.value?.since === since) store.armed.value = null; }, ARMED_MS);
}

/** Whether the log will say who acts.  Consent waits for a name; to hold and to veto nobody has to be known first. */
export function named(): boolean {
  return Boolean(store.hello.value?.name || store.said.value.trim());
}

export function disarm(): void {
  store.armed.value = null;
}

/** The second step: it does what was armed. */
export function confirm(): void {
  const armed = store.armed.value;
  if (!armed || !mayAct() || performance.now() - armed.since < SLIP_MS) return;
  store.armed.value = null;
  tell(armed.action, armed.track, "");
}

/** Hold, or let go what is held. */
export function holding(track: number): "hold" | "release" {
  const kept = track ? store.decisions.value.get(track)?.code === "operator_hold" && !store.held.value : store.held.value;
  return kept ? "release" : "hold";
}

function tell(action: store.Deed, track: number, zone: string): void {
  const after = store.log.value[store.log.value.length - 1]?.seq ?? 0;
  const done = { action, track, zone, after, late: false };
  done.late = !send({ do: action, track, zone, by: store.said.value });
  store.outcome.value = done;
  if (!done.late) setTimeout(() => { if (store.outcome.value === done) store.outcome.value = { ...done, late: true }; }, LOGGED_MS);
}

/** What the log says of the last deed, or undefined: nothing yet. */
export function logged(done: store.Outcome): { operator: string; t: number } | undefined {
  const item = store.log.value.findLast(
    ({ seq, kind, row }) => kind === "operator" && seq > done.after && row.action === done.action && row.track === done.track && row.zone === done.zone,
  );
  return item?.row as { operator: string; t: number } | undefined;
}
