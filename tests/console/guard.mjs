// Who may look and who may not: without a session, with one that nobody gave, after it is left, and from another site's page.
import { createServer } from "node:http";
import assert from "node:assert/strict";
import { press } from "./keys.mjs";
import { audit } from "./pages.mjs";
import { ask, enter, eventually, look, origin, say, shows, told } from "./visit.mjs";

const PATHS = ["", "/orders", `/orders/${told.hostile[0]}`, "/flow", "/mesh", "/quarantine", "/consumers", "/money", "/sales", "/faults", "/jobs/1"];
/** Something that could be done. */
const PAUSE = { act: "pause", service: "shipping", consumer: "shipping", reason: "none", back: "/console" };
const OURS = { origin, "sec-fetch-site": "same-origin" };

const send = (path, { headers, form }) => fetch(origin + path, {
  method: form ? "POST" : "GET", headers, redirect: "manual", body: form && new URLSearchParams(form),
});

const isPaused = async () => (await ask("run", "consumer", "list", "shipping")).includes("PAUSED");

/** Nobody is shown anything with these headers, nor does anything for them. */
const keepsOut = async (headers, form) => {
  for (const path of PATHS) {
    const answer = await send(`/console${path}`, { headers });
    assert.equal(answer.status, 401, path);
    assert.ok(!(await answer.text()).includes(told.hostile[0]), path);
  }
  for (const path of ["/do", "/bulk", "/bulk/confirm", "/jobs/1/stop", "/leave"]) {
    assert.equal((await send(`/console${path}`, { headers: { ...headers, ...OURS }, form })).status, 401, path);
  }
  assert.ok(!await isPaused());
};

/** A page of another origin that sends a form at once. */
const elsewhere = async (form) => {
  const fields = Object.entries(form).map(([name, value]) => `<input type=hidden name=${name} value="${value}">`);
  const text = `<!doctype html><link rel=icon href="data:,"><iframe src="${origin}/console"></iframe>
    <form method=post action="${origin}/console/do">${fields.join("")}<button>Win</button></form>`;
  const server = createServer((_, answer) => answer.setHeader("content-type", "text/html").end(text));
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  return { server, url: `http://127.0.0.1:${server.address().port}/` };
};

export const guard = async (browser) => {
  const page = await enter(browser);
  const mark = await page.locator("input[name=mark]").first().inputValue();
  const [{ name, value, httpOnly, sameSite }] = await page.context().cookies();
  assert.deepEqual([httpOnly, sameSite], [true, "Strict"]);
  const cookie = `${name}=${value}`;
  const form = { ...PAUSE, mark };

  await keepsOut({}, form);
  await keepsOut({ cookie: `${name}=${"0".repeat(value.length)}` }, form);
  assert.equal((await send("/console/enter?ticket=none", {})).status, 403);
  say("guard: without a session and with a forged cookie nothing is shown or done");

  for (const wrong of ["", "0".repeat(mark.length)]) {
    assert.equal((await send("/console/do", { headers: { cookie, ...OURS }, form: { ...form, mark: wrong } })).status, 403);
    assert.equal((await send("/console/leave", { headers: { cookie, ...OURS }, form: { mark: wrong } })).status, 403);
  }
  const strangers = [{ origin: "http://evil.example" }, { origin: "null" }, { "sec-fetch-site": "same-site" }, { "sec-fetch-site": "cross-site" }];
  for (const headers of strangers) {
    assert.equal((await send("/console/do", { headers: { cookie, ...headers }, form })).status, 403, JSON.stringify(headers));
  }
  const { server, url } = await elsewhere(form);
  const other = await page.context().newPage();
  await other.goto(url);
  await Promise.all([other.waitForURL(`${origin}/console/do`), other.getByRole("button").click()]);
  assert.match(await other.locator("body").innerText(), /this was sent by another site/);
  await other.goto(url);
  const framed = other.frames().find((frame) => frame !== other.mainFrame());
  assert.ok(!(await framed.content()).includes("Tradewind"), "no other page holds it");
  const read = other.evaluate(async (url) => (await fetch(url, { credentials: "include" })).text(), `${origin}/console`);
  await assert.rejects(read, /Failed to fetch/);
  server.close();
  assert.ok(!await isPaused());
  say("guard: with a wrong mark, and from another origin's page, nothing is done, read or framed");

  assert.equal((await send("/console/do", { headers: { cookie, ...OURS }, form })).status, 303);
  assert.ok(await isPaused(), "what is ours is done");
  for (const back of ["//evil.example", "https://evil.example", "/console@evil.example", "/console\\evil"]) {
    const answer = await send("/console/do", { headers: { cookie, ...OURS }, form: { ...form, act: "resume", back } });
    assert.equal(answer.headers.get("location"), "/console", back);
  }
  assert.ok(!await isPaused());
  await look(other, "/console/flow");
  await look(page, "/console");
  await press(page, page.getByRole("button", { name: "Leave" }));
  await shows(page, "Open the link that the console printed");
  assert.deepEqual(await audit(page, "outside"), [], "axe-core finds nothing on what is shown outside");
  await keepsOut({ cookie }, form);
  await eventually("a page that was open is told", () => other.locator("body.stale").count());
  say("guard: who has left is shown nothing any more, in any window; who is sent back stays in the console");
  await page.context().close();
};
