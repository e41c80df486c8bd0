// The list of rounds: by time to impact, those that act on people or assets first.
import type { Frame } from "./frame";
import { isStale } from "./paint";
import { Glyph } from "./glyphs";
import { deviation, percent, seconds, t, tn } from "./i18n";
import * as store from "./store";
import type { Engagement } from "./types";
import { Profile } from "./profile";

const ROWS_MAX = 40;

export function Threats() {
  const f = store.listFrame.value;
  const ranked = store.ranked.value;
  const acting = f ? ranked.filter((k) => f.col.acts![k]) : [];
  const others = f ? ranked.filter((k) => !f.col.acts![k]) : [];
  const engaged = new Map([...store.engagements.value.values()].map((e) => [e.track, e]));
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
              {acting.slice(0, ROWS_MAX).map((k) => <Row key={f!.col.id![k]} {...cells(f!, k, engaged)} />)}
            </tbody>
          )}
          {others.length > 0 && (
            <tbody>
              <tr class="group"><th colSpan={5} scope="rowgroup">{t("group.others")}</th></tr>
              {others.slice(0, room).map((k) => <Row key={f!.col.id![k]} {...cells(f!, k, engaged)} />)}
            </tbody>
          )}
        </table>
        {ranked.length === 0 && <p class="empty">{f ? t("none.threats") : "–"}</p>}
        {left > 0 && <p class="empty">{tn("more.n", left)}</p>}
      </div>
      <Profile />
    </section>
  );
}

interface Cells {
  id: number;
  kind: number;
  acts: boolean;
  stale: boolean;
  chosen: boolean;
  time: string;
  within: string; // two standard deviations of the time
  zone: string;
  p: string;
  decided: string;
  action: string;
}

function cells(f: Frame, k: number, engaged: ReadonlyMap<number, Engagement>): Cells {
  const id = f.col.id![k]!;
  const acts = f.col.acts![k] === 1;
  const tti = store.killed.value.has(id) ? NaN : f.col.tti![k]!;
  const decision = store.decisions.value.get(id);
  const engagement = engaged.get(id);
  return {
    id, acts, kind: f.col.kind![k]!, stale: isStale(f, k), chosen: store.selected.value === id,
    time: Number.isNaN(tti) ? "–" : tti >= 0 ? seconds(tti) : t("ago", { s: seconds(-tti) }),
    within: acts && tti >= 0 ? deviation(2 * f.col.tti_std![k]!, true) : "",
    zone: store.hello.value!.site.zones[f.col.zone![k]!]?.name ?? "–",
    p: percent(f.col.p_asset![k]!),
    decided: engagement ? t(`engagement.${engagement.state}`) : decision ? t(`action.${decision.action}`) : "–",
    action: decision?.action ?? "none",
  };
}

/** One round.  It is drawn again only when one of its words changes: signals compares what a component is given. */
function Row({ id, kind, acts, stale, chosen, time, within, zone, p, decided, action }: Cells) {
  return (
    <tr class={`${chosen ? "chosen" : ""} ${stale ? "stale" : ""}`} onClick={() => { store.selected.value = id; }}>
      <th scope="row">
        <button type="button" class="row-button" aria-pressed={chosen} onClick={() => { store.selected.value = id; }}>
          <Glyph kind={kind} acts={acts} /><bdi>{id}</bdi>
          <span class="hidden"> {t(`kind.${kind}`)}</span>
          {stale && <span class="tag">? {t("stale")}</span>}
        </button>
      </th>
      <td class="tti">{time}{within && <small> {within}</small>}</td>
      <td><bdi>{zone}</bdi></td>
      <td class="number">{p}</td>
      <td>
        <span class={`decision decision-${action}`}>{decided}</span>
      </td>
    </tr>
  );
}
