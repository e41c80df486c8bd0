// Distinct sounds for each stage, and speech in the language of the screen.  Off until a person turns it on: browsers
// allow no sound before, and the button says which it is.
import { effect } from "@preact/signals";
import { lang, t } from "./i18n";
import * as store from "./store";
import type { Alarm, LogItem } from "./types";

type Note = [frequencyHz: number, seconds: number];
const SOUNDS: Record<string, { notes: Note[]; shape: OscillatorType }> = {
  alarm: { notes: [[660, 0.12], [880, 0.12], [1175, 0.22]], shape: "square" },
  grown: { notes: [[988, 0.1], [1319, 0.16]], shape: "square" },
  cancelled: { notes: [[660, 0.16], [440, 0.22]], shape: "sine" },
  all_clear: { notes: [[523, 0.25], [659, 0.25], [784, 0.4]], shape: "sine" },
  degraded: { notes: [[330, 0.3]], shape: "triangle" },
};
const REPEAT_MS = 4000; // an alarm sounds until somebody has acknowledged it

let audio: AudioContext | null = null;
let spoken = 0;

export function toggleSound(): void {
  store.soundOn.value = !store.soundOn.value;
  if (store.soundOn.value) {
    audio ??= new AudioContext();
    void audio.resume();
    play(store.unacknowledged.value.length ? "alarm" : "all_clear");
  } else if ("speechSynthesis" in window) speechSynthesis.cancel();
}

function play(name: string): void {
  const sound = SOUNDS[name];
  if (!sound || !audio || !store.soundOn.value) return;
  let at = audio.currentTime + 0.02;
  for (const [hz, seconds] of sound.notes) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.type = sound.shape;
    tone.frequency.value = hz;
    volume.gain.setValueAtTime(0.0001, at);
    volume.gain.exponentialRampToValueAtTime(sound.shape === "square" ? 0.12 : 0.25, at + 0.015);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + seconds);
    tone.connect(volume).connect(audio.destination);
    tone.start(at);
    tone.stop(at + seconds);
    at += seconds + 0.03;
  }
}

export function onEvents(items: LogItem[]): void {
  const stages = new Set<string>();
  for (const { kind, row } of items) {
    if (kind === "alarm" && row.state === "issued") stages.add("alarm");
    else if (kind === "alarm" && row.state === "updated" && row.change === "grown") stages.add("grown");
    else if (kind === "alarm" && (row.state === "cancelled" || row.state === "all_clear")) stages.add(String(row.state));
    else if (kind === "health" && row.state !== "ok") stages.add("degraded");
  }
  // One sound at a time: the most urgent.
  const most = ["alarm", "grown", "degraded", "cancelled", "all_clear"].find((stage) => stages.has(stage));
  if (most) play(most);
}

export function startSound(): void {
  setInterval(() => {
    if (store.unacknowledged.value.some((a) => a.impact > store.now.value) && store.player.value.playing) play("alarm");
  }, REPEAT_MS);
  effect(() => {
    const top: Alarm | undefined = store.standing.value[0];
    if (!top || !store.soundOn.value || top.id === spoken || !("speechSynthesis" in window)) return;
    spoken = top.id;
    const said = new SpeechSynthesisUtterance(
      `${store.zoneNames.value.get(top.zone) ?? top.zone}. ${t(`advice.${top.advice}`)}`,
    );
    said.lang = lang.value;
    speechSynthesis.speak(said);
  });
}
