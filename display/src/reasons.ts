// Reasons of the log are sentences in English.  Those that the program itself writes are shown in the language of the
// screen (src/opencram/display/reasons.json: English, French, Arabic, {0} for what varies, {0#} for numbers alone); what comes
// from elsewhere stays as it is.  reasons.py does the same for reports, by the same table and the same rules.
import REASONS from "../../src/opencram/display/reasons.json";
import { type Lang, ltr } from "./i18n";

type Said = (text: string, lang: Lang) => string | null;
const PLACES: Record<Lang, number> = { en: 0, fr: 1, ar: 2 };
const SEPARATORS: Record<string, Record<Lang, string>> = {
  "; ": { en: "; ", fr: " ; ", ar: "؛ " },
  ", ": { en: ", ", fr: ", ", ar: "، " },
  ": ": { en: ": ", fr: " : ", ar: ": " },
};
const patterns = (REASONS as string[][]).map((texts) => ({
  texts,
  shape: new RegExp(`^${texts[0]!.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\d(#?)\}/g, (_, numbers) => (numbers ? "([-+\\d., ]+)" : "(.+?)"))}$`, "s"),
}));

const clause: Said = (text, lang) => changed(text, lang) ?? whole(text, lang);
const said: Said = (text, lang) => clause(text, lang) ?? row(text, "; ", lang, clause);

/** What changed, a row before the first colon, and how it stands now. */
const changed: Said = (text, lang) => {
  const colon = text.indexOf(": ");
  const before = text.slice(0, Math.max(colon, 0));
  const changes = colon < 0 ? null : whole(before, lang) ?? row(before, ", ", lang, whole);
  const now = changes === null ? null : said(text.slice(colon + 2), lang);
  return now === null ? null : changes + SEPARATORS[": "]![lang] + now;
};

const whole: Said = (text, lang) => {
  for (const { texts, shape } of patterns) {
    const found = shape.exec(text);
    if (found) return texts[PLACES[lang]]!.replace(/\{(\d)\}/g, (_, k: string) => gap(found[Number(k) + 1]!, lang));
  }
  return null;
};

function gap(text: string, lang: Lang): string {
  const told = row(text, ", ", lang, whole) ?? said(text, lang);
  if (told !== null) return told;
  const number = lang === "fr" && /^[-+]?\d+\.\d+( %)?$/.test(text);
  return number ? text.replace(".", ",") : lang === "ar" ? ltr(text) : text;
}

/** Several in a row; null where one of them is not known, or it is but one. */
function row(text: string, between: string, lang: Lang, one: Said): string | null {
  const parts = text.split(between);
  const all = parts.length > 1 ? parted(parts, between, lang, one) : null;
  return all && all.join(SEPARATORS[between]![lang]);
}

/** Each of a row, as short as it can be: what is between two may also stand in one. */
function parted(parts: string[], between: string, lang: Lang, one: Said): string[] | null {
  for (let end = 1; end <= parts.length; end++) {
    const told = one(parts.slice(0, end).join(between), lang);
    const rest = told === null ? null : end === parts.length ? [] : parted(parts.slice(end), between, lang, one);
    if (told !== null && rest !== null) return [told, ...rest];
  }
  return null;
}

/** A reason in a language, and the language that it is in. */
export function reasonIn(text: string, lang: Lang): { text: string; lang: Lang } {
  const found = lang === "en" ? null : said(text, lang);
  return found === null ? { text, lang: "en" } : { text: found, lang };
}
