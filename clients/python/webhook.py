#!/usr/bin/env python3
"""Receives what happens to an order by webhooks, and verifies it with the library of the Standard Webhooks specification.

It listens on a port of this machine, registers that as the shop's operator, orders something, and ends when it was told that the
order is confirmed. TRADEWIND_DIR and TRADEWIND_PEERS are those of shop.py.
"""

import http.server
import os
import queue
import secrets
import sys
import threading
import uuid

from standardwebhooks import Webhook, WebhookVerificationError

from shop import Shop, an_order, catalog, inventory, money, say
from tradewind.notification.v1 import webhooks_pb2 as webhooks
from tradewind.notification.v1 import webhooks_pb2_grpc as webhooks_grpc

TYPES = ["tradewind.ordering.v1.OrderPlaced", "tradewind.ordering.v1.OrderConfirmed"]
SECONDS = 60
SENSITIVE = [b"tok_ok", b"customer@example.org", b"A Customer", b"Harbour"]


class Receiver(http.server.ThreadingHTTPServer):
    """Takes each event once: what it does with one is to put it into `events`."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.events, self.handled, self.webhook = queue.Queue(), set(), None
        self.registered = threading.Event()

    def take(self, body, headers):
        """Verifies a request over the bytes that came. An id that was handled is answered as before, and nothing is done."""
        self.registered.wait(SECONDS)
        event = self.webhook.verify(body, headers)
        if any(text in body for text in SENSITIVE):
            raise SystemExit("that was not to be told")
        if event["id"] not in self.handled:
            self.handled.add(event["id"])
            self.events.put((event, body, headers))


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers fast: whoever takes long does it afterwards."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        try:
            self.server.take(body, dict(self.headers))
            self.send_response(204)
        except WebhookVerificationError as error:
            say("forged", error)
            self.send_response(401)
        self.end_headers()

    def log_message(self, *_):
        pass


def an_order_of_tea(shop):
    product_id = f"webhook-{secrets.token_hex(4)}"
    product = catalog.Product(
        product_id=product_id, sku=product_id.upper(), name="Tea", price=money.Money(currency="GBP", minor=450)
    )
    create = catalog.CreateProductRequest(request_id=str(uuid.uuid4()), product=product)
    position = shop.call(shop.catalog.CreateProduct, create).position
    stock = inventory.ReceiveStockRequest(request_id=str(uuid.uuid4()), sku=product.sku, location="main", quantity=10)
    shop.call(shop.inventory.ReceiveStock, stock)
    return shop.call(shop.ordering.PlaceOrder, an_order(product_id, "tok_ok", [position])).order.order_id


def is_forged(webhook, body, headers):
    """Whether the library refuses what was changed on its way."""
    try:
        webhook.verify(body.replace(b"Order", b"0rder"), headers)
        return False
    except WebhookVerificationError:
        return True


def main():
    peers = dict(peer.split("=", 1) for peer in os.environ.get("TRADEWIND_PEERS", "").split(",") if peer)
    shop = Shop(os.environ.get("TRADEWIND_DIR", ".tradewind"), peers)
    hooks = webhooks_grpc.WebhookServiceStub(shop.channels["notification"])
    receiver = Receiver()
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{receiver.server_port}/hook"
    create = webhooks.CreateWebhookEndpointRequest(request_id=str(uuid.uuid4()), url=url, event_types=TYPES)
    created = shop.call(hooks.CreateWebhookEndpoint, create)
    endpoint_id, receiver.webhook = created.endpoint.endpoint_id, Webhook(created.secret)
    receiver.registered.set()
    say("endpoint", endpoint_id)
    try:
        order_id, told = an_order_of_tea(shop), []
        while told != TYPES:
            event, body, headers = receiver.events.get(timeout=SECONDS)
            if event["subject"] == order_id:
                told.append(event["type"])
                say("told", event["type"].rsplit(".", 1)[-1], order_id, "verified")
                if not is_forged(receiver.webhook, body, headers):
                    raise SystemExit("what was changed on its way was believed")
        say("forged", "what is changed on its way is refused")
        return 0
    finally:
        delete = webhooks.DeleteWebhookEndpointRequest(request_id=str(uuid.uuid4()), endpoint_id=endpoint_id)
        shop.call(hooks.DeleteWebhookEndpoint, delete)


if __name__ == "__main__":
    sys.exit(main())
