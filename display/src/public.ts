// For people in the zones, on a phone: my zone, what to do, seconds left; and it says when it has lost contact.

type Advice = "shelter" | "drop" | "none";
interface State {
  t: number;
  live: boolean;
  mode: string;
  site: string;
  zones: { id: string; name: string }[];
  alarms: { zone: string; zones: string[]; advice: Advice; impact: number; std: number | null }[];
  cleared: { zone: string; state: string; t: number }[];
}

const ASK_MS = 1000;
const GIVE_UP_MS = 4000;
const LOST_MS = 6000;
const CLEARED_SHOWN_MS = 120_000;
const WORDS: Record<string, Record<string, string>> = {
  en: {
    shelter: "TAKE SHELTER", drop: "DROP AND COVER", none: "STAY ALERT", stay: "STAY IN SHELTER", calm: "No alarm", clear: "ALL CLEAR", withdrawn: "Warning withdrawn",
    left: "{n} s", stayMore: "Wait for the all-clear.", lost: "CONTACT LOST", lostMore: "This page has heard nothing for {n} s. Listen to sirens and radio.",
    ok: "connected, updated {n} s ago", zone: "My zone", language: "Language", choose: "choose your zone", pick: "Choose your zone above.",
    simulation: "SIMULATION", exercise: "EXERCISE", test: "TEST", actual: "",
  },
  fr: {
    shelter: "À L’ABRI", drop: "AU SOL, PROTÉGEZ-VOUS", none: "RESTEZ ATTENTIF", stay: "RESTEZ À L’ABRI", calm: "Aucune alerte", clear: "FIN D’ALERTE", withdrawn: "Alerte annulée",
    left: "{n} s", stayMore: "Attendez la fin d’alerte.", lost: "CONTACT PERDU", lostMore: "Rien reçu depuis {n} s. Écoutez les sirènes et la radio.",
    ok: "connecté, mis à jour il y a {n} s", zone: "Ma zone", language: "Langue", choose: "choisissez votre zone", pick: "Choisissez votre zone ci-dessus.",
    simulation: "SIMULATION", exercise: "EXERCICE", test: "TEST", actual: "",
  },
  ar: {
    shelter: "إلى الملجأ", drop: "انبطحوا واحتموا", none: "ابقوا متيقظين", stay: "ابقوا في الملجأ", calm: "لا إنذار", clear: "زال الخطر", withdrawn: "أُلغي الإنذار",
    left: "{n} ث", stayMore: "انتظروا إعلان زوال الخطر.", lost: "انقطع الاتصال", lostMore: "لم يصل شيء منذ {n} ث. استمعوا إلى صفارات الإنذار والإذاعة.",
    ok: "متصل، حُدّث قبل {n} ث", zone: "منطقتي", language: "اللغة", choose: "اختر منطقتك", pick: "اختر منطقتك أعلاه.",
    simulation: "محاكاة", exercise: "تمرين", test: "اختبار", actual: "",
  },
};

const byId = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const zoneChoice = byId<HTMLSelectElement>("zone");
const languageChoice = byId<HTMLSelectElement>("language");
const query = new URLSearchParams(location.search);
let state: State | null = null;
let heardAt = performance.now();
let zone = query.get("zone") ?? localStorage.getItem("zone") ?? "";
let language = query.get("lang") ?? localStorage.getItem("lang") ?? navigator.language.slice(0, 2);
if (!WORDS[language]) language = "en";

function words(key: string, n = 0): string {
  return (WORDS[language]![key] ?? "").replace("{n}", `\u2066${n}\u2069`);
}

function put(id: string, text: string): void {
  const element = byId(id);
  if (element.textContent !== text) element.textContent = text; // a screen reader is told of changes only
}

function show(): void {
  const silent = performance.now() - heardAt;
  document.documentElement.lang = language;
  document.documentElement.dir = language === "ar" ? "rtl" : "ltr";
  put("language-label", words("language"));
  put("zone-label", words("zone"));
  put("mode", state ? words(state.mode) : "");
  let [look, what, when, more] = ["", words("calm"), "", ""];
  if (silent > LOST_MS) [look, what, more] = ["lost", words("lost"), words("lostMore", Math.round(silent / 1000))];
  else if (!zone) [what, more] = [words("pick"), ""];
  else if (state) {
    const t = state.t + (state.live ? silent : 0);
    const mine = state.alarms.filter((a) => a.zone === zone || a.zones.includes(zone));
    const coming = mine.find((a) => a.impact >= t);
    const ended = state.cleared.filter((c) => c.zone === zone && t - c.t < CLEARED_SHOWN_MS).pop();
    if (coming) [look, what, when] = ["alarm", words(coming.advice), words("left", Math.ceil((coming.impact - t) / 1000))];
    else if (mine.length) [look, what, more] = ["wait", words("stay"), words("stayMore")];
    else if (ended) [look, what] = ["clear", words(ended.state === "all_clear" ? "clear" : "withdrawn")];
  }
  document.body.dataset.state = look;
  put("what", what);
  put("when", when);
  put("more", more);
  put("contact", silent > LOST_MS ? "" : words("ok", Math.round(silent / 1000)));
}

function choices(): void {
  if (!state || zoneChoice.options.length > 1) return;
  const empty = new Option(words("choose"), "");
  zoneChoice.replaceChildren(empty, ...state.zones.map((z) => new Option(z.name, z.id)));
  zoneChoice.value = zone;
}

async function ask(): Promise<void> {
  try {
    const answer = await fetch("/public/state", { signal: AbortSignal.timeout(GIVE_UP_MS), cache: "no-store" });
    if (answer.ok) {
      state = (await answer.json()) as State;
      heardAt = performance.now();
      choices();
    }
  } catch {
    // The page says by itself that it hears nothing.
  }
  setTimeout(ask, ASK_MS);
}

zoneChoice.onchange = () => {
  zone = zoneChoice.value;
  localStorage.setItem("zone", zone);
  show();
};
languageChoice.value = language;
languageChoice.onchange = () => {
  language = languageChoice.value;
  localStorage.setItem("lang", language);
  if (zoneChoice.options[0]) zoneChoice.options[0].text = words("choose");
  show();
};
setInterval(show, 200);
void ask();
show();
