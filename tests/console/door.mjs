// Staff at the edge: they sign in by keyboard alone, come to what they wanted, do something as who they are, and leave.
import assert from "node:assert/strict";
import { go, isFocused, press, tab, tabTo } from "./keys.mjs";
import { audit } from "./pages.mjs";
import { say, shows, stranger, told } from "./visit.mjs";

const WRONG = "a password that nobody ever had";
const WHY = "the shelves are counted";

/** Fills in the form that is shown, and sends it. */
const signIn = async (page, email, password) => {
  await tabTo(page, page.getByLabel("E-mail address"));
  await page.keyboard.press("ControlOrMeta+A");
  await page.keyboard.type(email);
  await tab(page);
  await page.keyboard.type(password);
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
};

export const door = async (browser) => {
  const page = await stranger(browser, told.door);
  const answer = await page.goto(`${told.door}/console/money`);
  assert.equal(answer.status(), 401);
  assert.match(answer.headers()["content-security-policy"], /default-src 'none'/);
  assert.ok(await isFocused(page.getByLabel("E-mail address")), "one can type at once");
  assert.equal(await page.getByRole("navigation").count(), 0, "there is nothing to see");
  assert.deepEqual(await audit(page, "sign-in"), [], "axe-core finds nothing on the page to sign in");

  await signIn(page, told.staff, WRONG);
  await shows(page, "No account has this address and this password, or it is locked.");
  assert.equal(await page.getByLabel("E-mail address").inputValue(), told.staff, "only the password is to be typed again");
  assert.ok(await isFocused(page.getByLabel("Password", { exact: true })), "at once");
  assert.deepEqual(await audit(page, "sign-in-refused"), [], "nor where somebody was refused");
  await signIn(page, "nobody@edge.example", told.password);
  await shows(page, "No account has this address and this password, or it is locked.");
  await signIn(page, told.customer, told.password);
  await shows(page, "This account is not one of the staff.");
  assert.deepEqual((await page.context().cookies()).map(({ name }) => name), ["__Host-tradewind_console_form"], "nobody is in");
  say("door: whoever is not one of the staff is told so, and shown nothing");

  page.wrong.length = 0;
  await signIn(page, told.staff, told.password);
  await page.waitForURL(`${told.door}/console/money`);
  await shows(page, "Entries");
  const [session] = (await page.context().cookies()).filter(({ name }) => name === "__Host-tradewind_console");
  assert.deepEqual([session.httpOnly, session.sameSite], [true, "Strict"]);
  await go(page, "Consumers");
  const form = page.locator("form.act", { has: page.locator('input[name=consumer][value="shipping"]') });
  await tabTo(page, form.getByLabel("Why"));
  await page.keyboard.type(WHY);
  await press(page, form.getByRole("button", { name: "Pause" }));
  await shows(page, "shipping of shipping is paused.");
  await press(page, form.getByRole("button", { name: "Let it read on" }));
  await shows(page, "shipping of shipping reads on.");
  await go(page, "Quarantine");
  const row = await page.locator("tbody tr", { hasText: WHY }).innerText();
  assert.match(row, /\tuser\/[^\t]+\tpause\tshipping shipping/, "who did it is written down");
  assert.deepEqual(page.wrong, [], "nothing is wrong with what they see");
  say("door: staff sign in by keyboard, come to the page that they wanted, and pause a reader as who they are");

  await press(page, page.getByRole("button", { name: "Leave" }));
  await page.getByLabel("Password", { exact: true }).waitFor();
  await page.context().addCookies([session]);
  assert.equal((await page.goto(`${told.door}/console/money`)).status(), 401, "who has left is out, whatever they kept");
  say("door: who has left is out, with the cookie of before too");
  await page.context().close();
};
