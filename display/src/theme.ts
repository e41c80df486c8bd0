// The palette of the canvas is that of the stylesheet: one place for colours (style.css).
import { signal } from "@preact/signals";

export type Theme = "dark" | "light" | "contrast";
export const THEMES: readonly Theme[] = ["dark", "light", "contrast"];
export const theme = signal<Theme>("dark");

const NAMES = [
  "text", "muted", "ground", "ring", "zone", "asset", "effector", "alarm", "alarmFill", "waitFill", "confirmed", "tentative", "stale",
  "halo", "plate", "caution", "water", "green", "building", "street", "road", "veil",
] as const;
export type Palette = Record<(typeof NAMES)[number] | "font", string>;

const known = new Map<string, Palette>();

/** The colours of the page's theme and the letters of its language, read from the stylesheet once for each. */
export function paletteOf(element: Element): Palette {
  const { dataset, lang } = document.documentElement;
  const key = `${dataset.theme} ${lang}`;
  let found = known.get(key);
  if (!found) known.set(key, (found = read(element)));
  return found;
}

function read(element: Element): Palette {
  const style = getComputedStyle(element);
  const found = { font: style.fontFamily } as Palette;
  for (const name of NAMES) found[name] = style.getPropertyValue(`--${name}`).trim();
  return found;
}
