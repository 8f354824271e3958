// The page: screens behind one address each, two languages, two themes.
import { html, render, useEffect, useRef, useState } from "/assets/vendor/preact-htm.js";
import { ask, choose, KEYED, run } from "/assets/ask.js";
import { Graph } from "/assets/graph.js";
import { Item } from "/assets/item.js";
import { Live } from "/assets/live.js";
import { link } from "/assets/parts.js";
import { Card, Privacy } from "/assets/privacy.js";
import { Why, WhyNot } from "/assets/reasons.js";
import { Someone } from "/assets/someone.js";
import { language, t, turn } from "/assets/words.js";

const SCREENS = { someone: Someone, why: Why, whynot: WhyNot, item: Item, graph: Graph, live: Live, privacy: Privacy, card: Card };
const THEME = "trefoil-theme";

function place() {
  const [name, query] = location.hash.slice(1).split("?");
  return { screen: name in SCREENS ? name : "someone", values: Object.fromEntries(new URLSearchParams(query)) };
}

function themed(name) {
  if (name) document.documentElement.dataset.theme = name;
}

function Page() {
  const [here, set] = useState(place());
  const [, again] = useState(0);
  const [runs, know] = useState([]);
  const heading = useRef(null);
  const shown = useRef(here.screen);
  useEffect(() => {
    const moved = () => set(place());
    // a key may be for runs that are not the first one
    const look = () => ask("/v1/runs").then((told) => { if (!told.runs.includes(run() || told.first)) choose(told.runs[0] ?? ""); know(told.runs); }, () => know([]));
    addEventListener("hashchange", moved);
    addEventListener(KEYED, look);
    look();
    return () => { removeEventListener("hashchange", moved); removeEventListener(KEYED, look); };
  }, []);
  useEffect(() => {
    document.title = `${t(here.screen)} · Trefoil`;
    document.documentElement.lang = language();
    if (shown.current !== here.screen) { shown.current = here.screen; heading.current?.focus(); }
  });
  const go = (values) => {
    const now = place();
    location.hash = link(now.screen, { ...now.values, ...values }) || "#";
    if (values.user === "") set({ ...now, values: { ...now.values, ...values } });
  };
  const dark = () => {
    const now = document.documentElement.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");
    const next = now === "dark" ? "light" : "dark";
    localStorage.setItem(THEME, next);
    themed(next);
  };
  const Screen = SCREENS[here.screen];
  return html`<a class="skip" href="#main" onClick=${(event) => { event.preventDefault(); heading.current?.focus(); }}>${t("skip")}</a>
    <header><h1><img src="/assets/icon.svg" alt="" width="24" height="24" /> Trefoil</h1>
      <nav aria-label=${t("screens")}><ul>${Object.keys(SCREENS).map((name) => html`<li><a href=${link(name, { user: here.values.user, item: here.values.item })} aria-current=${name === here.screen ? "page" : undefined}>${t(name)}</a></li>`)}</ul></nav>
      <div class="row">${runs.length > 1 && html`<label class="inline">${t("run")} <select value=${run() || runs[0]} onChange=${(event) => { choose(event.target.value); location.hash = "#someone"; again(Date.now()); }}>${runs.map((name) => html`<option value=${name}>${name}</option>`)}</select></label>`}
        <button class="quiet" onClick=${() => { turn(); again(Date.now()); }} lang=${language() === "en" ? "zh" : "en"}>${t("language")}</button>
        <button class="quiet" onClick=${dark}>${t("theme")}</button></div></header>
    <main id="main"><h2 tabindex="-1" ref=${heading}>${t(here.screen)}</h2>
      <${Screen} key=${`${here.screen} ${run()}`} values=${here.values} go=${go} /></main>
    <footer><a href="/docs">${t("routes")}</a></footer>`;
}

themed(localStorage.getItem(THEME));
addEventListener("keydown", (event) => {
  if (event.key === "/" && !/INPUT|TEXTAREA|SELECT/.test(event.target.tagName)) {
    event.preventDefault();
    document.querySelector("main input")?.focus();
  }
});
render(html`<${Page} />`, document.getElementById("app"));
