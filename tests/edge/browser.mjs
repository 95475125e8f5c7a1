// What a browser does with the front door: reads /docs and sends from it, and calls gRPC-Web from pages of other origins.
//
// EDGE_BROWSER is JSON: chromium and playwright (paths), edge (URL), allowed and other (ports for pages), token, order and staff.
import { createServer } from "node:http";
import { createRequire } from "node:module";
import assert from "node:assert/strict";

const told = JSON.parse(process.env.EDGE_BROWSER);
const { chromium } = createRequire(import.meta.url)(told.playwright);
const say = (text) => console.log(`edge: browser: ${text}`);

// An empty page of an origin of its own.
const serve = (port) => new Promise((ready) => {
  const server = createServer((_, answer) => {
    answer.setHeader("content-type", "text/html");
    answer.end('<!doctype html><title>Shop</title><link rel="icon" href="data:,">');
  });
  server.listen(port, "127.0.0.1", () => ready(server));
});

// Runs in a page: one call by gRPC-Web, with what the page may read of its answer.
const call = async ({ edge, method, text, token, name }) => {
  const field = new TextEncoder().encode(name);
  const message = name ? [0x0a, field.length, ...field] : [];
  const framed = Uint8Array.from([0, 0, 0, 0, message.length, ...message]);
  const kind = text ? "application/grpc-web-text" : "application/grpc-web+proto";
  const headers = { "content-type": kind, "x-grpc-web": "1", "x-user-agent": "page" };
  if (token) headers.authorization = `Bearer ${token}`;
  const body = text ? btoa(String.fromCharCode(...framed)) : framed;
  const answer = await fetch(edge + method, { method: "POST", headers, body });
  let bytes = new Uint8Array(await answer.arrayBuffer());
  if (text) {
    // Each part is padded on its own.
    const parts = new TextDecoder().decode(bytes).match(/[A-Za-z0-9+/]+={0,2}/g) || [];
    bytes = Uint8Array.from(parts.flatMap((part) => [...atob(part)].map((one) => one.charCodeAt(0))));
  }
  const messages = [];
  let trailers = "";
  for (let at = 0; at < bytes.length;) {
    const length = new DataView(bytes.buffer).getUint32(at + 1);
    const part = bytes.slice(at + 5, at + 5 + length);
    if (bytes[at] & 0x80) trailers = new TextDecoder().decode(part);
    else messages.push(part.length);
    at += 5 + length;
  }
  const read = (header) => answer.headers.get(header);
  return {
    status: answer.status, kind: read("content-type"), id: read("x-request-id"), code: read("grpc-status"),
    said: read("grpc-message"), messages, trailers,
  };
};

const documents = async (browser) => {
  const page = await browser.newPage();
  const wrong = [];
  page.on("console", (said) => said.type() === "error" && wrong.push(said.text()));
  page.on("pageerror", (error) => wrong.push(String(error)));
  const asked = [];
  page.on("request", (request) => asked.push(new URL(request.url())));
  await page.goto(`${told.edge}/docs`);
  const spec = await (await fetch(`${told.edge}/openapi.json`)).json();
  const ids = Object.values(spec.paths).flatMap((path) => Object.values(path).map((what) => what.operationId));
  await page.waitForFunction((count) => document.querySelectorAll("details").length === count, ids.length);
  for (const id of ids) {
    const operation = page.locator(`details[id="${id}"]`);
    await operation.locator("summary").click();
    assert.ok(await operation.getByRole("button", { name: "Send" }).isVisible(), `${id} can be sent`);
    assert.ok((await operation.locator("p").first().textContent()).length > 0, `${id} is described`);
    await operation.locator("summary").click();
  }
  say(`/docs shows ${ids.length} operations`);
  const send = async (id, fill = async () => {}) => {
    const operation = page.locator(`details[id="${id}"]`);
    await operation.locator("summary").click();
    await fill(operation);
    await operation.getByRole("button", { name: "Send" }).click();
    const out = operation.locator("pre");
    await page.waitForFunction((pre) => /^\d{3} /.test(pre.textContent), await out.elementHandle());
    return out;
  };
  await page.fill("#token", told.token);
  const order = (operation) => operation.getByLabel("order_id").fill(told.order);
  const got = await (await send("OrderingService_GetOrder", order)).textContent();
  assert.ok(got.startsWith("200 ") && got.includes(told.order), got);
  const watched = await send("OrderingService_WatchOrder", order);
  await page.waitForFunction((pre) => pre.textContent.includes("orderId"), await watched.elementHandle());
  const profile = await (await send("IdentityService_UpdateProfile", async (operation) => {
    await operation.getByLabel("body").fill(JSON.stringify({ name: "Somebody Else" }));
  })).textContent();
  assert.ok(profile.startsWith("200 ") && profile.includes("Somebody Else"), profile);
  assert.deepEqual(wrong, [], "nothing is said to be wrong");
  const elsewhere = asked.filter((url) => url.protocol !== "data:" && url.origin !== told.edge);
  assert.deepEqual(elsewhere.map(String), [], "nobody else is asked");
  say("/docs sends with a token: a call, a stream and a change; no error on the console, nobody else asked");
  await page.close();
};

const allowed = async (browser) => {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${told.allowed}/`);
  const orders = "/tradewind.ordering.v1.OrderingService";
  for (const text of [false, true]) {
    const how = text ? "text" : "binary";
    const of = (more) => page.evaluate(call, { edge: told.edge, text, ...more });
    const listed = await of({ method: "/tradewind.catalog.v1.CatalogService/ListProducts" });
    assert.equal(listed.messages.length, 1, how);
    assert.match(listed.trailers, /grpc-status: ?0/);
    assert.ok(listed.kind.startsWith(text ? "application/grpc-web-text" : "application/grpc-web"), listed.kind);
    assert.ok(listed.id, "x-request-id can be read");
    const got = await of({ method: `${orders}/GetOrder`, token: told.token, name: told.order });
    assert.match(got.trailers, /grpc-status: ?0/);
    const watched = await of({ method: `${orders}/WatchOrder`, token: told.token, name: told.order });
    assert.ok(watched.messages.length >= 1 && /grpc-status: ?0/.test(watched.trailers), JSON.stringify(watched));
    const none = await of({ method: "/tradewind.catalog.v1.CatalogService/GetProduct", name: "no-such-thing" });
    const code = none.code ?? /grpc-status: ?(\d+)/.exec(none.trailers)?.[1];
    assert.equal(code, "5", JSON.stringify(none));
    const anonymous = await of({ method: `${orders}/GetOrder`, name: told.order });
    assert.equal(anonymous.code ?? /grpc-status: ?(\d+)/.exec(anonymous.trailers)?.[1], "16", JSON.stringify(anonymous));
    say(`a page of an origin that may calls gRPC-Web as ${how}: a call, a stream, what is refused, and its headers`);
  }
  const rest = await page.evaluate(async ({ edge, token }) => {
    const answer = await fetch(`${edge}/v1/profile`, { headers: { authorization: `Bearer ${token}` } });
    return { status: answer.status, etag: answer.headers.get("etag"), id: answer.headers.get("x-request-id") };
  }, told);
  assert.ok(rest.status === 200 && rest.etag && rest.id, JSON.stringify(rest));
  await page.close();
};

const refused = async (browser) => {
  const page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${told.other}/`);
  const method = "/tradewind.catalog.v1.CatalogService/ListProducts";
  for (const text of [false, true]) {
    await assert.rejects(page.evaluate(call, { edge: told.edge, method, text }), /Failed to fetch/);
  }
  // Even what a browser sends without asking first cannot be read.
  const plain = page.evaluate(async (edge) => (await fetch(`${edge}/v1/products`)).status, told.edge);
  await assert.rejects(plain, /Failed to fetch/);
  say("a page of another origin can neither call nor read");
  await page.close();
};

const servers = await Promise.all([told.allowed, told.other].map(serve));
const browser = await chromium.launch({
  executablePath: told.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
try {
  for (const suite of [documents, allowed, refused]) await suite(browser);
  say("passed");
} finally {
  await browser.close();
  servers.forEach((server) => server.close());
}
