// Live: what the service does, which model answers, and jobs that make one.
import { html, useEffect, useState } from "/assets/vendor/preact-htm.js";
import { ask, at } from "/assets/ask.js";
import { Fault, Shown, Table, useAsked } from "/assets/parts.js";
import { t } from "/assets/words.js";

const EVERY_MS = 5000;
const shownNumber = (value) => value.toLocaleString(undefined, { maximumFractionDigits: Math.abs(value) < 100 ? 2 : 0 });
const percent = (value) => value === null ? "–" : `${(100 * value).toFixed(0)} %`;

function Numbers({ told }) {
  const recent = told.recent;
  const shown = [[t("perSecond"), recent.per_second], ["p50 ms", recent.p50_ms ?? "–"], ["p99 ms", recent.p99_ms ?? "–"], [t("requests"), recent.requests],
    [t("faults"), recent.faults], [t("refused"), recent.refused], [t("cold"), percent(recent.cold_share)], [t("unknown"), percent(recent.unknown_share)],
    [t("short"), percent(recent.short_share)], [`${t("memory")} MB`, told.memory_mb], [t("items"), told.items], [t("users"), told.users]];
  return html`<ul class="plain">${told.sentences.map((one) => html`<li lang="en">${one}</li>`)}</ul>
    <dl class="numbers">${shown.map(([name, value]) => html`<div class="box"><dt>${name}</dt><dd>${typeof value === "number" ? shownNumber(value) : value}</dd></div>`)}</dl>`;
}

function Drift({ told }) {
  return html`<section class="box"><h3>${t("drift")}</h3><ul class="plain">${told.findings.map((one) => html`<li lang="en"><span class=${`light ${one.level}`}>${t(one.level)}</span> ${one.text}</li>`)}
    ${!told.findings.length && html`<li class="soft">${t("noDrift")}</li>`}</ul></section>`;
}

function Models({ told, again }) {
  const [run, set] = useState("");
  const [share, part] = useState(10);
  const [fault, fail] = useState(null);
  const act = async (action) => {
    try { await ask(at("models/current"), { action, ...(run && { run }), share: share / 100 }); fail(null); again(); } catch (problem) { fail(problem); }
  };
  return html`<section class="box"><h3>${t("answersBy")}</h3><p><strong>${told.model}</strong>${told.canary && html` · ${t("canary")} ${told.canary} ${percent(told.share)}`}${told.before && html` · ${t("before")}: ${told.before}`}</p>
    <form onSubmit=${(event) => { event.preventDefault(); act("swap"); }}><label>${t("folder")}<input value=${run} required onInput=${(e) => set(e.target.value)} /></label>
      <label>${t("canary")} ${share} %<input type="range" min="1" max="100" value=${share} onInput=${(e) => part(Number(e.target.value))} /></label>
      <button>${t("swap")}</button><button type="button" class="quiet" disabled=${!run} onClick=${() => act("canary")}>${t("tryIt")}</button></form>
    <div class="row"><button class="quiet" disabled=${!told.before} onClick=${() => act("rollback")}>${t("rollback")}</button>
      <button class="quiet" disabled=${!told.canary} onClick=${() => act("end_canary")}>${t("endCanary")}</button></div>
    ${fault && html`<${Fault} fault=${fault} />`}</section>`;
}

function Jobs() {
  const asked = useAsked(at("jobs"));
  const [out, set] = useState("");
  const [kind, choose] = useState("update");
  const [fault, fail] = useState(null);
  const send = async (event) => {
    event.preventDefault();
    try { await ask(at("jobs"), { kind, out }); fail(null); asked[2](); } catch (problem) { fail(problem); }
  };
  return html`<section class="box"><h3>${t("jobs")}</h3><form onSubmit=${send}><label>${t("folder")}<input value=${out} required onInput=${(e) => set(e.target.value)} /></label>
      <label>${t("kind")}<select value=${kind} onChange=${(e) => choose(e.target.value)}>${["update", "refit"].map((one) => html`<option value=${one}>${t(one)}</option>`)}</select></label><button>${t("begin")}</button></form>
    ${fault && html`<${Fault} fault=${fault} />`}
    <${Shown} asked=${asked}>${(told) => told.jobs.length ? html`<${Table} caption=${t("jobs")} columns=${["kind", "out", t("state"), ""]} rows=${told.jobs.map((one) => [one.kind, one.out, one.state, one.said])} />` : html`<p class="soft">${t("noJobs")}</p>`}<//></section>`;
}

export function Live() {
  const asked = useAsked(at("health"));
  useEffect(() => {
    const timer = setInterval(() => document.hidden || asked[2](), EVERY_MS);
    return () => clearInterval(timer);
  });
  return html`<${Shown} asked=${asked}>${(told) => html`<${Numbers} told=${told} />${told.drift && html`<${Drift} told=${told.drift} />`}<${Models} told=${told.models} again=${asked[2]} />`}<//><${Jobs} />`;
}
