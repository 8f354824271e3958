// The graph: statements that read it, what it holds, and questions to begin with.
import { html, useState } from "/assets/vendor/preact-htm.js";
import { ask, at } from "/assets/ask.js";
import { Fault, Loading, Shown, Table, useAsked } from "/assets/parts.js";
import { t } from "/assets/words.js";

// Questions that fit whatever this graph holds.
function begun(schema) {
  const labels = Object.keys(schema.labels).filter((one) => one !== "User");
  const ties = schema.relationships.filter((one) => one.from !== "User" && one.to !== "User");
  const quoted = (name) => "`" + name.replaceAll("`", "``") + "`";
  return [
    ...labels.slice(0, 4).map((label) => [`${label}: 10`, `MATCH (n:${quoted(label)}) RETURN n.id AS id, n.name AS name LIMIT 10`]),
    ...ties.slice(0, 6).map((tie) => [`${tie.from} ${tie.type} ${tie.to}`,
      `MATCH (a:${quoted(tie.from)})-[:${quoted(tie.type)}]->(b:${quoted(tie.to)})\nRETURN b.name AS name, count(a) AS times ORDER BY times DESC LIMIT 10`]),
  ];
}

export function Graph({ values, go }) {
  const [text, set] = useState(values.q || "MATCH (i:Item) RETURN i.id AS id, i.name AS name LIMIT 10");
  const [told, tell] = useState(null);
  const [fault, fail] = useState(null);
  const [busy, wait] = useState(false);
  const schema = useAsked(at("schema"));
  const send = async (statement) => {
    wait(true);
    try { tell(await ask(at("cypher"), { cypher: statement })); fail(null); } catch (problem) { fail(problem); tell(null); }
    wait(false);
    go({ q: statement });
  };
  const submit = (event) => { event.preventDefault(); send(text); };
  const keys = (event) => { if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event); };
  return html`<div class="side"><div>
    <form class="box" onSubmit=${submit}><label>${t("query")}<textarea rows="5" spellcheck="false" value=${text} onKeyDown=${keys} onInput=${(e) => set(e.target.value)}></textarea></label>
      <button>${t("ask")}</button></form>
    <div aria-live="polite" aria-busy=${busy}>${fault ? html`<${Fault} fault=${fault} />` : busy ? html`<${Loading} />` : told && html`
      <p class="soft small">${told.rows.length} ${t("rows")}${told.cut ? ` · ${t("cut")}` : ""} · ${(1000 * told.seconds).toFixed(0)} ms</p>
      ${(told.hints || []).map((one) => html`<p class="soft">${one}</p>`)}
      <${Table} caption=${t("rows")} columns=${told.columns} rows=${told.rows} />`}</div></div>
    <${Shown} asked=${schema}>${(found) => html`<section class="box"><h3>${t("savedQueries")}</h3>
      <ul class="plain">${begun(found).map(([name, statement]) => html`<li><button class="quiet" onClick=${() => { set(statement); send(statement); }}>${name}</button></li>`)}</ul>
      <h3>${t("labels")}</h3><ul class="plain small">${Object.entries(found.labels).map(([label, own]) => html`<li><strong>${label}</strong> ${Object.keys(own).join(", ")}</li>`)}</ul>
      <h3>${t("relations")}</h3><ul class="plain small">${found.relationships.map((one) => html`<li>${one.from} <strong>${one.type}</strong> ${one.to}</li>`)}</ul></section>`}<//></div>`;
}
