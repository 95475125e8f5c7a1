#!/usr/bin/env python3
"""Orders something as the shop's operator, follows the order to its end, and shows how the shop refuses.

TRADEWIND_DIR is the folder of the shop that runs (.tradewind); TRADEWIND_PEERS says where services answer that are not on
the documented ports, as in catalog=localhost:7101,ordering=localhost:7102.
"""

import json
import os
import pathlib
import secrets
import sys
import time
import uuid

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from tradewind.catalog.v1 import service_pb2 as catalog
from tradewind.catalog.v1 import service_pb2_grpc as catalog_grpc
from tradewind.inventory.v1 import service_pb2 as inventory
from tradewind.inventory.v1 import service_pb2_grpc as inventory_grpc
from tradewind.money.v1 import money_pb2 as money
from tradewind.ordering.v1 import events_pb2 as events
from tradewind.ordering.v1 import service_pb2 as ordering
from tradewind.ordering.v1 import service_pb2_grpc as ordering_grpc

PORTS = {"catalog": 7101, "ordering": 7102, "inventory": 7103, "notification": 7106}

# A call that was not answered is made again: every request here has a request_id or changes nothing.
RETRIES = {
    "methodConfig": [
        {
            "name": [{"service": f"tradewind.{name}.v1.{name.title()}Service"} for name in PORTS],
            "retryPolicy": {
                "maxAttempts": 4,
                "initialBackoff": "0.1s",
                "maxBackoff": "2s",
                "backoffMultiplier": 2,
                "retryableStatusCodes": ["UNAVAILABLE"],
            },
        }
    ]
}

CALL_SECONDS = 5
SETTLED_SECONDS = 60
PAUSE_SECONDS = 0.5


class Shop:
    """The services as a workload with a certificate sees them; every call is part of one trace."""

    def __init__(self, folder, peers, identity="operator"):
        pki = pathlib.Path(folder, "pki")
        credentials = grpc.ssl_channel_credentials(
            root_certificates=(pki / "ca.pem").read_bytes(),
            certificate_chain=(pki / f"{identity}.pem").read_bytes(),
            private_key=(pki / f"{identity}.key").read_bytes(),
        )
        options = [("grpc.service_config", json.dumps(RETRIES)), ("grpc.enable_http_proxy", 0)]
        self.channels = channels = {
            name: grpc.secure_channel(peers.get(name, f"localhost:{port}"), credentials, options)
            for name, port in PORTS.items()
        }
        self.catalog = catalog_grpc.CatalogServiceStub(channels["catalog"])
        self.inventory = inventory_grpc.InventoryServiceStub(channels["inventory"])
        self.ordering = ordering_grpc.OrderingServiceStub(channels["ordering"])
        self.trace_id = secrets.token_hex(16)

    def call(self, method, request, seconds=CALL_SECONDS):
        """Makes a call as a new span of the trace."""
        traceparent = f"00-{self.trace_id}-{secrets.token_hex(8)}-01"
        return method(request, timeout=seconds, metadata=[("traceparent", traceparent)])

    def settled(self, order_id):
        """Follows an order until it is settled. A watch that ends before because a service stops is begun again."""
        seen, until = None, time.monotonic() + SETTLED_SECONDS
        while True:
            try:
                watch = ordering.WatchOrderRequest(order_id=order_id)
                for update in self.call(self.ordering.WatchOrder, watch, until - time.monotonic()):
                    if seen is None or update.order.status != seen.status:
                        say("order", order_id, status(update.order))
                    seen = update.order
                return seen
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
                time.sleep(PAUSE_SECONDS)


class Refusal:
    """What a refused call says for programs: a stable reason, facts, and the fields at fault."""

    def __init__(self, error):
        self.code = error.code().name
        self.reason, self.facts, self.fields = "", {}, {}
        answer = rpc_status.from_call(error)
        for detail in answer.details if answer else []:
            info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
            if detail.Unpack(info):
                self.reason, self.facts = info.reason, dict(info.metadata)
            elif detail.Unpack(request):
                self.fields = {each.field: each.description for each in request.field_violations}

    def __str__(self):
        told = [f"{field}: {text}" for field, text in self.fields.items()]
        told += [f"{key}={value}" for key, value in sorted(self.facts.items())]
        return f"{self.code} {self.reason} ({'; '.join(told)})"


def refused(reason, method, request):
    """Makes a call that has to be refused for that reason."""
    try:
        method(request)
    except grpc.RpcError as error:
        refusal = Refusal(error)
        say("refused", refusal)
        if refusal.reason != reason:
            raise SystemExit(f"that was to be refused as {reason}") from error
        return
    raise SystemExit(f"that was to be refused as {reason}, and was not")


def say(what, *text):
    print(f"{what:<9}", *text, flush=True)


def status(order):
    return ordering.OrderStatus.Name(order.status).removeprefix("ORDER_STATUS_")


def an_order(product_id, token, after, **more):
    """Two of a product, paid with a card that the provider knows by `token`."""
    return ordering.PlaceOrderRequest(
        request_id=str(uuid.uuid4()),
        customer_id="python",
        lines=[ordering.OrderLine(product_id=product_id, quantity=2)],
        payment_token=token,
        recipient=events.Recipient(
            name="A Customer",
            email="customer@example.org",
            address=events.Address(line1="1 Harbour Street", city="Port Town", postal_code="10115", country="GB"),
        ),
        after=after,
        **more,
    )


def main():
    peers = dict(peer.split("=", 1) for peer in os.environ.get("TRADEWIND_PEERS", "").split(",") if peer)
    shop = Shop(os.environ.get("TRADEWIND_DIR", ".tradewind"), peers)
    say("trace", shop.trace_id)

    def create(request):
        return shop.call(shop.catalog.CreateProduct, request)

    def place(request):
        return shop.call(shop.ordering.PlaceOrder, request)

    # A product, and units of it. What creates it gives a position: an order that names it waits until ordering knows of it.
    product_id = f"python-{secrets.token_hex(4)}"
    product = catalog.Product(
        product_id=product_id, sku=product_id.upper(), name="Tea", price=money.Money(currency="GBP", minor=450)
    )
    created = create(catalog.CreateProductRequest(request_id=str(uuid.uuid4()), product=product))
    say("product", created.product.product_id)
    received = shop.call(
        shop.inventory.ReceiveStock,
        inventory.ReceiveStockRequest(request_id=str(uuid.uuid4()), sku=product.sku, location="main", quantity=10),
    )
    say("stock", received.level.available, "of", received.level.sku)

    # An order that is confirmed. The same request again is the same order, however often it is sent.
    wanted = an_order(product_id, "tok_ok", [created.position])
    order_id = place(wanted).order.order_id
    order = shop.settled(order_id)
    again = place(wanted).order.order_id
    say("again", again, "the same order" if again == order_id else "ANOTHER ORDER")
    if status(order) != "CONFIRMED" or again != order_id:
        return 1

    # An order whose card is declined is accepted, and cancelled: its reason is in the order, for no call is refused.
    declined = shop.settled(place(an_order(product_id, "tok_declined", [created.position])).order.order_id)
    reason = events.CancellationReason.Name(declined.cancellation_reason).removeprefix("CANCELLATION_REASON_")
    say("declined", status(declined), reason, declined.cancellation_detail)
    if reason != "PAYMENT_DECLINED":
        return 1

    # What is refused says why, for programs.
    malformed = an_order(product_id, "tok_ok", [])
    malformed.lines[0].quantity = 0
    malformed.recipient.email = "nobody"
    malformed.recipient.address.country = "UK"
    refused("INVALID_REQUEST", place, malformed)
    refused("PRODUCT_NOT_FOUND", place, an_order("no-such-product", "tok_ok", []))
    cheaper = money.Money(currency="GBP", minor=1)
    refused("PRICE_CHANGED", place, an_order(product_id, "tok_ok", [], expected_total=cheaper))
    other = an_order(product_id, "tok_ok", [])
    other.request_id = wanted.request_id
    other.lines[0].quantity = 3
    refused("REQUEST_ID_REUSED", place, other)
    refused("PRODUCT_EXISTS", create, catalog.CreateProductRequest(request_id=str(uuid.uuid4()), product=product))
    unknown = ordering.GetOrderRequest(order_id=str(uuid.uuid4()))
    refused("ORDER_NOT_FOUND", lambda request: shop.call(shop.ordering.GetOrder, request), unknown)
    retire = catalog.RetireProductRequest(request_id=str(uuid.uuid4()), product_id=product_id)
    retired = shop.call(shop.catalog.RetireProduct, retire)
    refused("PRODUCT_RETIRED", place, an_order(product_id, "tok_ok", [retired.position]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
