// Requests of the page. A key, where one is needed, stays in this tab.
const KEY = "trefoil-key", RUN = "trefoil-run";
export const KEYED = "trefoil-keyed"; // another key was typed in

export const key = () => sessionStorage.getItem(KEY) || "";
export const keep = (value) => { sessionStorage.setItem(KEY, value); dispatchEvent(new Event(KEYED)); };
export const run = () => sessionStorage.getItem(RUN) || "";
export const choose = (value) => sessionStorage.setItem(RUN, value);

// The address of a route of the chosen run.
export const at = (path) => run() ? `/v1/${encodeURIComponent(run())}/${path}` : `/v1/${path}`;

// A reply as JSON; a problem is thrown as the service told it.
export async function ask(path, body, method) {
  const headers = key() ? { Authorization: `Bearer ${key()}` } : {};
  const options = { headers, method: method || (body === undefined ? "GET" : "POST") };
  if (body !== undefined) {
    options.body = JSON.stringify(body);
    headers["Content-Type"] = "application/json";
  }
  let reply;
  try {
    reply = await fetch(path, options);
  } catch {
    throw { status: 0, title: "offline", detail: "the service does not answer", remedy: "start it again" };
  }
  const told = await reply.json().catch(() => ({}));
  if (!reply.ok) throw { status: reply.status, detail: reply.statusText, remedy: "", ...told };
  return told;
}
