// For someone: a list with reasons, and what changes when the question does.
import { html, useEffect, useState } from "/assets/vendor/preact-htm.js";
import { ask, at } from "/assets/ask.js";
import { emphasised, FindItem, link, Shares, Shown, useAsked } from "/assets/parts.js";
import { t } from "/assets/words.js";

const split = (text) => (text || "").split("\n").filter(Boolean);

// The body of a question from the values of the address; throws SyntaxError for a bad filter.
export function bodyOf(values) {
  const body = { k: Number(values.k) || 10, reasons: 1 };
  if (values.user) body.user = values.user;
  if (values.text) body.text = values.text;
  if (values.met) body.history = split(values.met);
  if (values.like) body.likes = split(values.like);
  if (values.less) body.dislikes = split(values.less);
  if (Number(values.diversity)) body.diversity = Number(values.diversity) / 100;
  if (values.seen && values.seen !== "auto") body.seen = values.seen;
  if (values.where) body.where = JSON.parse(values.where);
  return body;
}

const PARTS = ["removed", "without", "only", "where", "seen", "per"];

function Foot({ told }) {
  const dropped = told.dropped || {};
  const left = PARTS.filter((name) => dropped[name]).map((name) => `${name} ${dropped[name].toLocaleString()}`);
  const unknown = [...(told.based_on.unknown || []), ...(dropped.unknown || [])];
  return html`<p class="soft small">${told.model} · ${told.based_on.events} ${t("events")}
    ${left.length > 0 && html` · ${t("hidden")}: ${left.join(", ")}`}
    ${unknown.length > 0 && html` · ${t("unknown")}: ${unknown.join(", ")}`}</p>`;
}

function Move({ place, old }) {
  if (old === undefined) return null;
  if (old < 0) return html`<span class="move up">${t("newHere")}</span>`;
  return old === place ? null : html`<span class=${`move ${old > place ? "up" : "down"}`}>${t("was")} ${old + 1}</span>`;
}

function Card({ one, place, old, values, go }) {
  const add = (name) => () => go({ [name]: [...new Set([...split(values[name]), one.item])].join("\n") });
  const told = { user: values.user, item: one.item };
  return html`<li class="card"><div class="head"><span class="place">${place + 1}</span>
      <h3><a href=${link("item", { item: one.item })}>${one.title}</a></h3><${Move} place=${place} old=${old} /></div>
    ${one.pinned && html`<p class="small">${t("pinned")}</p>`}
    ${one.reasons.length ? html`<p lang="en">${emphasised(one.reasons[0])}</p>` : html`<p class="soft">${t("noReason")}</p>`}
    ${one.stars !== null && html`<p class="soft small">${one.stars.toFixed(1)} ${t("stars")}</p>`}
    ${one.shares && html`<${Shares} shares=${one.shares} />`}
    <div class="row">${values.user && html`<a class="button" href=${link("why", told)} aria-label=${`${t("why")}: ${one.title}`}>${t("why")}</a>`}
      <button class="quiet" onClick=${add("like")} aria-label=${`${t("like")}: ${one.title}`}>${t("like")}</button>
      <button class="quiet" onClick=${add("less")} aria-label=${`${t("dislike")}: ${one.title}`}>${t("dislike")}</button></div></li>`;
}

function Chips({ name, values, go }) {
  const ids = split(values[name]);
  if (!ids.length) return null;
  return html`<ul class="chips" aria-label=${t(name === "less" ? "dislike" : name)}>${ids.map((id) => html`<li><span class="small">${t(name === "less" ? "dislike" : name)}</span> ${id}
    <button aria-label=${`${t("remove")} ${id}`} onClick=${() => go({ [name]: ids.filter((one) => one !== id).join("\n") })}>×</button></li>`)}</ul>`;
}

export function Someone({ values, go }) {
  const [form, set] = useState(values);
  const [fault, fail] = useState("");
  const [before, remember] = useState({});
  useEffect(() => { set(values); }, [JSON.stringify(values)]);
  useEffect(() => {
    if (values.user === undefined) {
      ask(at("search?kind=user&k=1")).then((told) => go({ user: told.found[0]?.id ?? "" }), () => go({ user: "" }));
    }
  }, [values.user === undefined]);
  let body;
  try { body = bodyOf(values); } catch { body = bodyOf({ ...values, where: "" }); }
  const asked = useAsked(values.user === undefined ? "" : at("recommend"), body);
  const told = asked[0];
  useEffect(() => { if (told) remember((old) => ({ shown: told, older: old.shown === told ? old.older : old.shown })); }, [told]);
  const send = (event) => {
    event.preventDefault();
    try { bodyOf(form); fail(""); } catch { return fail(t("whereHelp")); }
    go(form);
  };
  const field = (name) => ({ value: form[name] ?? "", onInput: (event) => set({ ...form, [name]: event.target.value }) });
  const older = before.shown === told ? before.older : undefined;
  const places = older && new Map(older.items.map((one, place) => [one.item, place]));
  return html`<form onSubmit=${send} class="box">
      <label>${t("user")}<input ...${field("user")} placeholder=${t("userHelp")} autocomplete="off" /></label>
      <label>${t("inWords")}<input ...${field("text")} /></label>
      <${FindItem} id="met" label=${t("met")} choose=${(one) => go({ ...form, met: [...split(form.met), one.id].join("\n") })} />
      <details><summary>${t("more")}</summary><div class="fields">
        <label>${t("count")}<input type="number" min="1" max="100" ...${field("k")} placeholder="10" /></label>
        <label>${t("diversity")} ${form.diversity || 0} %<input type="range" min="0" max="100" step="10" value=${form.diversity || 0} onInput=${field("diversity").onInput} /></label>
        <label>${t("seen")}<select ...${field("seen")} value=${form.seen || "auto"}>${["auto", "hide", "show"].map((one) => html`<option value=${one}>${t(one)}</option>`)}</select></label>
        <label>${t("where")}<input ...${field("where")} placeholder=${t("whereHelp")} aria-invalid=${Boolean(fault)} /></label></div></details>
      ${fault && html`<p class="bad" role="alert">${fault}</p>`}
      <button>${t("recommend")}</button></form>
    ${["met", "like", "less"].map((name) => html`<${Chips} name=${name} values=${values} go=${go} />`)}
    <${Shown} asked=${asked}>${(list) => html`${list.items.length
      ? html`<ol class="cards">${list.items.map((one, place) => html`<${Card} key=${one.item} one=${one} place=${place} values=${values} go=${go}
          old=${places && (places.get(one.item) ?? -1)} />`)}</ol>` : html`<p class="box">${t("nothing")}</p>`}<${Foot} told=${list} />`}<//>`;
}
