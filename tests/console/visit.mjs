// Somebody who looks at the console, in Chromium without a window, and what is wrong with what they see.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import assert from "node:assert/strict";

export const told = JSON.parse(process.env.CONSOLE_BROWSER);
export const origin = new URL(told.link).origin;
const { chromium } = createRequire(import.meta.url)(told.playwright);
const PATIENCE = 30_000;
export const say = (text) => console.log(`console: ${text}`);

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Has console.py do that to the shop; what came of it. */
export const ask = async (...what) => {
  console.log(`ask: ${JSON.stringify(what)}`);
  const { value, done } = await answers.next();
  assert.ok(!done, `${what[0]} was not done`);
  return JSON.parse(value);
};

export const launch = () => chromium.launch({
  executablePath: told.chromium,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});

/** Has a page count what it is told. */
const counted = () => {
  window.told = 0;
  window.EventSource = class extends EventSource {
    constructor(url) {
      super(url);
      this.addEventListener("message", () => { window.told += 1; });
    }
  };
};

/** A page of somebody who looks at nothing yet; `wrong` of it is what nobody should see, requests to any other `home` among that. */
export const stranger = async (browser, home, options = {}) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  await context.addInitScript(counted);
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE);
  page.wrong = [];
  page.on("console", (said) => said.type() === "error" && page.wrong.push(said.text()));
  page.on("pageerror", (error) => page.wrong.push(String(error)));
  page.on("dialog", (dialog) => { page.wrong.push(`a dialog: ${dialog.message()}`); dialog.dismiss(); });
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.protocol !== "data:" && url.origin !== home) page.wrong.push(`asked ${url}`);
  });
  return page;
};

/** A page of somebody who has come in by the link. */
export const enter = async (browser, options = {}) => {
  const page = await stranger(browser, origin, options);
  await page.goto(told.link);
  await page.waitForURL(`${origin}/console`);
  return page;
};

/** Goes to a path, which has to be shown; returns its answer. */
export const look = async (page, path, status = 200) => {
  const answer = await page.goto(origin + path);
  assert.equal(answer.status(), status, `${path}: ${await page.locator("main").textContent()}`);
  return answer;
};

/** Waits until that holds. */
export const eventually = async (what, holds) => {
  const until = Date.now() + PATIENCE;
  while (!await holds()) {
    assert.ok(Date.now() < until, `in time: ${what}`);
    await new Promise((later) => setTimeout(later, 100));
  }
};

/** Waits until the page shows that text, or none of it any more. */
export const shows = (page, text) => says(page, text, true);
export const hides = (page, text) => says(page, text, false);

const says = async (page, text, does) => {
  const holds = ([text, does]) => document.querySelector("main")?.innerText.includes(text) === does;
  await page.waitForFunction(holds, [text, does]).catch(async ({ name }) => {
    assert.fail(`${name}: ${page.url()} says ${does ? "" : "no more "}"${text}", but is\n${await page.locator("main").innerText()}`);
  });
};
