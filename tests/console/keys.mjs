// Use by keyboard alone: what has the focus is always to be seen, and keeps it.
import assert from "node:assert/strict";

/** More stops than any page has. */
const STOPS = 400;

/** What has the focus, in words, and whether that can be seen. */
const focus = () => {
  const at = document.activeElement;
  const [style, box] = [getComputedStyle(at), at.getBoundingClientRect()];
  const isMarked = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0;
  const isThere = box.width > 0 && box.height > 0 && box.right > 0 && box.bottom > 0 && box.left < innerWidth && box.top < innerHeight;
  return { what: at.outerHTML.slice(0, 200), isSeen: at === document.body || (isMarked && isThere) };
};

export const isFocused = (locator) => locator.evaluate((one) => one === document.activeElement);

/** Presses Tab once. */
export const tab = async (page) => {
  await page.keyboard.press("Tab");
  const { what, isSeen } = await page.evaluate(focus);
  assert.ok(isSeen, `the focus is seen on ${page.url()}: ${what}`);
};

/** Comes to it by Tab. */
export const tabTo = async (page, locator) => {
  await locator.waitFor();
  for (let stops = 0; stops < STOPS; stops += 1) {
    if (await isFocused(locator)) return;
    await tab(page);
  }
  assert.fail(`${locator} cannot be reached on ${page.url()}`);
};

/** Comes to it by Tab, and presses a key there. */
export const press = async (page, locator, key = "Enter") => {
  await tabTo(page, locator);
  await page.keyboard.press(key);
};

/** Goes to a page by its name in the navigation. */
export const go = async (page, name) => {
  const link = page.getByRole("navigation").getByRole("link", { name, exact: true });
  const path = await link.getAttribute("href");
  await press(page, link);
  await page.waitForURL((url) => url.pathname === path);
};

/** Puts a mark on the page as it was loaded, and counts how often it is brought up to date. */
export const watch = (page) => page.evaluate(() => {
  window.updates = 0;
  new MutationObserver(() => { window.updates += 1; }).observe(document.getElementById("live"), { childList: true });
});

/** Waits until what is live has been brought up to date again by what is done; the page is the one that was loaded. */
export const updated = async (page, done) => {
  const before = await page.evaluate(() => window.updates);
  await done();
  await page.waitForFunction((before) => window.updates > before, before);
};

/** Waits until the page has been told of something else, which it does not show yet. */
export const held = async (page, meanwhile) => {
  const [told, updates] = await page.evaluate(() => [window.told, window.updates]);
  await meanwhile();
  await page.waitForFunction((told) => window.told > told, told);
  assert.equal(await page.evaluate(() => window.updates), updates, "nothing moves under the pointer, or away from the focus");
};
