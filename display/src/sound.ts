// Distinct sounds for each stage, and speech in the language of the screen.  Off until a person turns it on: browsers
// allow no sound before, and the button says which it is.
import { effect } from "@preact/signals";
import { lang } from "./i18n";
import * as store from "./store";
import type { LogItem } from "./types";

type Note = [frequencyHz: number, seconds: number];
const SOUNDS: Record<string, { notes: Note[]; shape: OscillatorType }> = {
  alarm: { notes: [[660, 0.12], [880, 0.12], [1175, 0.22]], shape: "square" },
  drop: { notes: [[1175, 0.08], [1175, 0.08], [1175, 0.08], [1568, 0.2]], shape: "square" },
  grown: { notes: [[988, 0.1], [1319, 0.16]], shape: "square" },
  asked: { notes: [[784, 0.1], [784, 0.1]], shape: "triangle" },
  cancelled: { notes: [[660, 0.16], [440, 0.22]], shape: "sine" },
  all_clear: { notes: [[523, 0.25], [659, 0.25], [784, 0.4]], shape: "sine" },
  expired: { notes: [[440, 0.2], [440, 0.2]], shape: "triangle" },
  on: { notes: [[523, 0.12]], shape: "sine" },
  degraded: { notes: [[330, 0.3]], shape: "triangle" },
};
const REPEAT_MS = 4000; // an alarm sounds until somebody has acknowledged it

let audio: AudioContext | null = null;
const asking = new Set<number>(); // tracks that a person has been asked about: asked once, not at each update

export function toggleSound(): void {
  store.soundOn.value = !store.soundOn.value;
  if (store.soundOn.value) {
    audio ??= new AudioContext();
    audio.onstatechange = () => { store.soundBlocked.value = audio!.state !== "running"; };
    void audio.resume().catch(() => { store.soundBlocked.value = true; });
    play(store.unacknowledged.value.length ? (store.unacknowledged.value[0]!.advice === "drop" ? "drop" : "alarm") : "on");
  } else if ("speechSynthesis" in window) speechSynthesis.cancel();
}

/** Say it in the language of the screen, if the browser has a voice for it. */
export function speak(text: string): void {
  if (!store.soundOn.value || !store.voice.value) return;
  const said = new SpeechSynthesisUtterance(text.replace(/[\u2066\u2069]/g, ""));
  said.lang = lang.value;
  speechSynthesis.speak(said);
}

function findVoice(): void {
  store.voice.value = "speechSynthesis" in window && speechSynthesis.getVoices().some((v) => v.lang.slice(0, 2) === lang.value);
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

export function soundEvents(items: LogItem[]): void {
  const stages = new Set<string>();
  for (const { kind, row } of items) {
    if (kind === "alarm" && row.state === "issued") stages.add(row.advice === "drop" ? "drop" : "alarm");
    else if (kind === "alarm" && row.state === "updated" && row.change === "grown") stages.add("grown");
    else if (kind === "alarm" && (row.state === "cancelled" || row.state === "all_clear" || row.state === "expired")) stages.add(String(row.state));
    else if (kind === "decision" && row.until === null) asking.delete(Number(row.track));
    else if (kind === "decision" && !asking.has(Number(row.track))) {
      asking.add(Number(row.track));
      stages.add("asked");
    }
    else if (kind === "health" && row.state !== "ok") stages.add("degraded");
  }
  // One sound at a time: the most urgent.
  const most = ["drop", "alarm", "grown", "asked", "degraded", "expired", "cancelled", "all_clear"].find((stage) => stages.has(stage));
  if (most) play(most);
}

export function startSound(): void {
  setInterval(() => {
    const first = store.player.value.playing ? store.unacknowledged.value.find((a) => a.impact > store.now.value) : undefined;
    if (first || store.ahead.value?.alarms) play(first?.advice === "drop" ? "drop" : "alarm");
  }, REPEAT_MS);
  effect(() => {
    lang.value;
    findVoice();
  });
  if ("speechSynthesis" in window) speechSynthesis.onvoiceschanged = findVoice;
}
