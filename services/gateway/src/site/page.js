// Shows every operation of /openapi.json, and sends what is filled in.
"use strict";

const make = (tag, fields = {}, ...children) => {
  const element = Object.assign(document.createElement(tag), fields);
  element.append(...children);
  return element;
};

const resolve = (document, schema) => {
  const path = schema && schema.$ref && schema.$ref.split("/").slice(1);
  return path ? path.reduce((at, name) => at[name], document) : schema || {};
};

// A value as a schema has it, to begin with.
const example = (document, schema, depth = 0) => {
  const found = resolve(document, schema);
  const types = [found.type].flat();
  const type = types[0];
  // What need not be there says nothing.
  if (types.includes("null") || (found.anyOf || []).some((each) => each.type === "null")) return null;
  if (found.enum) return found.enum[0];
  if (type === "array") return depth > 4 ? [] : [example(document, found.items, depth + 1)];
  if (type === "object") {
    const fields = depth > 4 ? [] : Object.entries(found.properties || {});
    return Object.fromEntries(fields.map(([name, field]) => [name, example(document, field, depth + 1)]));
  }
  if (type === "integer" || type === "number") return Math.max(found.minimum || 0, 0);
  return type === "boolean" ? false : "";
};

const send = async (method, path, inputs, body, streams, out) => {
  let target = path;
  const query = new URLSearchParams();
  const headers = {};
  for (const [parameter, input] of inputs) {
    if (parameter.in === "path") target = target.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
    else if (input.value === "") continue;
    else if (parameter.in === "query") query.append(parameter.name, input.value);
    else headers[parameter.name] = input.value;
  }
  const token = document.getElementById("token").value.trim();
  if (token) headers.authorization = `Bearer ${token}`;
  if (body && body.value.trim()) headers["content-type"] = "application/json";
  if (streams) headers.accept = "application/x-ndjson";
  const sent = body && body.value.trim() ? body.value : undefined;
  out.hidden = false;
  out.textContent = "…";
  try {
    const answer = await fetch(target + (query.size ? `?${query}` : ""), { method, headers, body: sent });
    out.textContent = `${answer.status}  ${answer.headers.get("x-request-id") || ""}\n\n`;
    if (streams && answer.ok) {
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let part = await reader.read(); !part.done; part = await reader.read()) out.textContent += part.value;
      return;
    }
    const text = await answer.text();
    try {
      out.textContent += JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      out.textContent += text;
    }
  } catch (error) {
    out.textContent = String(error);
  }
};

const operation = (spec, path, method, what) => {
  const parameters = make("div", { className: "parameters" });
  const inputs = what.parameters.map((parameter) => {
    const input = make("input", { ariaLabel: parameter.name, required: Boolean(parameter.required) });
    parameters.append(make("code", { textContent: `${parameter.name}${parameter.required ? " *" : ""}` }), input);
    if (parameter.description) parameters.append(make("small", { textContent: parameter.description }));
    return [parameter, input];
  });
  const schema = what.requestBody && what.requestBody.content["application/json"].schema;
  const text = schema && JSON.stringify(example(spec, schema), null, 2);
  const body = schema && make("textarea", { ariaLabel: "body", value: text, spellcheck: false });
  const streams = "application/x-ndjson" in what.responses["200"].content;
  const out = make("pre", { hidden: true });
  const button = make("button", { textContent: "Send" });
  button.addEventListener("click", () => send(method.toUpperCase(), path, inputs, body, streams, out));
  const audience = what.security.some((each) => Object.keys(each).length === 0) ? "everybody" : "signed in";
  const summary = make("summary", {},
    make("span", { className: "method", textContent: method.toUpperCase() }),
    make("code", { textContent: path }),
    make("span", { textContent: `  ${what.summary}` }),
    make("span", { className: "for", textContent: audience }));
  const details = make("details", { id: what.operationId }, summary, make("p", { textContent: what.description }), parameters);
  if (body) details.append(body);
  details.append(button, out);
  return details;
};

const show = (spec) => {
  document.getElementById("about").textContent = `${spec.info.description} Version ${spec.info.version}.`;
  const main = document.getElementById("operations");
  const all = Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, what]) => ({ path, method, what })));
  for (const tag of spec.tags) {
    const own = all.filter((each) => each.what.tags.includes(tag.name));
    main.append(make("section", {}, make("h2", { textContent: tag.name }), make("p", { textContent: tag.description }),
      ...own.map((each) => operation(spec, each.path, each.method, each.what))));
  }
  document.getElementById("find").addEventListener("input", (event) => {
    const word = event.target.value.toLowerCase();
    for (const details of main.querySelectorAll("details")) {
      details.hidden = !details.textContent.toLowerCase().includes(word);
    }
  });
};

fetch("/openapi.json").then((answer) => answer.json()).then(show).catch((error) => {
  document.getElementById("about").textContent = `openapi.json cannot be shown: ${error}`;
});
