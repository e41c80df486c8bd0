// Keys and symbols.  A dialog of the browser: it keeps the focus, and Escape closes it.
import { useEffect, useRef } from "preact/hooks";
import { Glyph } from "./glyphs";
import { indic, t } from "./i18n";
import * as store from "./store";

const KEYS: [string, string][] = [
  ["Space", "space"], ["A", "a"], ["N", "n"], ["F", "f"], ["+ −", "zoom"], ["← →", "seek"], [", .", "marks"], ["[ ]", "speed"], ["L", "l"], ["M", "m"],
  ["S", "s"], ["E V H", "evh"], ["⇧H", "hold"], ["Esc", "esc"],
];

export function Help() {
  const ref = useRef<HTMLDialogElement>(null);
  const open = store.helpOpen.value;
  useEffect(() => {
    if (open && !ref.current?.open) ref.current?.showModal();
    if (!open && ref.current?.open) ref.current.close();
  }, [open]);
  return (
    <dialog ref={ref} aria-labelledby="help-title" onClose={() => { store.helpOpen.value = false; }}>
      <h2 id="help-title">{t("help.title")}</h2>
      <dl class="help-keys">
        {KEYS.map(([key, name]) => [<dt key={key}><kbd>{key}</kbd></dt>, <dd key={name}>{t(`help.${name}`)}</dd>])}
      </dl>
      <ul class="legend">
        {[0, 1, 2, 3, 4].map((kind) => <li key={kind}><Glyph kind={kind} acts={kind === 2 || kind === 3} /> {t(`kind.${kind}`)}</li>)}
      </ul>
      <p>
        <label>
          <input type="checkbox" checked={store.shortcuts.value} onChange={(e) => { store.shortcuts.value = e.currentTarget.checked; }} /> {t("help.shortcuts")}
        </label>
      </p>
      <p>
        <label>
          <input type="checkbox" checked={indic.value} onChange={(e) => { indic.value = e.currentTarget.checked; }} /> {t("help.digits")}
        </label>
      </p>
      <p><a href="/public" target="_blank" rel="noopener">{t("public")}</a></p>
      <button type="button" onClick={() => { store.helpOpen.value = false; }}>{t("close")}</button>
    </dialog>
  );
}
