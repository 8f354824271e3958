// An item: what is known of it, what goes with it, and facts that can be told and taken back.
import { html, useState } from "/assets/vendor/preact-htm.js";
import { ask, at } from "/assets/ask.js";
import { emphasised, Fault, FindItem, link, Loading, Shown, useAsked } from "/assets/parts.js";
import { t } from "/assets/words.js";

function Preview({ told }) {
  const count = (named) => Object.entries(named || {}).slice(0, 8).map(([id, lists]) => html`<li>${id} <span class="soft">${lists}</span></li>`);
  return html`<div class="box" role="status"><p>${told.changed} / ${told.people} ${t("changedLists")}</p>
    <div class="two"><section><h4>${t("entering")}</h4><ul class="short">${count(told.entering)}</ul></section>
    <section><h4>${t("leaving")}</h4><ul class="short">${count(told.leaving)}</ul></section></div></div>`;
}

function AddFact({ item, again }) {
  const [form, set] = useState({ relation: "", value: "" });
  const [told, tell] = useState(null);
  const [fault, fail] = useState(null);
  const [busy, wait] = useState(false);
  const send = async (preview) => {
    wait(true);
    try {
      const body = { triples: [[item, form.relation, form.value]] };
      const reply = await ask(at(preview ? "triples?preview=true" : "triples"), body);
      fail(null);
      tell(preview ? reply.preview : "saved");
      if (!preview) again();
    } catch (problem) { fail(problem); tell(null); }
    wait(false);
  };
  const field = (name) => ({ value: form[name], required: true, onInput: (event) => set({ ...form, [name]: event.target.value }) });
  return html`<form class="box" onSubmit=${(event) => { event.preventDefault(); send(true); }}><h3>${t("addFact")}</h3>
      <label>${t("relation")}<input ...${field("relation")} /></label><label>${t("value")}<input ...${field("value")} /></label>
      <button>${t("preview")}</button><button type="button" class="quiet" onClick=${() => send(false)}>${t("save")}</button></form>
    ${busy ? html`<${Loading} />` : fault && html`<${Fault} fault=${fault} />`}
    ${!busy && told && (told === "saved" ? html`<p role="status">${t("saved")}</p>` : html`<${Preview} told=${told} />`)}`;
}

function Known({ told, again }) {
  const columns = Object.entries(told.columns || {}).filter(([, value]) => value !== null && String(value) !== "");
  return html`<article class="box"><h3>${told.title}</h3><p class="soft small">${told.item} · ${told.events} ${t("events")}</p>
      ${told.text && html`<p>${told.text}</p>`}
      ${columns.length > 0 && html`<dl class="told">${columns.map(([name, value]) => html`<dt>${name}</dt><dd>${Array.isArray(value) ? value.join(", ") : value}</dd>`)}</dl>`}
      <h4>${t("facts")}</h4>${told.facts.length ? html`<ul class="chips">${told.facts.map((fact) => html`<li><span class="small">${fact.forward ? "" : "← "}${fact.relation}</span> ${fact.label === "Item" ? html`<a href=${link("item", { item: fact.id })}>${fact.name}</a>` : fact.name}</li>`)}</ul>` : html`<p class="soft">${t("noFacts")}</p>`}</article>
    <${AddFact} item=${told.item} again=${again} />`;
}

export function Item({ values, go }) {
  const id = values.item && encodeURIComponent(values.item);
  const asked = useAsked(id ? at(`items/${id}`) : "");
  const near = useAsked(id ? at(`similar?k=8&item=${id}`) : "");
  return html`<div class="box"><${FindItem} id="item" label=${t("find")} choose=${(one) => go({ item: one.id })} /></div>
    <${Shown} asked=${asked}>${(told) => html`<${Known} key=${told.item} told=${told} again=${asked[2]} />`}<//>
    ${id && html`<h3>${t("similar")}</h3><${Shown} asked=${near}>${(told) => html`<ol class="cards">${told.items.map((one) => html`<li class="card"><a href=${link("item", { item: one.item })}>${one.title}</a>
      ${one.reasons.length > 0 && html`<p class="soft" lang="en">${emphasised(one.reasons[0])}</p>`}</li>`)}</ol>`}<//>`}`;
}
