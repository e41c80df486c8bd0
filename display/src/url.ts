// View, time, filters and language live in the address: what one sees can be sent to another.
import { effect } from "@preact/signals";
import { embedded, query } from "./embed";
import { indic, isLang, lang } from "./i18n";
import * as map from "./map";
import * as store from "./store";
import { THEMES, type Theme, theme } from "./theme";

const WRITE_MS = 400;
const ABOVE_FIRST = store.above.peek();
const DEFAULT_OFF = new Set<store.Layer>(["coverage", "app6"]);

export function read(): { t: string | null; view: string | null; paused: boolean } {
  const wanted = query.get("lang");
  const spoken = navigator.language.slice(0, 2);
  lang.value = isLang(wanted) ? wanted : isLang(spoken) ? spoken : "en";
  const coloured = query.get("theme") as Theme | null;
  if (coloured && THEMES.includes(coloured)) theme.value = coloured;
  else if (matchMedia("(prefers-contrast: more)").matches) theme.value = "contrast";
  store.selected.value = Number(query.get("track")) || 0;
  store.onlyActing.value = query.get("only") === "1";
  store.zoneFilter.value = query.get("zones") ?? "";
  indic.value = query.get("digits") === "arab";
  const above = Number(query.get("above"));
  if (store.ABOVE_M.some((m) => m === above)) store.above.value = above;
  const changed = new Set((query.get("layers") ?? "").split("."));
  store.layers.value = Object.fromEntries(
    Object.entries(store.layers.value).map(([name, on]) => [name, changed.has(name) ? !on : on]),
  ) as Record<store.Layer, boolean>;
  return { t: query.get("t"), view: query.get("view"), paused: query.get("paused") === "1" };
}

export function keep(): void {
  if (embedded !== null) return; // the address is that of the page around us
  let waiting = 0;
  const later = () => {
    if (!waiting) waiting = window.setTimeout(() => { waiting = 0; write(); }, WRITE_MS);
  };
  effect(() => {
    lang.value; theme.value; indic.value; store.zoneFilter.value; store.selected.value; store.onlyActing.value; store.layers.value; store.above.value; store.player.value; store.listFrame.value;
    later();
  });
  map.moved(later);
}

function write(): void {
  const query = new URLSearchParams({ lang: lang.value });
  if (theme.value !== "dark") query.set("theme", theme.value);
  const { playing, following } = store.player.value;
  const f = store.frame.value;
  if (f && !following) query.set("t", String(Math.round(f.t)));
  if (!playing) query.set("paused", "1");
  if (store.selected.value) query.set("track", String(store.selected.value));
  if (store.onlyActing.value) query.set("only", "1");
  if (store.zoneFilter.value) query.set("zones", store.zoneFilter.value);
  if (indic.value) query.set("digits", "arab");
  if (store.layers.value.coverage && store.above.value !== ABOVE_FIRST) query.set("above", String(store.above.value));
  const changed = (Object.keys(store.layers.value) as store.Layer[]).filter((name) => store.layers.value[name] === DEFAULT_OFF.has(name));
  if (changed.length) query.set("layers", changed.join("."));
  const view = map.where();
  if (view) query.set("view", view);
  const address = `${location.pathname}?${query}${location.hash}`;
  if (address !== location.pathname + location.search + location.hash) history.replaceState(null, "", address);
}
