// What an operator does: follows an order, finds what is stuck and why, has it go on, and empties the quarantine, by keyboard alone.
import assert from "node:assert/strict";
import { go, held, isFocused, press, tab, tabTo, updated, watch } from "./keys.mjs";
import { audit } from "./pages.mjs";
import { ask, enter, eventually, hides, look, origin, say, shows, told } from "./visit.mjs";

const WHY = "the card provider is to be asked first";
/** How long until an order is late, by what the contracts allow, and some more. */
const LATE = 90_000;
const NOTHING = "Nothing of what was asked for waits.";

/** How many orders have taken a step, as the flow page says. */
const taken = async (page, name) => {
  const step = page.locator(".steps li", { has: page.locator("b", { hasText: new RegExp(`^${name}$`) }) });
  return Number((await step.locator(".many").innerText()).replace(/\D/g, ""));
};

export const orders = async (browser) => {
  const page = await enter(browser);
  await tab(page);
  assert.ok(await isFocused(page.locator(".skip")), "what is skipped comes first");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => document.activeElement.id === "main");
  await go(page, "Flow");
  await watch(page);
  const [placed, confirmed] = [await taken(page, "placed"), await taken(page, "confirmed")];
  await ask("place", 3);
  await eventually("three more", async () => await taken(page, "placed") === placed + 3 && await taken(page, "confirmed") === confirmed + 3);
  say("flow: three orders are seen to be placed and confirmed, without the page being loaded again");

  await ask("freeze", "payment");
  const [order] = await ask("place", 1);
  await look(page, `/console/orders/${order}`);
  await watch(page);
  await shows(page, "Awaits OrderPaid");
  await ask("thaw", "payment");
  await shows(page, "Nothing is awaited.");
  assert.ok(await page.evaluate(() => window.updates) > 0);
  assert.match(await page.locator("#live").innerText(), /PaymentCaptured[^]*OrderConfirmed/);
  say("order: what it waits for is said, and then every event that ends that, without the page being loaded again");

  await go(page, "Orders");
  await watch(page);
  const link = page.locator(`#live a[href$="${order}"]`);
  await tabTo(page, link);
  await updated(page, () => ask("place", 2));
  assert.ok(await isFocused(link), "the focus is on the same order, however many came before it");
  await page.keyboard.press("Enter");
  await page.waitForURL(`${origin}/console/orders/${order}`);
  say("orders: the focus stays on an order while others come before it");
  await page.context().close();
};

/** Has all that is shown be tried again: what that would do is looked at first. */
const again = async (page, plan, seen = async () => {}) => {
  await press(page, page.getByText("Do something about all of it"));
  await press(page, page.getByRole("button", { name: "See what that would do" }));
  await shows(page, "Nothing has been yet.");
  assert.deepEqual(await page.locator(".plan li").allInnerTexts(), [plan]);
  await seen();
  await press(page, page.locator("#confirm"));
  await page.waitForURL(/\/console\/jobs\/\d+$/);
  told.job = new URL(page.url()).pathname;
  await shows(page, "1 of 1, all ended");
  assert.ok(!(await page.locator("main").innerText()).includes("failed"));
  await press(page, page.getByRole("link", { name: "Back to where it was asked for" }));
};

export const stuck = async (browser) => {
  const page = await enter(browser);
  const front = await page.context().newPage();
  await front.goto(`${origin}/console?state=waiting`);
  await shows(front, NOTHING);
  await watch(front);

  await go(page, "Consumers");
  await watch(page);
  const form = page.locator("form.act", { has: page.locator('input[name=consumer][value="payment"]') });
  await tabTo(page, form.getByLabel("Why"));
  await page.keyboard.type(WHY);
  await tab(page);
  const pause = form.getByRole("button", { name: "Pause" });
  assert.ok(await isFocused(pause));
  await held(page, () => ask("place", 1));
  await updated(page, () => page.evaluate(() => document.activeElement.blur()));
  assert.equal(await form.getByLabel("Why").inputValue(), WHY, "what is typed stays");
  await pause.hover();
  await held(page, () => ask("place", 1));
  await updated(page, () => page.mouse.move(0, 0));
  assert.equal(await form.getByLabel("Why").inputValue(), WHY, "what is typed stays");
  await press(page, pause);
  await shows(page, "payment of payment is paused.");
  assert.ok((await page.locator("#live").innerText()).includes(WHY));
  say("consumers: nothing moves while a button has the focus or the pointer is over it; what is typed stays; payment's reader is paused");

  await ask("freeze", "payment");
  const waiting = await ask("place", 4);
  await shows(front, waiting[0]);
  await shows(front, "Why OrderStockConfirmed waits");
  await shows(front, "payment does not answer");
  await go(page, "Stuck");
  await press(page, page.getByLabel("also what is not late"), "Space");
  await press(page, page.getByRole("button", { name: "Show" }));
  await page.waitForURL((url) => url.searchParams.get("state") === "waiting");
  await shows(page, waiting.at(-1));
  say("stuck: four orders are shown, and that payment does not answer");

  await ask("thaw", "payment");
  await shows(front, WHY);
  await again(page, "payment: let payment read on", async () => {
    assert.deepEqual(await audit(page, "plan"), [], "axe-core finds nothing on what would be done");
    await shows(front, WHY);
  });
  await shows(page, NOTHING);
  await shows(front, NOTHING);
  assert.ok(await front.evaluate(() => window.updates) > 0);
  say("stuck: trying all of it again is shown, confirmed and followed to its end; the front page is empty by itself");
  await page.context().close();
};

export const quarantine = async (browser) => {
  const page = await enter(browser);
  await go(page, "Quarantine");
  await shows(page, "Nothing is in quarantine.");
  await watch(page);
  await ask("poison", told.markup);
  const [order] = await ask("place", 1);
  await shows(page, `order-${order}`);
  assert.ok((await page.locator("#live").innerText()).includes(told.markup), "why it is there");
  await press(page, page.getByRole("link", { name: `order-${order}` }));
  await shows(page, "OrderPlaced, version 1");
  assert.ok(!(await page.locator("main").innerText()).includes("tok_ok"), "what is sensitive is not shown");
  await press(page, page.getByRole("button", { name: "Try again" }));
  await shows(page, "Not done: inventory cannot handle OrderPlaced");
  await press(page, page.getByRole("link", { name: "All of quarantine" }));
  await ask("cure");
  await press(page, page.getByRole("button", { name: "Try again" }));
  await shows(page, `inventory is through with order-${order}`);
  await shows(page, "Nothing is in quarantine.");
  const acts = await page.locator("tbody tr", { hasText: order }).allInnerTexts();
  assert.deepEqual(acts.map((act) => act.split("\t").slice(1, 5)), ["done", "failed"].map((how) => ["operator", "replay", `inventory inventory order-${order}`, how]));
  await look(page, `/console/orders/${order}`);
  await shows(page, "Nothing is awaited.");
  say("quarantine: what cannot be handled is shown with why; it is tried in vain, put right and tried again; both stand there");
  await hides(page, "Awaits");
  await page.context().close();
};

/** What `hostile` has left in quarantine is late by now, or will be. */
export const late = async (browser) => {
  const page = await enter(browser);
  page.setDefaultTimeout(LATE);
  await shows(page, told.late);
  await shows(page, "OrderPlaced is in quarantine there");
  await page.locator("td.bad").first().waitFor();
  await ask("cure");
  await again(page, `inventory: try order-${told.late} again`);
  await shows(page, NOTHING);
  say("late: the front page shows what is late of itself; what is in quarantine is tried again for all of it, and the page is empty");
  await page.context().close();
};
