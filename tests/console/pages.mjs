// Every page, in light and dark: that it is shown, asks nobody else, is small, and keeps nobody from using it.
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import assert from "node:assert/strict";
import { enter, look, origin, say, told } from "./visit.mjs";

const LARGEST = 200_000;
const SIGHTS = [["light", "light", 1280], ["dark", "dark", 1280], ["small", "light", 390]];
/** What axe-core has rules of. */
const TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
const axe = readFileSync(told.axe, "utf8");

/** Each page by what it is called, with its path and how it is answered. */
export const paths = async (page) => {
  await look(page, "/console/quarantine");
  const parked = await page.locator("a[href*='/quarantine/stream']").first().getAttribute("href");
  return [
    ["stuck", "/console"], ["waiting", "/console?state=waiting"], ["orders", "/console/orders"],
    ["order", `/console/orders/${told.hostile[0]}`], ["order-cancelled", `/console/orders/${told.hostile[1]}`],
    ["order-waiting", `/console/orders/${told.late}`],
    ["flow", "/console/flow"], ["mesh", "/console/mesh"], ["quarantine", "/console/quarantine"], ["parked", parked],
    ["consumers", "/console/consumers"], ["money", "/console/money"], ["sales", "/console/sales"], ["faults", "/console/faults"],
    ["job", told.job], ["no-order", "/console/orders/none", 400], ["no-age", "/console?min_age=x", 400],
  ];
};

const violations = async (page, name) => {
  const found = await page.evaluate(async (tags) => {
    const { violations } = await axe.run(document, { runOnly: tags, resultTypes: ["violations"] });
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ")}`);
  }, TAGS);
  return found.map((one) => `${name}: ${one}`);
};

/** What a page weighs with what it is made with, as it was sent. */
const weight = async (answer) => {
  const assets = await Promise.all(["css", "js"].map((kind) => fetch(`${origin}/console/assets/console.${kind}`)));
  const sizes = await Promise.all(assets.map(async (asset) => (await asset.arrayBuffer()).byteLength));
  return sizes.reduce((sum, size) => sum + size, (await answer.body()).byteLength);
};

/** What keeps people from using the page that is shown, in both schemes and on a small screen; a picture of each is kept. */
export const audit = async (page, name) => {
  mkdirSync(told.screenshots, { recursive: true });
  await page.evaluate(axe);
  const found = [];
  for (const [kind, colorScheme, width] of SIGHTS) {
    await page.emulateMedia({ colorScheme });
    await page.setViewportSize({ width, height: 900 });
    await page.screenshot({ path: join(told.screenshots, `${name}-${kind}.png`), fullPage: true });
    found.push(...await violations(page, `${name}, ${kind}`));
  }
  await page.setViewportSize({ width: 1280, height: 900 });
  return found;
};

/** Shows each page: what is wrong with them. */
export const everyPage = async (browser) => {
  const page = await enter(browser);
  const all = await paths(page);
  const found = [];
  let heaviest = 0;
  for (const [name, path, status] of all) {
    page.wrong.length = 0;
    const answer = await look(page, path, status);
    heaviest = Math.max(heaviest, await weight(answer));
    found.push(...await audit(page, name));
    // A browser says itself that a page was answered so.
    const wrong = page.wrong.filter((text) => !(status && text.includes(`status of ${status}`)));
    assert.deepEqual(wrong, [], `${name} has nothing wrong`);
  }
  assert.ok(heaviest < LARGEST, `${heaviest} bytes`);
  say(`pages: ${all.length} are shown in light and dark, with no error, nobody else asked; the largest has ${heaviest} bytes`);
  assert.deepEqual(found, [], "axe-core finds nothing");
  say("axe: it finds nothing on any of them, in light, in dark and on a small screen (WCAG 2.2 A and AA, best practices)");
  await page.context().close();
};
