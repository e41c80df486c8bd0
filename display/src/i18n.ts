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
// Latin digits everywhere: track numbers must match what is said over the radio.
const locale = computed(() => `${lang.value}-u-nu-latn`);
const whole = computed(() => new Intl.NumberFormat(locale.value, { maximumFractionDigits: 0 }));

export function isLang(text: string | null): text is Lang {
  return text === "en" || text === "fr" || text === "ar";
}

/** The text of a key, its {names} filled in. */
export function t(key: string, values: Record<string, string | number> = {}): string {
  const text = CATALOGUES[lang.value][key] ?? CATALOGUES.en[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
}

/** The text of a key for a number of things: `key.one`, `key.few`, …, `key.other`. */
export function tn(key: string, n: number, values: Record<string, string | number> = {}): string {
  const catalogue = CATALOGUES[lang.value];
  const form = `${key}.${rules.value.select(n)}`;
  return t(form in catalogue ? form : `${key}.other`, { n: num(n), ...values });
}

export function num(value: number): string {
  return whole.value.format(value);
}

/** Units and numbers read left to right in every language. */
export function ltr(text: string): string {
  return `\u2066${text}\u2069`;
}

export function percent(p: number): string {
  if (!Number.isFinite(p)) return "–";
  if (p > 0 && p < 0.005) return ltr("<1 %");
  if (p > 0.995 && p < 1) return ltr(">99 %");
  return ltr(`${Math.round(p * 100)} %`);
}

export function seconds(s: number): string {
  return Number.isFinite(s) ? ltr(`${num(Math.max(Math.ceil(s), 0))} s`) : "–";
}

export function metres(m: number): string {
  if (!Number.isFinite(m)) return "–";
  return ltr(Math.abs(m) < 1000 ? `${Math.round(m)} m` : `${(m / 1000).toFixed(Math.abs(m) < 9950 ? 1 : 0)} km`);
}

export function clock(ms: number, local = false): string {
  const d = new Date(ms);
  const two = (n: number) => String(n).padStart(2, "0");
  return local
    ? ltr(`${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())} L`)
    : ltr(`${two(d.getUTCHours())}:${two(d.getUTCMinutes())}:${two(d.getUTCSeconds())}Z`);
}
