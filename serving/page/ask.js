// Requests of the page. A key, where one is needed, stays in this tab.
const KEY = "trefoil-key";

export const key = () => sessionStorage.getItem(KEY) || "";
export const keep = (value) => sessionStorage.setItem(KEY, value);

export async function ask(path, body) {
  const headers = key() ? { Authorization: `Bearer ${key()}` } : {};
  const options = { headers };
  if (body !== undefined) {
    options.method = "POST";
    options.body = JSON.stringify(body);
    headers["Content-Type"] = "application/json";
  }
  let reply;
  try {
    reply = await fetch(path, options);
  } catch {
    throw { status: 0, detail: "the service does not answer", remedy: "start it again" };
  }
  const told = await reply.json();
  if (!reply.ok) throw told;
  return told;
}
