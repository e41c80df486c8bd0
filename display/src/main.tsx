// The operator display.  `store` holds what the server said, `link` fetches it, everything else draws it.
import { effect, useSignalEffect } from "@preact/signals";
import { render } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { startAnnouncing } from "./announce";
import { CoverageLegend, fetchCoverage } from "./coverage";
import { HealthDialog } from "./health";
import { Help } from "./help";
import { dir, lang, t } from "./i18n";
import { onKey } from "./keys";
import { connect } from "./link";
import * as map from "./map";
import { remember, remembered } from "./remember";
import { Log, Selected, Zones } from "./side";
import { startSound } from "./sound";
import * as store from "./store";
import { theme } from "./theme";
import { Threats } from "./threats";
import { Timeline } from "./timeline";
import { Announcer, Asked, Banner, LinkBar, NotLive, TopBar } from "./top";
import * as url from "./url";

function MapPanel() {
  const ref = useRef<HTMLDivElement>(null);
  useEffect(() => map.mount(ref.current!), []);
  const f = store.listFrame.value;
  const acting = f ? f.col.acts!.reduce((sum, one) => sum + one, 0) : 0;
  return (
    <section class="map" dir="ltr" aria-label={t("map", { tracks: f?.n ?? 0, threats: acting })}>
      <div class="map-canvas" ref={ref} tabIndex={0} role="application" aria-label={t("map", { tracks: f?.n ?? 0, threats: acting })} />
      <CoverageLegend />
      <div class="map-tools" role="group" aria-label={t("layers")} dir={dir.value}>
        <button type="button" aria-label={t("map.in")} onClick={() => map.zoom(1)}>+</button>
        <button type="button" aria-label={t("map.out")} onClick={() => map.zoom(-1)}>−</button>
        <button type="button" onClick={map.fit} aria-keyshortcuts="F">{t("map.fit")} <kbd>F</kbd></button>
        {(Object.keys(store.layers.value) as store.Layer[]).filter((name) => name !== "base" || store.hello.value?.basemap).map((name) => (
          <button key={name} type="button" aria-pressed={store.layers.value[name]}
            onClick={() => { store.layers.value = { ...store.layers.value, [name]: !store.layers.value[name] }; }}>
            {t(`layer.${name}`)}
          </button>
        ))}
      </div>
    </section>
  );
}

function Screen() {
  useSignalEffect(() => {
    document.documentElement.lang = lang.value;
    document.documentElement.dir = dir.value;
    document.documentElement.dataset.theme = theme.value;
    document.title = t("title");
    map.repaint();
  });
  return (
    <>
      <a class="skip" href="#threats">{t("skip")}</a>
      <TopBar />
      <div class="bars"><LinkBar /><NotLive /></div>
      <Banner />
      <Asked />
      <main>
        <Threats />
        <MapPanel />
        <div class="side"><Zones /><Selected /><Log /></div>
      </main>
      <Timeline />
      <Help />
      <HealthDialog />
      <Announcer />
    </>
  );
}

const start = url.read();
render(<Screen />, document.getElementById("screen")!);
addEventListener("keydown", onKey);
startSound();
startAnnouncing();
store.said.value = remembered("operator");
effect(() => remember("operator", store.said.value));
effect(() => { if (store.hello.value && store.layers.value.coverage) void fetchCoverage(); });
connect(start.t, start.paused);
const stop = effect(() => {
  if (!store.hello.value || !store.frame.value) return;
  queueMicrotask(() => {
    stop();
    if (!start.view || !map.goTo(start.view)) map.fit();
    url.keep();
  });
});
