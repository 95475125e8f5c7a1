// Text that others wrote: wherever it is shown it is text, and nothing beside it moves.
import assert from "node:assert/strict";
import { ask, enter, eventually, look, say, shows, told } from "./visit.mjs";
import { paths } from "./pages.mjs";

/** What has to stand on these pages: markup as it was written, what turns text round as an escape. */
const ESCAPED = "\\u{202e}";
const SHOWN = {
  waiting: [ESCAPED], orders: [told.markup], order: [told.markup], "order-waiting": [ESCAPED, told.markup], "order-cancelled": [ESCAPED], quarantine: [ESCAPED],
  parked: [ESCAPED], consumers: [ESCAPED], sales: ["<b/id=hostile>"], faults: ["longer by 5"],
};
const WIDTHS = [1280, 390];

/** What a page holds that nobody but a stranger could have put there, and how far it reaches beyond the window. */
const held = () => ({
  elements: document.querySelectorAll("#hostile, img, iframe, body script, [onerror]").length,
  // Bidirectional controls.
  turned: /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/.test(document.documentElement.outerHTML),
  beyond: document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll("body *")]
    .filter((one) => one.getBoundingClientRect().right > innerWidth && !one.parentElement.closest(".wide"))
    .map((one) => one.outerHTML.slice(0, 200)),
});

/** Has the shop hold on to what cannot be handled, and leaves it there for the pages that come after. */
const prepare = async (page) => {
  await ask("poison", told.turned);
  [told.late] = await ask("place", 1, told.markup);
  await look(page, "/console/quarantine");
  await shows(page, told.late);
};

export const hostile = async (browser) => {
  const page = await enter(browser);
  await prepare(page);
  const all = await paths(page);
  for (const [name, path, status] of all) {
    await look(page, path, status);
    await eventually(`${name} has ${SHOWN[name]}`, async () => {
      const text = await page.locator("main").textContent();
      return (SHOWN[name] ?? []).every((one) => text.includes(one));
    });
    await page.evaluate(() => document.querySelectorAll("details").forEach((one) => one.setAttribute("open", "")));
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      const { elements, turned, beyond } = await page.evaluate(held);
      assert.equal(elements, 0, `${name}: no element is a stranger's`);
      assert.ok(!turned, `${name}: nothing turns text round`);
      assert.deepEqual(beyond, [], `${name}: nothing reaches beyond a window of ${width}`);
    }
  }
  assert.deepEqual(page.wrong.filter((text) => !text.includes("status of 400")), [], "nothing is obeyed");
  say(`hostile: markup, quotes, turned text and the longest names are shown as text on ${Object.keys(SHOWN).length} pages; ${all.length} keep within the window`);
  await page.context().close();
};
