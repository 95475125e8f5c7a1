// What a browser does with the console. CONSOLE_BROWSER is JSON: chromium, playwright and axe (paths), link (what the console printed),
// screenshots (a folder), product, markup, turned and hostile (what console.py has put into the shop). What is to happen there
// meanwhile it is asked for.
import { guard } from "./guard.mjs";
import { hostile } from "./hostile.mjs";
import { everyPage } from "./pages.mjs";
import { launch, say } from "./visit.mjs";
import { late, orders, quarantine, stuck } from "./work.mjs";

const browser = await launch();
try {
  for (const step of [orders, stuck, quarantine, hostile, everyPage, late, guard]) await step(browser);
  say("passed");
} finally {
  await browser.close();
  process.stdin.destroy();
}
