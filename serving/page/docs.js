// The routes of /openapi.json by subject: what each takes, an example, and how to ask from a shell.
import { html, render, useEffect, useState } from "/assets/vendor/preact-htm.js";
import { ask } from "/assets/ask.js";
import { Fault, Loading } from "/assets/parts.js";

const SUBJECTS = [
  ["Lists", /recommend|similar|rank|score|users-for|nodes|answers/], ["Reasons", /explain|why-not|what-if/],
  ["What is told", /events|triples|\/items(\/(remove|return|change))?$/], ["People", /\/users/], ["Catalogue and graph", /search|items|cypher|schema/],
  ["Models and jobs", /models|jobs|card/], ["The service", /./],
];

const shape = (one) => {
  if (!one) return "";
  if (one.$ref) return one.$ref.split("/").at(-1);
  if (one.anyOf) return [...new Set(one.anyOf.map(shape))].join(" or ");
  if (one.enum) return one.enum.map((value) => JSON.stringify(value)).join(" or ");
  if (one.const !== undefined) return JSON.stringify(one.const);
  if (one.type === "array") return `list of ${shape(one.items) || "values"}`;
  return one.type || "any";
};

const curl = (method, path, example) => {
  const body = example && method === "post" ? ` \\\n  -H 'Content-Type: application/json' \\\n  -d '${JSON.stringify(example)}'` : "";
  return `curl -s ${method === "post" || method === "get" ? "" : `-X ${method.toUpperCase()} `}"${location.origin}${path}"${body}`;
};

// Names stand between backticks.
const named = (text) => text.split(/`(.+?)`/).map((part, place) => place % 2 ? html`<code>${part}</code>` : part);

function Fields({ told, schema, name: route }) {
  const body = told.requestBody?.content["application/json"]?.schema;
  const name = body && [body, ...(body.anyOf || [])].map((one) => one.$ref?.split("/").at(-1)).find(Boolean);
  const own = name ? schema.components.schemas[name] : undefined;
  const fields = own ? Object.entries(own.properties || {}).map(([field, one]) => [field, shape(one), (own.required || []).includes(field), one.description || ""])
    : (told.parameters || []).map((one) => [one.name, shape(one.schema), one.required, one.description || ""]);
  if (!fields.length) return null;
  return html`<div class="wide" tabindex="0" role="region" aria-label=${`Fields of ${route}`}><table><thead><tr><th scope="col">field</th><th scope="col">type</th><th scope="col">what</th></tr></thead>
    <tbody>${fields.map(([field, type, must, text]) => html`<tr><td><code>${field}</code>${must ? " *" : ""}</td><td>${type}</td><td>${text}</td></tr>`)}</tbody></table></div>`;
}

function Route({ path, method, told, schema }) {
  const query = (told.parameters || []).filter((one) => one.in === "query" && one.example !== undefined);
  const example = told.requestBody?.content["application/json"]?.example;
  const whole = (told.parameters || []).filter((one) => one.in === "path").reduce((all, one) => all.replace(`{${one.name}}`, encodeURIComponent(one.example ?? `{${one.name}}`)), path);
  const address = whole + (query.length ? `?${new URLSearchParams(query.flatMap((one) => [one.example].flat().map((value) => [one.name, value])))}` : "");
  return html`<section class="box" id=${`${method}${path}`}><h3><code>${method.toUpperCase()} ${path}</code></h3>
    ${(told.description || told.summary || "").split("\n\n").map((one) => html`<p>${named(one)}</p>`)}
    <details><summary>Fields and example</summary><${Fields} told=${told} schema=${schema} name=${`${method.toUpperCase()} ${path}`} />
    <pre tabindex="0" aria-label=${`Example of ${method.toUpperCase()} ${path}`}>${curl(method, address, example)}</pre></details></section>`;
}

function Docs() {
  const [schema, set] = useState(null);
  const [fault, fail] = useState(null);
  const [part, look] = useState("");
  const load = () => ask("/openapi.json").then((told) => { set(told); fail(null); }, fail);
  useEffect(() => { load(); }, []);
  const routes = schema ? Object.entries(schema.paths).flatMap(([path, methods]) => Object.entries(methods).map(([method, told]) => ({ path, method, told }))) : [];
  const wanted = routes.filter((one) => `${one.method} ${one.path} ${one.told.description || ""}`.toLowerCase().includes(part.toLowerCase()));
  const subject = (path) => SUBJECTS.find(([, test]) => test.test(path))[0];
  return html`<header><h1><img src="/assets/icon.svg" alt="" width="24" height="24" /> Trefoil: routes</h1><p><a href="/">Back to the page</a></p></header><main>
    ${schema && html`<p>${named(schema.info.description)}</p>`}
    <label>Find a route<input type="search" value=${part} onInput=${(event) => look(event.target.value)} /></label>
    ${fault ? html`<${Fault} fault=${fault} again=${load} />` : !schema ? html`<${Loading} />` : null}
    ${SUBJECTS.map(([name]) => [name, wanted.filter((one) => subject(one.path) === name)]).filter(([, own]) => own.length).map(([name, own]) => html`<h2>${name}</h2>${own.map((one) => html`<${Route} ...${one} schema=${schema} key=${one.method + one.path} />`)}`)}</main>`;
}

render(html`<${Docs} />`, document.getElementById("app"));
