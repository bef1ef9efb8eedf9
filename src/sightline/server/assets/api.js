"use strict";
// A page for the description of the API: made by hand, so that nothing has to be fetched from elsewhere.
const part = (kind, text = "", name = "") => Object.assign(document.createElement(kind), { textContent: text, className: name });
let whole = {};

// Text in which `words` between marks are code.
function prose(kind, text, name = "") {
  const made = part(kind, "", name);
  text.split("`").forEach((piece, at) => made.append(at % 2 ? part("code", piece) : piece));
  return made;
}

const resolve = (schema) => schema && schema.$ref ? whole.components.schemas[schema.$ref.split("/").pop()] : schema || {};

function typed(schema) {
  if (!schema) return "";
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  const several = schema.anyOf || schema.oneOf;
  if (several) return several.map(typed).join(" | ");
  if (schema.type === "array") return `list of ${typed(schema.items) || "anything"}`;
  const range = schema.minimum != null && schema.maximum != null ? ` ${schema.minimum} to ${schema.maximum}` : "";
  if (schema.type === "object" && schema.required && !schema.title) return `{${schema.required.join(", ")}}`;
  if (schema.maximum >= 2147483647) return `${schema.type} from ${schema.minimum}`;
  if (schema.format === "binary") return "bytes";
  return (schema.contentEncoding || schema.type || "anything") + range;
}

function table(rows) {
  const made = document.createElement("table");
  for (const [name, type, text] of rows) {
    const row = made.insertRow();
    row.append(part("td", name), part("td", type, "type"), prose("td", text));
  }
  return made;
}

function fields(schema) {
  const found = resolve(schema), needed = new Set(found.required || []);
  return Object.entries(found.properties || {}).map(([name, one]) => [
    name, typed(one), [one.description, needed.has(name) ? "required" : ""].filter(Boolean).join("; "),
  ]);
}

function curl(method, path, said) {
  const words = ["curl"], kinds = Object.keys((said.requestBody || {}).content || {});
  if (method !== "get" && method !== "post") words.push(`-X ${method.toUpperCase()}`);
  if (kinds.includes("multipart/form-data")) words.push("-F picture=@photo.jpg");
  else if (kinds.length) words.push("-H 'Content-Type: application/json' -d @body.json");
  else if (method === "post") words.push("-X POST");
  return [...words, `'${location.origin}${path}'`].join(" ");
}

function sender(path, said) {
  const box = part("div", "", "send"), out = part("pre"), inputs = [];
  for (const one of said.parameters || []) {
    if (one.in !== "path") continue;
    const field = Object.assign(document.createElement("input"), { type: "text", placeholder: one.name, ariaLabel: one.name });
    inputs.push([one.name, field]);
    box.append(field);
  }
  const button = part("button", "Send");
  out.hidden = true;
  button.addEventListener("click", async () => {
    const full = inputs.reduce((so, [name, field]) => so.replace(`{${name}}`, encodeURIComponent(field.value)), path);
    try {
      const reply = await fetch(full), text = await reply.text();
      let shown = text;
      try { shown = JSON.stringify(JSON.parse(text), null, 1); } catch { /* metrics are plain text */ }
      out.textContent = `${reply.status}\n${shown}`;
    } catch { out.textContent = "no answer"; }
    out.hidden = false;
  });
  box.append(button);
  return [box, out];
}

function route(path, method, said) {
  const card = part("section", "", "route"), head = document.createElement("h3");
  card.id = said.operationId;
  head.append(part("span", method.toUpperCase(), `method ${method}`), part("span", path));
  head.append(part("span", said["x-scope"] ? `scope ${said["x-scope"]}` : "any token", "scope"));
  card.append(head, prose("p", said.description || said.summary || ""));
  const given = (said.parameters || []).map((one) => [one.name, typed(one.schema), one.description || (one.in === "path" ? "in the path" : "")]);
  if (given.length) card.append(part("h4", "Parameters"), table(given));
  for (const [kind, one] of Object.entries((said.requestBody || {}).content || {})) {
    const rows = fields(one.schema);
    card.append(part("h4", `Body: ${kind}`));
    card.append(rows.length ? table(rows) : part("p", "the bytes of a picture file", "quiet"));
  }
  const good = said.responses["200"], json = good && good.content && good.content["application/json"];
  if (json) {
    const schema = json.schema.anyOf ? json.schema.anyOf[0] : json.schema;
    card.append(part("h4", `Answer: ${typed(json.schema)}`), table(fields(schema)));
  }
  const refused = Object.entries(said.responses).filter(([status]) => status !== "200");
  const more = document.createElement("details");
  more.append(part("summary", `Refusals: ${refused.map(([status]) => status).join(", ")}`));
  more.append(table(refused.map(([status, one]) => [status, "", one.description])));
  card.append(more, part("pre", curl(method, path, said)));
  if (method === "get") card.append(...sender(path, said));
  return card;
}

(async () => {
  const place = document.getElementById("routes"), list = document.getElementById("list");
  try {
    const reply = await fetch("/openapi.json");
    if (!reply.ok) throw new Error(String(reply.status));
    whole = await reply.json();
  } catch (error) {
    document.getElementById("loading").textContent = `The description could not be read (${error.message}).`;
    return;
  }
  const groups = new Map();
  for (const [path, methods] of Object.entries(whole.paths)) {
    for (const [method, said] of Object.entries(methods)) {
      const tag = (said.tags || ["other"])[0];
      groups.set(tag, [...(groups.get(tag) || []), [path, method, said]]);
    }
  }
  place.replaceChildren(prose("p", whole.info.description, "lead"));
  const order = ["models", "jobs", "open inference protocol", "health", "admin"];
  const rank = (tag) => (order.indexOf(tag) + 1) || 99;
  for (const [tag, routes] of [...groups].sort((one, two) => rank(one[0]) - rank(two[0]))) {
    list.append(part("h2", tag));
    routes.sort((one, two) => (two[1] === "post") - (one[1] === "post"));
    for (const [path, method, said] of routes) {
      const link = Object.assign(part("a", path), { href: `#${said.operationId}` });
      list.append(link);
      place.append(route(path, method, said));
    }
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
})();
