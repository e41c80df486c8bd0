// What is said aloud, and to a screen reader, as it happens: each new alarm once, each end once, never a countdown.
import { effect, signal } from "@preact/signals";
import { lang, seconds, t, tn } from "./i18n";
import { soundEvents, speak } from "./sound";
import * as store from "./store";
import type { Alarm, LogItem } from "./types";

const ONE_BY_ONE_MAX = 3; // more at once are told as a number: nobody follows a list of a hundred names

export const urgent = signal(""); // of alarms that are not in the banner: it speaks for itself
export const polite = signal("");

export function advised(alarm: Alarm): string {
  return `${store.nameOf(alarm.zone)}: ${t(`advice.${alarm.advice}`)}`;
}

export function onEvents(items: LogItem[]): void {
  soundEvents(items);
  const alarms = items.filter(({ kind, row }) => kind === "alarm" && !store.isDistrict(String(row.zone))).map(({ row }) => row as unknown as Alarm);
  const top = store.standing.value[0];
  const issued = alarms.filter((a) => a.state === "issued" && a.id !== top?.id);
  const ended = alarms.filter((a) => !store.stands(a));
  if (issued.length) {
    const told = issued.length > ONE_BY_ONE_MAX
      ? tn("say.more", issued.length)
      : issued.map((a) => `${advised(a)}, ${t("impact.in")} ${seconds((a.impact - store.now.value) / 1000)}`).join(". ");
    urgent.value = told;
    speak(told);
  }
  if (ended.length) {
    const told = ended.length > ONE_BY_ONE_MAX
      ? tn("say.ended", ended.length)
      : ended.map((a) => `${store.nameOf(a.zone)}: ${t(a.state)}`).join(". ");
    polite.value = told;
    speak(told);
  }
}

/** Speak what comes to the top of the banner. */
export function startAnnouncing(): void {
  let spoken = 0;
  effect(() => {
    const top = store.standing.value[0];
    lang.value;
    if (!top || !store.soundOn.value || top.id === spoken) return;
    spoken = top.id;
    speak(advised(top));
  });
}
