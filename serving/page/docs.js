// The routes of /openapi.json, in words.
import { html, render, useEffect, useState } from "/assets/vendor/preact-htm.js";
import { ask } from "/assets/ask.js";

function Route({ path, method, told }) {
  const example = told.requestBody?.content["application/json"]?.example;
  return html`<section class="route"><h2>${method.toUpperCase()} ${path}</h2>
    <p>${told.description || told.summary}</p>
    ${example && html`<pre tabindex="0">${JSON.stringify(example, null, 1)}</pre>`}</section>`;
}

function Docs() {
  const [schema, set] = useState(null);
  const [fault, fail] = useState(null);
  useEffect(() => { ask("/openapi.json").then(set, fail); }, []);
  const routes = schema && Object.entries(schema.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, told]) => ({ path, method, told })));
  return html`<header><h1>Trefoil: routes</h1></header><main>
    <p><a href="/">Back to the page</a></p>
    ${fault && html`<p role="alert" class="bad">${fault.detail} ${fault.remedy}</p>`}
    ${routes && routes.map((one) => html`<${Route} ...${one} key=${one.method + one.path} />`)}</main>`;
}

render(html`<${Docs} />`, document.getElementById("app"));
