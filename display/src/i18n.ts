// Words of the screen in three languages; plurals by the rules of each (Arabic has six forms).
import { computed, signal } from "@preact/signals";
import ar from "./i18n/ar.json";
import en from "./i18n/en.json";
import fr from "./i18n/fr.json";

export type Lang = "en" | "fr" | "ar";
export const LANGS: readonly [Lang, string][] = [["en", "English"], ["fr", "Français"], ["ar", "العربية"]];
const CATALOGUES: Record<Lang, Record<string, string>> = { en, fr, ar };

export const lang = signal<Lang>("en");
export const dir = computed(() => (lang.value === "ar" ? "rtl" : "ltr"));
const rules = computed(() => new Intl.PluralRules(lang.value));
/** Arabic-Indic digits for quantities, if a person wants them.  Track numbers and times of day stay as the radio says them. */
export const indic = signal(false);
const locale = computed(() => `${lang.value}-u-nu-${indic.value && lang.value === "ar" ? "arab" : "latn"}`);
const formats = computed(() => [0, 1, 2].map((digits) => new Intl.NumberFormat(locale.value, { minimumFractionDigits: digits, maximumFractionDigits: digits })));

export function isLang(text: string | null): text is Lang {
  return text === "en" || text === "fr" || text === "ar";
}

/** French sets a space before ; : ? ! and inside « », at which no line may end. */
export function spaced(text: string, its: Lang): string {
  return its === "fr" ? text.replace(/ (?=[;:?!»%])/g, "\u00a0").replace(/« /g, "«\u00a0") : text;
}

/** The text of a key, its {names} filled in. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  const text = CATALOGUES[lang.value][key] ?? CATALOGUES.en[key] ?? key;
  return spaced(text, lang.value).replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

/** The text of a key for a number of things: `key.one`, `key.few`, …, `key.other`. */
export function tn(key: string, n: number, values: Record<string, string | number> = {}): string {
  const catalogue = CATALOGUES[lang.value];
  const form = `${key}.${rules.value.select(n)}`;
  return t(form in catalogue ? form : `${key}.other`, { n: num(n), ...values });
}

/** A part of the system ("tracking", "sensor:north") by the name that people know it by. */
export function partName(part: string): string {
  const [kind, name] = part.includes(":") ? [part.slice(0, part.indexOf(":")), part.slice(part.indexOf(":") + 1)] : [part, ""];
  const [sensor, by] = kind === "sensor" && name!.includes("/") ? name!.split("/") : [name, ""];
  if (by && `part.sensor.${by}` in CATALOGUES.en) return t(`part.sensor.${by}`, { name: `\u2068${sensor}\u2069` });
  const key = `part.${kind}`;
  return key in CATALOGUES.en ? t(key, { name: `\u2068${name}\u2069` }) : part;
}

export function num(value: number): string {
  return fixed(value, 0);
}

export function fixed(value: number, digits: 0 | 1 | 2): string {
  return formats.value[digits]!.format(value);
}

/** Two standard deviations beside a time, (±2 s) or in lists ±2: whole seconds, and one at least. */
export function deviation(s: number, brief = false): string {
  if (!Number.isFinite(s)) return "";
  const text = `±${num(Math.max(Math.ceil(s), 1))}`;
  return ltr(brief ? text : `(${text} s)`);
}

/** Units and numbers read left to right in every language. */
export function ltr(text: string): string {
  return `\u2066${text}\u2069`;
}

export function percent(p: number): string {
  if (!Number.isFinite(p)) return "–";
  if (p > 0 && p < 0.005) return ltr(`<${num(1)} %`);
  if (p > 0.995 && p < 1) return ltr(`>${num(99)} %`);
  return ltr(`${num(Math.round(p * 100))} %`);
}

export function seconds(s: number): string {
  return Number.isFinite(s) ? ltr(`${num(Math.max(Math.ceil(s), 0))} s`) : "–";
}

export function metres(m: number): string {
  if (!Number.isFinite(m)) return "–";
  return ltr(Math.abs(m) < 1000 ? `${num(Math.round(m))} m` : `${fixed(m / 1000, Math.abs(m) < 9950 ? 1 : 0)} km`);
}

export function clock(ms: number, local = false): string {
  const d = new Date(ms);
  const two = (n: number) => String(n).padStart(2, "0");
  return local
    ? ltr(`${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())} L`)
    : ltr(`${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}Z`);
}
