// The list of rounds: by time to impact, those that act on people or assets first.
import { isStale } from "./paint";
import { Glyph } from "./glyphs";
import { deviation, percent, seconds, t, tn } from "./i18n";
import * as store from "./store";
import { Profile } from "./profile";

const ROWS_MAX = 40;

export function Threats() {
  const f = store.listFrame.value;
  const ranked = store.ranked.value;
  const acting = f ? ranked.filter((k) => f.col.acts![k]) : [];
  const others = f ? ranked.filter((k) => !f.col.acts![k]) : [];
  const room = Math.max(ROWS_MAX - acting.length, 0);
  const left = Math.max(acting.length - ROWS_MAX, 0) + Math.max(others.length - room, 0);
  return (
    <section class="panel threats" aria-labelledby="threats-title" id="threats" tabIndex={-1}>
      <h2 id="threats-title">{t("threats")}</h2>
      <label class="filter">
        <input type="checkbox" checked={store.onlyActing.value} onChange={(e) => { store.onlyActing.value = e.currentTarget.checked; }} />
        {t("acting.only")}
      </label>
      <div class="scroll" tabIndex={0} role="group" aria-labelledby="threats-title">
        <table>
          <thead>
            <tr>{["track", "impact", "where", "p", "decision"].map((name) => <th key={name} scope="col">{t(`col.${name}`)}</th>)}</tr>
          </thead>
          {acting.length > 0 && (
            <tbody class="acting">
              <tr class="group"><th colSpan={5} scope="rowgroup">{t("group.acts")}</th></tr>
              {acting.slice(0, ROWS_MAX).map((k) => <Row key={f!.col.id![k]} k={k} />)}
            </tbody>
          )}
          {others.length > 0 && (
            <tbody>
              <tr class="group"><th colSpan={5} scope="rowgroup">{t("group.others")}</th></tr>
              {others.slice(0, room).map((k) => <Row key={f!.col.id![k]} k={k} />)}
            </tbody>
          )}
        </table>
        {ranked.length === 0 && <p class="empty">{t("none.threats")}</p>}
        {left > 0 && <p class="empty">{tn("more.n", left)}</p>}
      </div>
      <Profile />
    </section>
  );
}

function Row({ k }: { k: number }) {
  const f = store.listFrame.value!;
  const hello = store.hello.value!;
  const id = f.col.id![k]!;
  const acts = f.col.acts![k] === 1;
  const kind = f.col.kind![k]!;
  const tti = f.col.tti![k]!;
  const zone = hello.site.zones[f.col.zone![k]!];
  const stale = isStale(f, k);
  const chosen = store.selected.value === id;
  const decision = store.decisions.value.get(id);
  const engagement = [...store.engagements.value.values()].filter((e) => e.track === id).pop();
  return (
    <tr class={`${chosen ? "chosen" : ""} ${stale ? "stale" : ""}`} onClick={() => { store.selected.value = id; }}>
      <th scope="row">
        <button type="button" class="row-button" aria-pressed={chosen} onClick={() => { store.selected.value = id; }}>
          <Glyph kind={kind} acts={acts} /><bdi>{id}</bdi>
          <span class="hidden"> {t(`kind.${kind}`)}</span>
          {stale && <span class="tag">? {t("stale")}</span>}
        </button>
      </th>
      <td class="tti">{Number.isNaN(tti) ? "–" : tti >= 0 ? <>{seconds(tti)}{acts && <small> {deviation(2 * f.col.tti_std![k]!, true)}</small>}</> : t("ago", { s: seconds(-tti) })}</td>
      <td><bdi>{zone?.name ?? "–"}</bdi></td>
      <td class="number">{percent(f.col.p_asset![k]!)}</td>
      <td>
        <span class={`decision decision-${decision?.action ?? "none"}`}>
          {engagement ? t(`engagement.${engagement.state}`) : decision ? t(`action.${decision.action}`) : "–"}
        </span>
      </td>
    </tr>
  );
}
