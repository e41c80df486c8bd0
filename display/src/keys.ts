// Keys.  Where text or a choice has the focus, keys belong to it.
import { SPEEDS, acknowledge, engageAction, goLive, nextThreat, seekBy, setSpeed, togglePlay } from "./actions";
import * as map from "./map";
import { toggleSound } from "./sound";
import * as store from "./store";

export function onKey(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || store.helpOpen.value || !store.shortcuts.value) return;
  const target = event.target as HTMLElement;
  if (target.closest("select, input:not([type=checkbox]):not([type=range]), textarea, dialog")) return;
  const held = target.closest("button, input, a");
  if ((event.key === " " || event.key === "Enter") && held) return;
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
    case "e": engageAction("consent"); return true;
    case "v": engageAction("veto"); return true;
    case "h": engageAction("hold"); return true;
    case "[": case "]": {
      const at = SPEEDS.indexOf(store.player.value.speed) + (event.key === "]" ? 1 : -1);
      if (SPEEDS[at]) setSpeed(SPEEDS[at]!);
      return true;
    }
    case "ArrowLeft": if (arrowsTaken) return false; seekBy(-step); return true;
    case "ArrowRight": if (arrowsTaken) return false; seekBy(step); return true;
    case "Escape": store.selected.value = 0; store.armed.value = null; return true;
    default: return false;
  }
}
