// Keys.  Where text or a choice has the focus, keys belong to it; a key that is held down acts once.
import { SPEEDS, acknowledge, arm, confirm, disarm, goLive, holding, jumpToMark, nextThreat, seekBy, setSpeed, subject, togglePlay } from "./actions";
import * as map from "./map";
import { toggleSound } from "./sound";
import * as store from "./store";

const REPEATED = new Set(["ArrowLeft", "ArrowRight", "+", "=", "-", ",", "."]);

export function onKey(event: KeyboardEvent): void {
  const shut = document.querySelector("dialog[open]") || !store.shortcuts.value;
  if (event.ctrlKey || event.metaKey || event.altKey || shut) return;
  if (event.repeat && !REPEATED.has(event.key)) return;
  const target = event.target as HTMLElement;
  if (target.closest("select, input:not([type=checkbox]):not([type=range]), textarea, dialog[open]")) return;
  const pressed = target.closest("button, input[type=checkbox], a"); // these take space and Enter for themselves
  if ((event.key === " " || event.key === "Enter") && pressed) return;
  const inRange = target.closest("input[type=range]");
  const inMap = target.closest(".map-canvas");
  const done = act(event, Boolean(inRange || inMap));
  if (done) event.preventDefault();
}

function act(event: KeyboardEvent, arrowsTaken: boolean): boolean {
  const step = event.shiftKey ? 30 : 5;
  switch (event.key.length === 1 ? event.key.toLowerCase() : event.key) {
    case " ": togglePlay(); return true;
    case "a": acknowledge(event.shiftKey); return true;
    case "n": nextThreat(event.shiftKey ? -1 : 1); return true;
    case "f": map.fit(); return true;
    case "+": case "=": map.zoom(1); return true;
    case "-": map.zoom(-1); return true;
    case "l": goLive(); return true;
    case "m": toggleSound(); return true;
    case "?": store.helpOpen.value = true; return true;
    case "s": store.healthOpen.value = true; return true;
    case "e": arm("consent", subject()); return true;
    case "v": arm("veto", subject()); return true;
    case "h": {
      const track = event.shiftKey ? 0 : subject();
      if (track || event.shiftKey) arm(holding(track), track);
      return true;
    }
    case "Enter": if (!store.armed.value) return false; confirm(); return true;
    case ",": jumpToMark(-1); return true;
    case ".": jumpToMark(1); return true;
    case "[": case "]": {
      const at = SPEEDS.indexOf(store.player.value.speed) + (event.key === "]" ? 1 : -1);
      if (SPEEDS[at]) setSpeed(SPEEDS[at]!);
      return true;
    }
    case "ArrowLeft": if (arrowsTaken) return false; seekBy(-step); return true;
    case "ArrowRight": if (arrowsTaken) return false; seekBy(step); return true;
    case "Escape": if (store.armed.value) disarm(); else store.selected.value = 0; return true;
    default: return false;
  }
}
