#!/usr/bin/env python3
"""What a real Prometheus and a real OpenTelemetry collector get of a running shop.

It is held beside the dashboards, the alerts, the way of an order, and what nobody may see."""

import argparse
import contextlib
import json
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "edge")]
sys.dont_write_bytecode = True

import metrics  # noqa: E402
import spans  # noqa: E402
from processes import Collector, Prometheus, until  # noqa: E402
from edge import settled_order  # noqa: E402
from shop import PASSWORD, Shop  # noqa: E402

# What only this customer has, of fields that the contracts mark as sensitive.
EMAIL = "quillfeather@telemetry.example"
NAME = "Quillfeather Zebrawood"
ADDRESS = {"line1": "77 Marzipan Crescent", "city": "Ottersbridge", "postalCode": "ZQ7 7QZ", "country": "GB"}


def say(check, text):
    """A check that holds."""
    print(f"telemetry: {check}: {text}", flush=True)


def admins(folder):
    """Where each service answers whoever scrapes, as its log has it."""
    found = {}
    for log in pathlib.Path(folder, "logs").glob("*.log"):
        for line in log.read_text().splitlines():
            if '"message":"started"' in line:
                found[log.stem] = json.loads(line)["fields"]["admin"]
    return found


def customer(shop):
    """Somebody signs up, signs in and orders through the front door; what nobody may see of that, by what it is."""
    shop.hire("staff@telemetry.example")
    staff = shop.log_in("staff@telemetry.example")["accessToken"]
    shop.sign_up(EMAIL, NAME)
    tokens = shop.log_in(EMAIL)
    settled_order(shop, staff, tokens["accessToken"], recipient=NAME, email=EMAIL, address=ADDRESS)
    address = {key: ADDRESS[key] for key in ("line1", "city", "postalCode")}
    return {"email": EMAIL, "name": NAME, "password": PASSWORD, "access token": tokens["accessToken"],
            "refresh token": tokens["refreshToken"], **address}


def scraped(address):
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://{address}/metrics", timeout=30) as answer:
        return answer.read()


def unseen(folder, services, received, secrets):
    """Nothing of what is sensitive left the shop as a trace, a line of a log, or a metric."""
    places = {"traces": received.read_bytes()}
    for name, address in services.items():
        places[f"{name}'s log"] = pathlib.Path(folder, "logs", f"{name}.log").read_bytes()
        places[f"{name}'s metrics"] = scraped(address)
    seen = [f"{what} in {place}" for place, text in places.items() for what, secret in secrets.items()
            if secret.encode() in text]
    if seen:
        raise SystemExit(f"seen by whoever should not: {', '.join(seen)}")
    said = b"".join(text for place, text in places.items() if place.endswith("log"))
    if b'"level":"DEBUG"' not in said:
        raise SystemExit("the logs are not at the level trace")
    say("secrets", f"{len(secrets)} are in none of {len(places)} places, {sum(map(len, places.values())) >> 10} KiB, at the level trace")


@contextlib.contextmanager
def orders(shop, *more):
    """Orders come, until this is left; none may fail."""
    process = subprocess.Popen(shop.command("--json", "load", *more), stdout=subprocess.PIPE, text=True)
    try:
        yield
    finally:
        process.terminate()
        told = process.communicate()[0]
    if process.returncode != 0:
        raise SystemExit(f"orders failed: {told}")


@contextlib.contextmanager
def visitors(shop):
    """Somebody looks at what there is, through the front door, until this is left."""
    left = threading.Event()

    def look():
        while not left.wait(0.2):
            shop.ask("GET", "/v1/products")
    looking = threading.Thread(target=look)
    looking.start()
    try:
        yield
    finally:
        left.set()
        looking.join()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for program in ("tradewind", "prometheus", "collector"):
        parser.add_argument(f"--{program}", required=True, metavar="PROGRAM")
    options = parser.parse_args()
    # Whoever is told to end ends what was started, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="tradewind-telemetry-"))
        collector = stack.enter_context(Collector(options.collector, pathlib.Path(folder)))
        settings = {
            "TRADEWIND_TRUSTED_PROXIES": "127.0.0.1/32", "TRADEWIND_LOG": "trace", "TRADEWIND_TRACE_RATIO": "1",
            "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{collector.address}",
        }
        shop = Shop.start(options.tradewind, folder, settings)
        stack.callback(shop.stop)
        services = until("every service says where it is scraped", lambda: (found := admins(folder)).keys() >= metrics.jobs() and found)
        prometheus = stack.enter_context(Prometheus(options.prometheus, pathlib.Path(folder), services))
        secrets = customer(shop)
        spans.check(collector.received, say)
        # One order in ten has its card declined.
        with visitors(shop), orders(shop, "--rate", "5"), orders(shop, "--rate", "0.5", "--payment-token", "tok_declined"):
            metrics.check(prometheus, say)
            unseen(folder, services, collector.received, secrets)
            metrics.check_exemplars(prometheus, collector.received, say)


if __name__ == "__main__":
    sys.exit(main())
