// What a browser does with the console. CONSOLE_BROWSER is JSON: chromium, playwright and axe (paths), link (what the console printed),
// door (where staff come to the console at the edge), staff and customer (their addresses) and password, screenshots (a folder),
// product, markup, turned and hostile (what console.py has put into the shop). What is to happen there meanwhile it is asked for.
import { door } from "./door.mjs";
import { guard } from "./guard.mjs";
import { hostile } from "./hostile.mjs";
import { everyPage } from "./pages.mjs";
import { launch, say } from "./visit.mjs";
import { late, orders, quarantine, stuck } from "./work.mjs";

const browser = await launch();
try {
  for (const step of [orders, stuck, quarantine, hostile, everyPage, late, guard, door]) await step(browser);
  say("passed");
} finally {
  await browser.close();
  process.stdin.destroy();
}
