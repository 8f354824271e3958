// Why: paths drawn, in words and in Cypher, and the list without what they cite. Why not.
import { html, useEffect, useState } from "/assets/vendor/preact-htm.js";
import { at } from "/assets/ask.js";
import { Copy, emphasised, FindItem, link, Picture, Shown, Table, useAsked } from "/assets/parts.js";
import { t } from "/assets/words.js";

// Who and what: the two fields of both screens.
function Pair({ values, go, label }) {
  const [user, set] = useState(values.user || "");
  useEffect(() => { set(values.user || ""); }, [values.user]);
  const send = (event) => { event.preventDefault(); go({ user }); };
  return html`<form class="box" onSubmit=${send}><label>${t("user")}<input value=${user} autocomplete="off" onInput=${(e) => set(e.target.value)} /></label>
    <${FindItem} id="pair" label=${t("find")} choose=${(one) => go({ user, item: one.id })} />
    <button>${label}</button></form>
    ${values.item && html`<p>${t("item")}: <a href=${link("item", { item: values.item })}>${values.item}</a></p>`}`;
}

function Tabs({ names, shown, show }) {
  return html`<div class="row" role="group" aria-label=${t("why")}>${names.map((name) => html`<button class="quiet" aria-pressed=${name === shown} onClick=${() => show(name)}>${t(name)}</button>`)}</div>`;
}

function Reason({ reason, values, go }) {
  const [shown, show] = useState("picture");
  const cited = reason.nodes.filter((node, place) => node.label === "Item" && node.id && place < reason.nodes.length - 1);
  return html`<li class="card"><p lang="en">${emphasised(reason)}</p>
    <${Tabs} names=${["picture", "statement"]} shown=${shown} show=${show} />
    ${shown === "picture" ? html`<${Picture} reason=${reason} />` : html`<pre tabindex="0" aria-label="Cypher">${reason.cypher}\n${JSON.stringify(reason.parameters)}</pre><${Copy} text=${reason.cypher} />`}
    <p class="soft small">${t("weight")} ${reason.weight.toFixed(2)}</p>
    <div class="row">${cited.map((node) => html`<button class="quiet" onClick=${() => go({ without: node.id })}>${t("compare")}: ${node.name}</button>`)}</div></li>`;
}

const title = (one) => one.title || one.item || String(one);

// Two lists side by side, from the reply of what-if.
function Compared({ told }) {
  const lists = [["before", told.before], ["after", told.after]];
  return html`<div class="two">${lists.map(([name, list]) => html`<section class="box"><h3>${t(name)}</h3>
    <ol class="short">${(list?.items || list || []).map((one) => html`<li>${title(one)}</li>`)}</ol></section>`)}</div>`;
}

function WhatIf({ values }) {
  const body = { user: values.user, without: [values.without], k: 10 };
  return html`<section><h3>${t("whatIf")} ${t("without")} ${values.without}</h3>
    <${Shown} asked=${useAsked(at("what-if"), body)}>${(told) => html`<${Compared} told=${told} />`}<//></section>`;
}

export function Why({ values, go }) {
  const whole = values.user && values.item;
  const asked = useAsked(whole ? at("explain") : "", { user: values.user, item: values.item, k: 5 });
  return html`<${Pair} values=${values} go=${go} label=${t("explain")} />
    ${!whole && html`<p class="soft">${t("pick")}</p>`}
    <${Shown} asked=${asked}>${(told) => told.reasons.length
      ? html`<ol class="cards">${told.reasons.map((reason) => html`<${Reason} reason=${reason} values=${values} go=${go} />`)}</ol>`
      : html`<p class="box">${t("noReason")}</p>`}<//>
    ${whole && values.without && html`<${WhatIf} values=${values} />`}`;
}

// What base models and events add to the item, and to the last one listed.
function Gaps({ name, gaps }) {
  if (!gaps.length) return null;
  const number = (value) => value === null ? "–" : (Math.round(100 * value) / 100 || 0).toFixed(2);
  return html`<h3>${t(name)}</h3><${Table} caption=${t(name)} columns=${[t("name"), t("thisItem"), t("lastListed")]} rows=${gaps.map((one) => [one.name, number(one.here), number(one.there)])} />`;
}

function NotListed({ told, values }) {
  const behind = !told.listed && !told.kept_out; // else nothing holds it back
  return html`<section class="box"><p lang="en">${told.text}</p>
      <dl class="told"><dt>${t("rank")}</dt><dd>${told.place}</dd><dt>${t("lastListed")}</dt><dd><a href=${link("why", { user: values.user, item: told.last })}>${told.last_title || told.last}</a></dd></dl>
      ${behind && html`<${Gaps} name="byModels" gaps=${told.models} /><${Gaps} name="byEvents" gaps=${told.events} />`}</section>
    ${behind && told.reasons.length > 0 && html`<h3>${t("itHas")}: ${told.last_title || told.last}</h3><ol class="cards">${told.reasons.map((reason) => html`<li class="card"><p lang="en">${emphasised(reason)}</p><${Picture} reason=${reason} /></li>`)}</ol>`}`;
}

export function WhyNot({ values, go }) {
  const whole = values.user && values.item;
  const asked = useAsked(whole ? at("why-not") : "", { user: values.user, item: values.item });
  return html`<${Pair} values=${values} go=${go} label=${t("askWhyNot")} />
    ${!whole && html`<p class="soft">${t("pick")}</p>`}
    <${Shown} asked=${asked}>${(told) => html`<${NotListed} told=${told} values=${values} />`}<//>`;
}
