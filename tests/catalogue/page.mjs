// Reads pages of contracts in Chromium without a window: nothing is said on the console, nobody is asked for anything, every method
// and event is there, what is searched for is found, and it can all be done by keyboard and be read in the light and in the dark.
// node page.mjs CHROMIUM PLAYWRIGHT PAGE DESCRIPTORS.json [PAGE DESCRIPTORS.json]…
import assert from "node:assert/strict";
import fs from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [chromiumPath, playwright, ...pairs] = process.argv.slice(2);
const { chromium } = createRequire(import.meta.url)(playwright);

// What buf reads of the contracts.
const declared = (file) => {
  const own = JSON.parse(fs.readFileSync(file, "utf8")).file.filter((each) => !each.name.startsWith("google/"));
  const methods = own.flatMap((each) => (each.service ?? []).flatMap((service) =>
    (service.method ?? []).map((method) => `${each.package}.${service.name}.${method.name}`)));
  const events = own.flatMap((each) => (each.messageType ?? [])
    .filter((message) => message.options?.["[tradewind.options.v1.event]"])
    .map((message) => ({ name: `${each.package}.${message.name}`, fields: (message.field ?? []).map((field) => field.name) })));
  return { methods, events };
};

// The contrast of two colours, as WCAG 2 has it.
const contrast = (one, other) => {
  const light = (colour) => {
    const parts = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16) / 255);
    const [red, green, blue] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const [more, less] = [light(one), light(other)].sort((a, b) => b - a);
  return (more + 0.05) / (less + 0.05);
};

const held = async (page, { methods, events }) => {
  const ids = await page.evaluate(() => [...document.querySelectorAll("[id]")].map((element) => element.id));
  assert.equal(new Set(ids).size, ids.length, "no two things have one id");
  const entries = await page.evaluate(() => [...document.querySelectorAll("details.entry")].map((entry) => [entry.id, entry.textContent]));
  const texts = new Map(entries);
  for (const method of methods) {
    assert.ok(texts.get(method)?.includes("callers"), `${method} is there with its policy`);
  }
  for (const { name, fields } of events) {
    assert.ok(texts.get(name)?.includes("owner"), `${name} is there with its owner`);
    for (const field of fields) assert.ok(texts.get(name).includes(field), `${name} has ${field}`);
    assert.ok(await page.locator(`svg a[href="#${name}"]`).count(), `${name} is drawn`);
  }
  const links = await page.evaluate(() => [...document.querySelectorAll("a[href^='#']")].map((link) => link.getAttribute("href").slice(1)));
  const known = new Set(ids);
  assert.deepEqual(links.filter((link) => !known.has(link)), [], "every link leads somewhere");
};

const searched = async (page, { methods, events }) => {
  const shown = page.locator("details.entry:visible");
  const all = await shown.count();
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.className), "skip", "the first thing is the way past the head");
  await page.keyboard.press("/");
  assert.equal(await page.evaluate(() => document.activeElement.id), "find");
  for (const name of [methods[0], events[0].name, methods.at(-1).split(".").at(-1)]) {
    await page.fill("#find", name.toUpperCase());
    const found = await shown.evaluateAll((entries) => entries.map((entry) => entry.id));
    assert.ok(found.some((id) => id.endsWith(name)) && found.length < all, `${name} is found: ${found.length} of ${all}`);
    assert.equal(await page.textContent("#found"), `${found.length} of ${all}`);
  }
  await page.fill("#find", events[0].name);
  await page.keyboard.press("Enter");
  assert.ok(await page.evaluate(() => document.activeElement.closest("details.entry").open), "Enter opens the first");
  await page.fill("#find", "nothing-is-called-like-this");
  assert.equal(await shown.count(), 0);
  await page.keyboard.press("Escape");
  assert.equal(await shown.count(), all);
  // A link to what is not shown at the moment leads there all the same.
  await page.fill("#find", methods[0]);
  await page.evaluate((id) => { location.hash = id; }, events.at(-1).name);
  await page.waitForFunction((id) => document.getElementById(id).open, events.at(-1).name);
  assert.ok(await page.locator(`details[id="${events.at(-1).name}"]`).isVisible());
};

const readable = async (page) => {
  const papers = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    const colours = await page.evaluate(() => {
      const style = getComputedStyle(document.documentElement);
      const of = (name) => style.getPropertyValue(`--${name}`).trim();
      return {
        papers: ["paper", "band"].map(of),
        inks: ["ink", "soft", "accent", "forward", "compensation", "progress", "observe"].map(of),
      };
    });
    papers.push(colours.papers[0]);
    for (const paper of colours.papers) {
      for (const ink of colours.inks) assert.ok(contrast(paper, ink) >= 4.5, `${ink} on ${paper}, ${colorScheme}`);
    }
  }
  assert.notEqual(papers[0], papers[1], "the dark is dark");
  await page.setViewportSize({ width: 360, height: 640 });
  const wide = await page.evaluate(() => [...document.querySelectorAll("body *")]
    .filter((element) => !element.closest(".wide, .skip") && element.getBoundingClientRect().right > innerWidth)
    .map((element) => element.outerHTML.slice(0, 120)));
  assert.deepEqual(wide, [], "a telephone shows it without moving to the side");
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth));
};

const browser = await chromium.launch({
  executablePath: chromiumPath,
  args: ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync"],
});
try {
  for (let at = 0; at < pairs.length; at += 2) {
    const url = String(pathToFileURL(pairs[at]));
    const contracts = declared(pairs[at + 1]);
    const page = await browser.newPage();
    const [said, asked] = [[], []];
    page.on("console", (line) => said.push(`${line.type()}: ${line.text()}`));
    page.on("pageerror", (error) => said.push(String(error)));
    page.on("dialog", (dialog) => { said.push(`dialog: ${dialog.message()}`); dialog.dismiss(); });
    page.on("request", (request) => asked.push(request.url()));
    await page.goto(url);
    await held(page, contracts);
    await searched(page, contracts);
    await readable(page);
    assert.deepEqual(said, [], "nothing is said on the console");
    assert.deepEqual(asked.filter((one) => one.split("#")[0] !== url && !one.startsWith("data:")), [], "nobody is asked");
    await page.close();
    const still = await browser.newContext({ javaScriptEnabled: false });
    const unscripted = await still.newPage();
    await unscripted.goto(url);
    assert.ok(await unscripted.locator("details.entry").count() > contracts.methods.length, "it is whole without a script");
    await still.close();
    console.log(`${contracts.methods.length} methods and ${contracts.events.length} events`);
  }
} finally {
  await browser.close();
}
