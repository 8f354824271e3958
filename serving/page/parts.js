// Parts that screens share. What comes from data is set as text, never as markup.
import { html, useEffect, useRef, useState } from "/assets/vendor/preact-htm.js";
import { ask, at, keep } from "/assets/ask.js";
import { t } from "/assets/words.js";

// The address of a screen with its values.
export const link = (screen, values = {}) => {
  const told = new URLSearchParams(Object.entries(values).filter(([, value]) => value));
  return `#${screen}${told.size ? `?${told}` : ""}`;
};

// Ask when `path` or `body` changes: [told, fault, again, busy]. No path, no question.
export function useAsked(path, body) {
  const [state, set] = useState({ busy: Boolean(path) });
  const [turn, go] = useState(0);
  const said = body === undefined ? undefined : JSON.stringify(body);
  useEffect(() => {
    if (!path) { set({}); return; }
    let here = true;
    set((old) => ({ told: old.told, busy: true }));
    ask(path, said === undefined ? undefined : JSON.parse(said))
      .then((told) => here && set({ told }), (fault) => here && set({ fault }));
    return () => { here = false; };
  }, [path, said, turn]);
  return [state.told, state.fault, () => go(turn + 1), state.busy];
}

export function Fault({ fault, again }) {
  const [value, set] = useState("");
  const send = (event) => { event.preventDefault(); keep(value); again?.(); };
  const told = fault.status === 405 || (fault.status === 404 && !fault.type?.includes("unknown")) || fault.status === 501;
  return html`<div role="alert" class="box fault">
    <p class="bad">${told && html`${t("notHere")} `}${fault.detail}</p>
    ${fault.remedy && html`<p class="soft">${fault.remedy}</p>`}
    ${fault.request && html`<p class="soft small">${t("request")} ${fault.request}</p>`}
    ${(fault.status === 401 || fault.status === 403) && html`<form onSubmit=${send}>
      <label>${t("key")}<input type="password" autocomplete="off" value=${value} onInput=${(e) => set(e.target.value)} /></label>
      <button>${t("useKey")}</button></form>`}
    ${again && fault.status !== 401 && html`<button class="quiet" onClick=${again}>${t("again")}</button>`}
  </div>`;
}

export const Loading = () => html`<p class="soft" role="status">${t("loading")}</p>`;

// What was asked: a fault, a wait, or what `children` makes of the reply.
export function Shown({ asked, children }) {
  const [told, fault, again, busy] = asked;
  return html`<div aria-live="polite" aria-busy=${Boolean(busy)}>
    ${fault ? html`<${Fault} fault=${fault} again=${again} />` : told ? children(told) : busy ? html`<${Loading} />` : null}</div>`;
}

// The words of a reason. One title stands between asterisks, and may hold some: M*A*S*H.
export function emphasised({ text, nodes }) {
  const name = nodes.map((one) => one.name).find((one) => text.includes(`*${one}*`));
  if (name === undefined) return text;
  const [before, ...after] = text.split(`*${name}*`);
  return html`${before}<em>${name}</em>${after.join(`*${name}*`)}`;
}

// A path: nodes in order, with what joins them. It reads as a list, and looks like a chain.
export function Picture({ reason }) {
  return html`<ol class="path" aria-label=${reason.text.replaceAll("*", "")}>${reason.nodes.map((node, place) => {
    const edge = reason.edges[place];
    return html`<li><span class=${`node ${node.label === "User" ? "who" : node.label === "Item" ? "what" : "fact"}`}>
        <span class="small">${node.label}</span> ${node.label === "Item" && node.id
          ? html`<a href=${link("item", { item: node.id })}>${node.name}</a>` : node.name}</span>
      ${edge && html`<span class="edge">${edge.forward ? "" : "← "}${edge.type}${edge.forward ? " →" : ""}</span>`}</li>`;
  })}</ol>`;
}

// A bar of shares of base models; parts that lower the score are told in words.
export function Shares({ shares }) {
  const parts = Object.entries(shares).sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  const whole = parts.reduce((sum, [, value]) => sum + Math.abs(value), 0) || 1;
  const shown = parts.filter(([, value]) => Math.abs(value) / whole >= 0.01);
  let x = 0;
  return html`<details class="shares"><summary>${t("shares")}</summary>
    <svg viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">${shown.map(([name, value], place) => {
      const width = 100 * Math.abs(value) / whole, left = x;
      x += width;
      return html`<rect key=${name} x=${left} y="0" width=${Math.max(width - 0.4, 0.2)} height="4" class=${`share${place % 6} ${value < 0 ? "less" : ""}`} />`;
    })}</svg>
    <ul class="plain small">${shown.map(([name, value], place) => html`<li><span class=${`dot share${place % 6}`} aria-hidden="true"></span>${name} ${value >= 0 ? "+" : "−"}${Math.abs(value).toFixed(2)}</li>`)}</ul></details>`;
}

// A field that finds items by a part of their title and gives the one that is chosen.
export function FindItem({ label, choose, id }) {
  const [text, set] = useState("");
  const [found, show] = useState([]);
  const [fault, fail] = useState(null);
  const last = useRef(0);
  const look = async (value) => {
    set(value);
    const turn = ++last.current;
    if (!value.trim()) return show([]);
    try {
      const told = await ask(at(`search?k=8&q=${encodeURIComponent(value)}`));
      if (turn === last.current) { show(told.found); fail(null); }
    } catch (problem) { fail(problem); }
  };
  const take = (one) => { choose(one); set(""); show([]); };
  const keys = (event) => { if (event.key === "Enter" && found.length) { event.preventDefault(); take(found[0]); } };
  return html`<div class="find"><label for=${id}>${label}</label>
    <input id=${id} type="search" autocomplete="off" value=${text} onKeyDown=${keys} onInput=${(e) => look(e.target.value)} />
    ${fault && html`<p class="bad small" role="alert">${fault.detail}</p>`}
    ${text.trim() && html`<ul class="found" aria-live="polite">${found.map((one) => html`<li><button type="button" onClick=${() => take(one)}>${one.title}${one.title !== one.id && html` <span class="soft small">${one.id}</span>`}</button></li>`)}
      ${!found.length && html`<li class="soft">${t("noneFound")}</li>`}</ul>`}</div>`;
}

export function Table({ columns, rows, caption }) {
  return html`<div class="wide" role="region" tabindex="0" aria-label=${caption}><table><caption class="hidden">${caption}</caption>
    <thead><tr>${columns.map((one) => html`<th scope="col">${one}</th>`)}</tr></thead>
    <tbody>${rows.map((row) => html`<tr>${row.map((value) => html`<td>${value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value)}</td>`)}</tr>`)}</tbody></table></div>`;
}

export function Copy({ text }) {
  const [done, set] = useState(false);
  const copy = () => navigator.clipboard?.writeText(text).then(() => set(true));
  return html`<button type="button" class="quiet" onClick=${copy}>${done ? t("copied") : t("copy")}</button>`;
}
