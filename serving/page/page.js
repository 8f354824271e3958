// For someone: a list with reasons. What comes from data is set as text, never as markup.
import { html, render, useEffect, useState } from "/assets/vendor/preact-htm.js";
import { ask, keep } from "/assets/ask.js";

function Fault({ fault, again }) {
  const [value, set] = useState("");
  const send = (event) => { event.preventDefault(); keep(value); again(); };
  return html`<div role="alert">
    <p class="bad">${fault.detail}</p><p class="soft">${fault.remedy}</p>
    ${fault.status === 401 && html`<form onSubmit=${send}>
      <label>Key<input type="password" autocomplete="off" value=${value} onInput=${(e) => set(e.target.value)} /></label>
      <button>Use this key</button></form>`}
  </div>`;
}

// Titles in reasons stand between asterisks.
const emphasised = (text) => text.split(/\*(.+?)\*/).map((part, place) => place % 2 ? html`<em>${part}</em>` : part);

function List({ told }) {
  if (!told.items.length) return html`<p>Nothing can be recommended: no candidate is left.</p>`;
  return html`<ol>${told.items.map((one, place) => html`<li key=${one.item}>
      <strong>${place + 1}. ${one.title}</strong>
      ${one.reasons.map((why) => html`<p class="soft">${emphasised(why.text)}</p>`)}
    </li>`)}</ol>
    <p class="soft">${told.model} · ${told.based_on.events} events read
      ${told.based_on.unknown.length > 0 && html` · unknown: ${told.based_on.unknown.join(", ")}`}</p>`;
}

function Page() {
  const start = new URLSearchParams(location.hash.slice(1));
  const [user, setUser] = useState(start.get("user"));
  const [text, setText] = useState(start.get("text") || "");
  const [told, setTold] = useState(null);
  const [fault, setFault] = useState(null);
  const [busy, setBusy] = useState(false);
  const show = async (event) => {
    event?.preventDefault();
    setBusy(true);
    try {
      let who = user;
      if (who === null) {
        who = (await ask("/v1/search?kind=user&k=1")).found[0]?.id ?? "";
        setUser(who);
      }
      const body = { k: 10, reasons: 1 };
      if (who) body.user = who;
      if (text) body.text = text;
      setTold(await ask("/v1/recommend", body));
      setFault(null);
      history.replaceState(null, "", `#${new URLSearchParams({ user: who, text })}`);
    } catch (problem) {
      setFault(problem);
    }
    setBusy(false);
  };
  useEffect(() => { show(); }, []);
  return html`<header><h1>Trefoil</h1></header><main>
    <form onSubmit=${show}>
      <label>User<input value=${user ?? ""} onInput=${(e) => setUser(e.target.value)} /></label>
      <label>In words<input value=${text} onInput=${(e) => setText(e.target.value)} /></label>
      <button>Recommend</button>
    </form>
    <div aria-live="polite" aria-busy=${busy}>
      ${fault ? html`<${Fault} fault=${fault} again=${show} />`
        : told ? html`<${List} told=${told} />` : html`<p class="soft">Loading…</p>`}
    </div>
    <p><a href="/docs">All routes</a></p></main>`;
}

render(html`<${Page} />`, document.getElementById("app"));
