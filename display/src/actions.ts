// What a person can do, whether by key, by button or on the map.
import { seconds } from "./i18n";
import { send } from "./link";
import * as store from "./store";
import { type Alarm } from "./types";

export const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4, 10, 20];
const ARMED_MS = 5000;

/** The alarm that the acknowledge key is about: the most urgent that nobody has acknowledged. */
export function toAcknowledge(): Alarm | undefined {
  return store.unacknowledged.value[0];
}

export function acknowledge(all = false): void {
  const found = all ? store.unacknowledged.value : store.unacknowledged.value.slice(0, 1);
  if (!found.length) return;
  if (store.hello.value?.acts && store.player.value.following) {
    if (all) send({ do: "acknowledge" });
    else send({ do: "acknowledge", zone: found[0]!.zone });
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

export function seek(t: number): void {
  send({ do: "seek", t });
}

export function seekBy(s: number): void {
  const f = store.frame.value;
  if (f) seek(f.t + s * 1000);
}

export function setSpeed(speed: number): void {
  send({ do: "speed", speed });
}

export function goLive(): void {
  send({ do: "follow" });
}

export function mayAct(): boolean {
  const hello = store.hello.value;
  return Boolean(hello?.acts && hello.role === "operator" && store.player.value.following && hello.mode === "simulation");
}

/** Consent, veto and hold take two steps: the first arms, the second, within five seconds, does it. */
export function engageAction(action: "consent" | "veto" | "hold"): void {
  const track = store.selected.value;
  if (!track || !mayAct()) return;
  const armed = store.armed.value;
  if (armed && armed.action === action && armed.track === track && performance.now() < armed.until) {
    send({ do: action, track });
    store.armed.value = null;
    return;
  }
  const until = performance.now() + ARMED_MS;
  store.armed.value = { action, track, until };
  setTimeout(() => { if (store.armed.value?.until === until) store.armed.value = null; }, ARMED_MS);
}

export function ago(t: number): string {
  return seconds((store.now.value - t) / 1000);
}
