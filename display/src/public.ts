// For people in the zones, on a phone: my zone, what to do, seconds left; and it says when it has lost contact.
import { WORDS } from "./public_words";
import { remember, remembered } from "./remember";

interface State {
  t: number;
  live: boolean;
  age: number; // s since the server itself heard something
  mode: string;
  alarms: { advice: "shelter" | "drop" | "none"; impact: number; std: number | null }[];
  ended: { state: string; t: number } | null;
}
interface Zone {
  id: string;
  name: string;
  shelter: number;
}
interface Said {
  look: string;
  what: string;
  when: string;
  more: string;
}

const ASK_MS = 1000;
const GIVE_UP_MS = 4000;
const LOST_MS = 6000;
const ENDED_SHOWN_MS = 120_000;
const SOUND_MS = 2500;

const byId = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const zoneChoice = byId<HTMLSelectElement>("zone");
const languageChoice = byId<HTMLSelectElement>("language");
const soundButton = byId<HTMLButtonElement>("sound");
const query = new URLSearchParams(location.search);
let state: State | null = null;
let zones: Zone[] = [];
let heardAt = performance.now();
let zone = query.get("zone") ?? remembered("zone");
let language = query.get("lang") ?? (remembered("lang") || navigator.language.slice(0, 2));
if (!WORDS[language]) language = "en";
let audio: AudioContext | null = null;
let sounding = false;
let soundedAt = 0;
let lastLook = "";

function words(key: string, n = 0): string {
  return (WORDS[language]![key] ?? "").replace("{n}", `\u2066${n}\u2069`);
}

function put(id: string, text: string): void {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text; // a screen reader is told of changes only
}

/** What is true for my zone at this moment, as far as this page has heard. */
function situation(silent: number): Said | null {
  if (!state) return null;
  const t = state.t + (state.live ? silent + state.age * 1000 : 0); // live, time has gone on since
  const coming = state.alarms.find((a) => a.impact + 2000 * (a.std ?? 0) >= t);
  if (coming) {
    const left = Math.max((coming.impact - t) / 1000, 0);
    const late = coming.advice === "shelter" && left < (zones.find((z) => z.id === zone)?.shelter ?? 0);
    return { look: "alarm", what: words(coming.advice), when: words("left", Math.ceil(left)), more: late ? words("late") : "" };
  }
  if (state.alarms.length) return { look: "wait", what: words("stay"), when: "", more: words("stayMore") };
  const ended = state.ended;
  if (ended && t - ended.t < ENDED_SHOWN_MS) {
    if (ended.state === "expired") return { look: "wait", what: words("expired"), when: "", more: words("expiredMore") };
    return { look: "clear", what: words(ended.state === "all_clear" ? "clear" : "withdrawn"), when: "", more: "" };
  }
  return { look: "calm", what: words("calm"), when: "", more: "" };
}

function show(): void {
  const silent = performance.now() - heardAt;
  const old = silent + (state?.live ? state.age * 1000 : 0);
  const lost = old > LOST_MS;
  document.documentElement.lang = language;
  document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
  put("language-label", words("language"));
  put("zone-label", words("zone"));
  put("sound", words(sounding ? "soundOn" : "soundOff"));
  put("mode", state ? words(state.mode) : "");
  document.body.dataset.mode = state?.mode ?? "";
  const known = zone ? situation(silent) : { look: "calm", what: words("pick"), when: "", more: "" };
  // An alarm outlives the contact: what was last heard stays, and the strip says that nothing newer is known.
  const kept = known && (known.look === "alarm" || known.look === "wait");
  const lostWords = words("lostMore", Math.round(old / 1000));
  const said = lost && !kept ? { look: "lost", what: words("lost"), when: "", more: lostWords } : known ?? { look: "calm", what: words("joining"), when: "", more: "" };
  document.body.dataset.state = said.look;
  put("what", said.what);
  put("when", said.when);
  put("more", said.more);
  put("lost", lost && kept ? `${words("lost")}. ${lostWords}` : "");
  put("contact", lost || !state ? "" : words("ok", Math.round(old / 1000)));
  document.title = `${said.what} ${said.when}`;
  sound(said.look);
}

function sound(look: string): void {
  const changed = look !== lastLook;
  lastLook = look;
  if (changed && look === "alarm" && navigator.userActivation?.hasBeenActive) navigator.vibrate?.([400, 150, 400, 150, 800]);
  const due = look === "alarm" ? performance.now() - soundedAt > SOUND_MS : changed && (look === "clear" || look === "lost");
  if (!sounding || !audio || !due) return;
  soundedAt = performance.now();
  const notes = look === "alarm" ? [880, 1175, 880, 1175] : look === "clear" ? [523, 659, 784] : [330, 330];
  notes.forEach((hz, k) => {
    const at = audio!.currentTime + 0.05 + k * 0.28;
    const tone = new OscillatorNode(audio!, { type: look === "alarm" ? "square" : "sine", frequency: hz });
    const volume = new GainNode(audio!, { gain: look === "alarm" ? 0.15 : 0.3 });
    tone.connect(volume).connect(audio!.destination);
    tone.start(at);
    tone.stop(at + 0.25);
  });
}

function choices(): void {
  const named = zones.length ? zones : zone ? [{ id: zone, name: remembered("zoneName") || zone }] : [];
  zoneChoice.replaceChildren(new Option(words("choose"), ""), ...named.map((z) => new Option(z.name, z.id)));
  zoneChoice.value = zone;
}

async function fetched<T>(path: string): Promise<T | null> {
  try {
    const answer = await fetch(path, { signal: AbortSignal.timeout(GIVE_UP_MS), cache: "no-store" });
    return answer.ok ? ((await answer.json()) as T) : null;
  } catch {
    return null; // the page says by itself that it hears nothing
  }
}

async function ask(): Promise<void> {
  const asked = zone;
  const found = await fetched<State>(`/public/state?zone=${encodeURIComponent(asked)}`);
  if (found && asked === zone) {
    state = found;
    heardAt = performance.now();
    show();
  }
  if (!zones.length) {
    zones = (await fetched<{ zones: Zone[] }>("/public/zones"))?.zones ?? [];
    if (zones.length) choices();
  }
  setTimeout(ask, ASK_MS);
}

zoneChoice.onchange = () => {
  zone = zoneChoice.value;
  remember("zone", zone);
  remember("zoneName", zoneChoice.selectedOptions[0]?.text ?? "");
  if (state) state = { ...state, alarms: [], ended: null }; // those were of another zone
  show();
};
languageChoice.value = language;
languageChoice.onchange = () => {
  language = languageChoice.value;
  remember("lang", language);
  if (zoneChoice.options[0]) zoneChoice.options[0].text = words("choose");
  show();
};
soundButton.onclick = () => {
  sounding = !sounding;
  audio ??= new AudioContext();
  soundButton.setAttribute("aria-pressed", String(sounding));
  soundedAt = 0;
  lastLook = "";
  show();
};
choices();
setInterval(show, 200);
void ask();
show();
