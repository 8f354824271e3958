// Privacy: what is known of a person, and forgetting it. And the model card.
import { html, useState } from "/assets/vendor/preact-htm.js";
import { ask, at } from "/assets/ask.js";
import { Fault, Loading, Shown, Table, useAsked } from "/assets/parts.js";
import { t } from "/assets/words.js";

export function Privacy({ values, go }) {
  const [user, set] = useState(values.user || "");
  const [sure, check] = useState("");
  const [told, tell] = useState(null);
  const [fault, fail] = useState(null);
  const [busy, wait] = useState(false);
  const path = () => at(`users/${encodeURIComponent(user)}`);
  const act = async (method) => {
    wait(true);
    try { tell(await ask(path(), undefined, method)); fail(null); } catch (problem) { fail(problem); tell(null); }
    wait(false);
    check("");
  };
  return html`<p>${t("privacyAbout")}</p>
    <form class="box" onSubmit=${(event) => { event.preventDefault(); act("GET"); }}>
      <label>${t("user")}<input value=${user} required autocomplete="off" onInput=${(e) => set(e.target.value)} /></label><button>${t("exportUser")}</button></form>
    <form class="box" onSubmit=${(event) => { event.preventDefault(); act("DELETE"); }}><p>${t("forgetSure")}</p>
      <label>${t("user")}<input value=${sure} autocomplete="off" onInput=${(e) => check(e.target.value)} /></label>
      <button class="danger" disabled=${!user || sure !== user}>${t("forget")}</button></form>
    <div aria-live="polite" aria-busy=${busy}>${busy ? html`<${Loading} />` : fault ? html`<${Fault} fault=${fault} />`
      : told && html`<pre tabindex="0" aria-label=${t("receipt")}>${JSON.stringify(told, null, 1)}</pre>`}</div>`;
}

// Markdown of model cards: headings, lists, tables and paragraphs, as text.
export function marked(text) {
  const lines = text.split("\n"), found = [];
  const plain = (line) => line.replace(/[*`]/g, "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1");
  for (let place = 0; place < lines.length;) {
    const line = lines[place];
    const taken = (test) => { const own = []; while (place < lines.length && test(lines[place])) own.push(lines[place++]); return own; };
    const head = /^(#+) (.*)/.exec(line);
    if (head) {
      found.push(head[1].length < 2 ? html`<h3>${plain(head[2])}</h3>` : html`<h4>${plain(head[2])}</h4>`);
      place++;
    } else if (line.startsWith("|")) {
      const rows = taken((one) => one.startsWith("|")).filter((one) => !/^[|\s:-]+$/.test(one));
      const [columns, ...rest] = rows.map((one) => one.replace(/^\||\|\s*$/g, "").split("|").map((cell) => plain(cell.trim())));
      found.push(html`<${Table} caption=${columns.join(", ")} columns=${columns} rows=${rest} />`);
    } else if (/^\s*[-*] /.test(line)) {
      found.push(html`<ul>${taken((one) => /^\s*[-*] /.test(one)).map((one) => html`<li>${plain(one.replace(/^\s*[-*] /, ""))}</li>`)}</ul>`);
    } else if (line.trim()) {
      found.push(html`<p>${plain(taken((one) => one.trim() && !/^(#|\||\s*[-*] )/.test(one)).join(" "))}</p>`);
    } else place++;
  }
  return found;
}

export function Card() {
  return html`<${Shown} asked=${useAsked(at("card"))}>${(told) => html`<article class="box" lang="en"><p class="soft small">${told.model}</p>${told.card ? marked(told.card) : html`<p>${t("noCard")}</p>`}</article>`}<//>`;
}
