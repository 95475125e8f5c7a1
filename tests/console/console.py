#!/usr/bin/env python3
"""What a browser shows of the console, over a running shop: Chromium without a window, driven by console.mjs."""

import argparse
import json
import os
import pathlib
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from contextlib import closing

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "edge"))
sys.dont_write_bytecode = True

from edge import settled_order  # noqa: E402
from shop import PASSWORD, People, Shop  # noqa: E402

PRODUCT, SKU = "tea", "TEA"
# What a page that is written carelessly would obey: as markup, beyond a quote, and where letters change their direction.
MARKUP = '"><img src=x onerror=alert(1)><b id=hostile>'
TURNED = f"\u202e{MARKUP}</b></script></textarea>\u2066 {{{{7*7}}}} 'W{'W' * 90}"
# Nobody keeps an order from being late but whoever it waits for.
SETTLE_WITHIN = "3600s"
READY_WITHIN = 20


def say(text):
    """A line of progress."""
    print(f"console: {text}", flush=True)


class Stage:
    """What the browser asks to happen in the shop meanwhile."""

    def __init__(self, shop, folder):
        self.shop, self.folder = shop, pathlib.Path(folder)

    def place(self, count=1, customer="c-1", product=PRODUCT):
        """Places orders; their ids."""
        def one():
            return self.shop.run("--json", "order", "place", f"{product}=1", "--customer", customer, "--settle-within", SETTLE_WITHIN)
        return [json.loads(one())["order"]["orderId"] for _ in range(count)]

    def freeze(self, name):
        """Leaves a process there that does nothing and answers nobody."""
        self.signal(name, signal.SIGSTOP)

    def thaw(self, name):
        """Lets it go on."""
        self.signal(name, signal.SIGCONT)

    def signal(self, name, which):
        run = json.loads((self.folder / "run.json").read_text())
        os.kill(run["processes"][name]["pid"], which)

    def poison(self, text):
        """From now on inventory can take up no order, and says so in these words."""
        said = text.replace("'", "''")
        self.change("inventory", f"CREATE TRIGGER poison BEFORE INSERT ON open_reservation BEGIN SELECT RAISE(ABORT, '{said}'); END")

    def cure(self):
        """Lets it take them up again."""
        self.change("inventory", "DROP TRIGGER poison")

    def turn(self, service, consumer):
        """Pauses a reader for a reason that only a build of old would have let in."""
        row = (consumer, time.time_ns() // 1000, "operator", TURNED)
        self.change(service, "INSERT INTO pause (consumer, since, principal, reason) VALUES (?, ?, ?, ?)", row)

    def change(self, service, statement, values=()):
        with closing(sqlite3.connect(self.folder / "data" / f"{service}.db", timeout=10)) as database:
            found = database.execute(statement, values).fetchone()
            database.commit()
            return found

    def cancel(self, detail):
        """An order that is cancelled for what only a build of old would have said; its id."""
        order = json.loads(self.shop.run("--json", "order", "place", PRODUCT, "--payment-token", "tok_declined"))["order"]["orderId"]
        until = time.monotonic() + READY_WITHIN
        while "CARD_DECLINED" not in self.shop.run("--json", "order", "get", order):
            if time.monotonic() > until:
                raise SystemExit(f"{order} is not cancelled")
        stream = (f"order-{order}", "tradewind.ordering.v1.OrderCancelled")
        (said,) = self.change("ordering", "SELECT payload FROM event WHERE stream = ? AND type = ?", stream)
        text = detail.encode()
        length = bytes([len(text) & 127 | 128, len(text) >> 7])
        said = said.replace(b"\x0dCARD_DECLINED", length + text)
        self.change("ordering", "UPDATE event SET payload = ? WHERE stream = ? AND type = ?", (said, *stream))
        return order

    def run(self, *arguments):
        """Runs the shop's program; what it prints."""
        return self.shop.run(*arguments)


def hostile(shop, stage):
    """Has markup stand wherever the shop takes text; the orders that it stands in."""
    staff, token = People(shop, "staff").token(), People(shop, "customer").token()
    names = {"name": MARKUP + "W" * (200 - len(MARKUP)), "recipient": (MARKUP + " " + "W" * 100)[:100]}
    settled = settled_order(shop, staff, token, "w" * 63, **names)
    sku = "\"><img/src=x/onerror=alert(1)><b/id=hostile>".ljust(63, "W")
    shop.run("product", "create", "odd", "--price", "GBP:999999999", "--sku", sku, "--name", MARKUP)
    shop.run("stock", "receive", sku, "9", "--location", "main")
    stage.place(1, (MARKUP + "W" * 64)[:64], "odd")
    stage.turn("documents", "documents.documents")
    shop.run("mesh", "fault", "set", "ordering", "PlaceOrder", "--latency", "5ms", "--for", "30m")
    return [settled, stage.cancel(TURNED)]


def known(shop):
    """Where staff come to the console at the edge, and who is known there."""
    people = {kind: People(shop, kind) for kind in ("staff", "customer")}
    for person in people.values():
        person.token()
    return {"door": shop.url("console"), "password": PASSWORD, **{kind: person.email for kind, person in people.items()}}


def browse(shop, stage, link, options):
    """Runs console.mjs; what it asks for it is answered. Its exit code."""
    told = {
        "chromium": options.chromium, "playwright": options.playwright, "axe": options.axe, "link": link,
        "screenshots": str(options.screenshots), "product": PRODUCT, "markup": MARKUP, "turned": TURNED,
        "hostile": hostile(shop, stage), **known(shop),
    }
    settings = {**os.environ, "CONSOLE_BROWSER": json.dumps(told)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    with subprocess.Popen(["node", HERE / "console.mjs"], env=settings, **pipes) as browser:
        for line in browser.stdout:
            if not line.startswith("ask: "):
                print(line, end="", flush=True)
                continue
            name, *arguments = json.loads(line.removeprefix("ask: "))
            browser.stdin.write(json.dumps(getattr(stage, name)(*arguments)) + "\n")
        return browser.wait()


def open_console(shop, folder):
    """The console's process, and the link that it prints."""
    log = pathlib.Path(folder, "console.log")
    with open(log, "w") as out:
        process = subprocess.Popen(shop.command("console", "--port", "0"), stdout=out, stderr=subprocess.STDOUT)
    until = time.monotonic() + READY_WITHIN
    while not (found := re.search(r"http://\S+", log.read_text())):
        if process.poll() is not None or time.monotonic() > until:
            process.kill()
            raise SystemExit(f"the console did not start:\n{log.read_text()}")
        time.sleep(0.05)
    return process, found[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tradewind", required=True, metavar="PROGRAM", help="the shop's program")
    parser.add_argument("--chromium", default="chromium", metavar="PROGRAM")
    parser.add_argument("--playwright", default="playwright-core", metavar="FOLDER", help="playwright-core, as npm installs it")
    parser.add_argument("--axe", required=True, metavar="FILE", help="axe.min.js of axe-core")
    parser.add_argument("--screenshots", type=pathlib.Path, default=pathlib.Path("target/console"), metavar="FOLDER",
                        help="where a picture of each page is kept (target/console)")
    options = parser.parse_args()
    options.screenshots = options.screenshots.absolute()
    # Whoever is told to end ends the shop too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="tradewind-console-") as folder:
        say("starting a shop on free ports")
        shop = Shop.start(options.tradewind, folder, {"TRADEWIND_TRUSTED_PROXIES": "127.0.0.1/32"})
        console = None
        try:
            shop.run("product", "create", PRODUCT, "--price", "GBP:1250", "--name", "Green tea")
            shop.run("stock", "receive", SKU, "5000")
            console, link = open_console(shop, folder)
            return browse(shop, Stage(shop, folder), link, options)
        finally:
            if console is not None:
                console.terminate()
                console.wait()
            shop.stop()


if __name__ == "__main__":
    sys.exit(main())
