#!/usr/bin/env python3
"""Suites that come through the front door of a running shop.

  schemathesis  tries every operation of /openapi.json, all checks and phases: with nobody signed in, as a
                customer, as one of two, as staff
  browser       reads /docs and calls from pages of other origins, in Chromium without a window
"""

import argparse
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
sys.dont_write_bytecode = True

from shop import People, Shop, say  # noqa: E402


KINDS = ["nobody", "customer", "two customers", "staff"]


def schemathesis(shop, options):
    """Once with each kind of person; the exit code of the worst."""
    worst = 0
    staff = People(shop, "staff")
    for number, kind in enumerate(options.people):
        # Somebody with an order; staff has one of somebody else's.
        customer = People(shop, "customer")
        tokens = customer.tokens()
        product = f"lamp-{number}"
        shop.told["email"] = {"customer": customer.email, "staff": staff.email}.get(kind)
        shop.told["known"] = {
            "account_id": tokens["accountId"], "session_id": tokens["sessionId"], "product_id": product, "sku": product,
            "order_id": settled_order(shop, staff.token(), tokens["accessToken"], product),
        }
        say(f"schemathesis, {kind}: {options.examples} examples an operation")
        with tempfile.TemporaryDirectory() as folder:
            config = (HERE / "schemathesis.toml").read_text()
            if kind == "two customers":
                config += peers(folder, {"one": tokens, "other": People(shop, "customer").tokens()})
            pathlib.Path(folder, "schemathesis.toml").write_text(config)
            settings = {
                "EDGE_SHOP": json.dumps(shop.told), "EDGE_KIND": kind, "SCHEMATHESIS_HOOKS": str(HERE / "hooks.py"),
                "NO_PROXY": "*", "PYTHONDONTWRITEBYTECODE": "1",
            }
            command = [options.schemathesis, "run", f"{shop.edge}/openapi.json",
                       "--max-examples", str(options.examples), "--no-color", *options.more]
            if options.seed is not None:
                command += ["--seed", str(options.seed)]
            done = subprocess.run(command, env={**os.environ, **settings}, cwd=folder, check=False)
        say(f"schemathesis, {kind}: {'passed' if done.returncode == 0 else 'failed'}")
        worst = max(worst, done.returncode)
    return worst


def peers(folder, people):
    """Settings by which each is shown to see nothing of the others'."""
    users = [
        {"name": name, "fixedHeaders": [{"name": "Authorization", "value": f"Bearer {tokens['accessToken']}"}]}
        for name, tokens in people.items()
    ]
    path = pathlib.Path(folder, "people.json")
    path.write_text(json.dumps({"auth": users}))
    return f"\n[auth.wfc]\npath = {json.dumps(str(path))}\npeers = {json.dumps(list(people))}\n"


ADDRESS = {"line1": "1 High Street", "city": "Leeds", "postalCode": "LS1 4AP", "country": "GB"}


def settled_order(shop, staff, token, product="lamp", name="Lamp", recipient="A. Customer", email="customer@edge.example", address=ADDRESS):
    """An order of whoever has the token, of a product that is made for it; it is settled."""
    price = {"currency": "GBP", "minor": 1200}
    thing = {"productId": product, "sku": product, "name": name, "price": price}
    listed = shop.ask("POST", "/v1/products", thing, staff)
    shop.ask("POST", f"/v1/stock/{product}:receive", {"location": "leeds", "quantity": 9}, staff)
    wanted = {
        "recipient": {"name": recipient, "email": email, "address": address},
        "lines": [{"productId": product, "quantity": 1}],
        "paymentToken": "tok_ok",
        "after": [listed["position"]],
    }
    order = shop.ask("POST", "/v1/orders", wanted, token)["order"]["orderId"]
    until = time.monotonic() + 30
    while time.monotonic() < until:
        status = shop.ask("GET", f"/v1/orders/{order}", None, token)["order"]["status"]
        if status == "ORDER_STATUS_CONFIRMED":
            return order
        time.sleep(0.1)
    raise SystemExit(f"the order is not settled: {status}")


def browser(shop, options):
    """Chromium without a window, driven by browser.mjs."""
    token = People(shop, "customer").token()
    staff = People(shop, "staff").token()
    told = {
        "chromium": options.chromium, "playwright": options.playwright, "edge": shop.edge, "token": token,
        "allowed": options.allowed, "other": options.other, "order": settled_order(shop, staff, token),
    }
    settings = {**os.environ, "EDGE_BROWSER": json.dumps(told)}
    return subprocess.run(["node", HERE / "browser.mjs"], env=settings, check=False).returncode


def free_port():
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suite", choices=["schemathesis", "browser"])
    parser.add_argument("--tradewind", required=True, metavar="PROGRAM", help="the shop's program")
    parser.add_argument("--schemathesis", default="schemathesis", metavar="PROGRAM")
    parser.add_argument("--chromium", default="chromium", metavar="PROGRAM")
    parser.add_argument("--playwright", default="playwright-core", metavar="FOLDER", help="playwright-core, as npm installs it")
    parser.add_argument("--examples", type=int, default=20, help="requests that are made up for an operation and phase (20)")
    parser.add_argument("--seed", type=int, help="the same requests as another run")
    parser.add_argument("--people", nargs="*", default=KINDS, choices=KINDS, help="all of them")
    parser.add_argument("more", nargs="*", metavar="OPTION", help="after --, options for schemathesis")
    options = parser.parse_args()
    options.schemathesis = shutil.which(options.schemathesis) and pathlib.Path(shutil.which(options.schemathesis)).absolute()
    # Whoever is told to end ends the shop too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="tradewind-edge-") as folder:
        say("starting a shop on free ports")
        options.allowed, options.other = free_port(), free_port()
        # Who signs in is counted by network: each comes from another, by the word of a proxy.
        settings = {
            "TRADEWIND_TRUSTED_PROXIES": "127.0.0.1/32",
            "TRADEWIND_CORS_ORIGINS": f"http://127.0.0.1:{options.allowed}",
        }
        shop = Shop.start(options.tradewind, folder, settings)
        try:
            return {"schemathesis": schemathesis, "browser": browser}[options.suite](shop, options)
        finally:
            shop.stop()


if __name__ == "__main__":
    sys.exit(main())
