// Reasons of health are sentences of the log, in English.  Those that the program itself writes are shown in the language
// of the screen (i18n/reasons.json: English, French, Arabic, {0} for what varies); what comes from elsewhere stays as it is.
import REASONS from "./i18n/reasons.json";
import { type Lang, ltr } from "./i18n";

const PLACES: Record<Lang, number> = { en: 0, fr: 1, ar: 2 };
const patterns = (REASONS as string[][]).map((texts) => ({
  texts,
  shape: new RegExp(`^${texts[0]!.replace(/[.*+?^$()|[\]\\]/g, "\\$&").replace(/\{\d\}/g, "(.+?)")}$`),
}));

function translated(text: string, lang: Lang): string | null {
  for (const { texts, shape } of patterns) {
    const found = shape.exec(text);
    if (found) return texts[PLACES[lang]]!.replace(/\{(\d)\}/g, (_, k: string) => listed(found[Number(k) + 1]!, lang) ?? ltr(found[Number(k) + 1]!));
  }
  return null;
}

function listed(text: string, lang: Lang): string | null {
  const parts = text.split("; ").map((part) => translated(part, lang));
  return parts.every((part) => part !== null) ? parts.join(lang === "ar" ? "؛ " : "; ") : null;
}

/** A reason in a language, and the language that it is in. */
export function reasonIn(text: string, lang: Lang): { text: string; lang: Lang } {
  const found = lang === "en" ? null : translated(text, lang) ?? listed(text, lang);
  return found === null ? { text, lang: "en" } : { text: found, lang };
}
