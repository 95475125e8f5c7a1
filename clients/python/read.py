#!/usr/bin/env python3
"""Reads what happens in a context as somebody outside: on from where it stopped, and what the broker has lost of the owner.

    read.py reporting ordering [--once]

`tradewind pki issue reporting --reads ordering` makes the certificate. TRADEWIND_DIR is the folder of the shop that runs
(.tradewind), TRADEWIND_NATS_URL the broker (tls://localhost:7422), TRADEWIND_PEERS says where services answer that are not on
the documented ports. How far it has read is in TRADEWIND_STATE (reporting-ordering.json). With --once it ends when it has all.
"""

import argparse
import asyncio
import collections
import datetime
import json
import os
import pathlib
import ssl
import sys

import grpc
import nats
from cloudevents.core.bindings.http import HTTPMessage, from_binary
from cloudevents.core.v1.event import CloudEvent
from google.protobuf import symbol_database

from tradewind.catalog.v1 import events_pb2 as _catalog  # noqa: F401
from tradewind.eventlog.v1 import service_pb2 as eventlog
from tradewind.eventlog.v1 import service_pb2_grpc as eventlog_grpc
from tradewind.identity.v1 import events_pb2 as _identity  # noqa: F401
from tradewind.inventory.v1 import events_pb2 as _inventory  # noqa: F401
from tradewind.ordering.v1 import events_pb2 as _ordering  # noqa: F401
from tradewind.payment.v1 import events_pb2 as _payment  # noqa: F401
from tradewind.shipping.v1 import events_pb2 as _shipping  # noqa: F401
from tradewind.documents.v1 import events_pb2 as _documents  # noqa: F401

PORTS = {
    "catalog": 7101, "ordering": 7102, "inventory": 7103, "payment": 7104, "shipping": 7105, "notification": 7106, "identity": 7107,
    "analytics": 7108,
    "documents": 7109,
}
TOGETHER = 256
WAIT_SECONDS = 1
CALL_SECONDS = 5


class Bytes:
    """The body of an event as it is: CloudEvents' own format knows JSON."""

    def read_data(self, body, _content_type):
        return body


class Places:
    """How far a context is read: of which log, and to which position of each partition."""

    def __init__(self, path):
        self.path = path
        kept = json.loads(path.read_text()) if path.exists() else {}
        self.log = kept.get("log", "")
        self.positions = {int(partition): position for partition, position in kept.get("positions", {}).items()}

    def at(self, log, partition):
        """The last position that is read. Another log begins anew."""
        if log != self.log:
            self.log, self.positions = log, {}
        return self.positions.get(partition, 0)

    def save(self):
        new = self.path.with_suffix(".new")
        new.write_text(json.dumps({"log": self.log, "positions": self.positions}))
        new.replace(self.path)


class Reader:
    """Reads one context. What it makes of an event is `handle`."""

    def __init__(self, context, places, owner, handle):
        self.context, self.places, self.owner, self.handle = context, places, owner, handle

    async def take(self, messages):
        """Handles what the stream has, remembers how far that was, and acknowledges it."""
        for message in messages:
            event = from_binary(HTTPMessage(message.headers, message.data), Bytes())
            # Another context's has strayed here, and says nothing of this log.
            if event.get_source() != f"/tradewind/{self.context}":
                continue
            log, partition, position = place(event)
            await self.fill(log, partition, position - 1)
            if position > self.places.at(log, partition):
                self.done(event, "stream")
        if messages:
            self.places.save()
            # Whoever acknowledges one has acknowledged all before it.
            await messages[-1].ack()

    async def fill(self, log, partition, until):
        """Handles of the owner what is missing up to a position."""
        while (after := self.places.at(log, partition)) < until:
            request = eventlog.ReadLogRequest(partition=partition, after=after, limit=min(until - after, 1000))
            page = await self.owner.ReadLog(request, timeout=CALL_SECONDS)
            # A log that was replaced meanwhile is begun from the first event, when the next message or head names it.
            if page.incarnation != log or not page.events:
                return
            for record in page.events:
                self.done(self.recorded(record, log), "owner")
            self.places.save()

    def done(self, event, by):
        log, partition, position = place(event)
        self.handle(event, by)
        self.places.at(log, partition)
        self.places.positions[partition] = position

    def recorded(self, record, log):
        """What the owner has, as the stream would have said it."""
        attributes = {
            "specversion": "1.0",
            "id": record.id,
            "type": record.type,
            "source": f"/tradewind/{self.context}",
            "subject": record.key,
            "time": record.time.ToDatetime(tzinfo=datetime.timezone.utc),
            "datacontenttype": "application/protobuf",
            "log": log,
            "partition": str(record.partition),
            "position": str(record.position),
        }
        return CloudEvent(attributes, record.payload)


def place(event):
    return event.get_extension("log"), int(event.get_extension("partition")), int(event.get_extension("position"))


def say(event, by):
    """Prints an event; of a type that is not known here no more than its name."""
    _, partition, position = place(event)
    try:
        message = symbol_database.Default().GetSymbol(event.get_type())()
        message.ParseFromString(event.get_data())
        text = " ".join(field.name for field, _ in message.ListFields())
    except KeyError:
        text = ""
    name = event.get_type().rpartition(".")[2]
    print(f"event     {partition}/{position} {name} {event.get_subject()} by {by}: {text}", flush=True)


async def main():
    arguments = argparse.ArgumentParser(description="Reads the events of a context.")
    arguments.add_argument("name")
    arguments.add_argument("context", choices=sorted(PORTS))
    arguments.add_argument("--once", action="store_true")
    asked = arguments.parse_args()
    pki = pathlib.Path(os.environ.get("TRADEWIND_DIR", ".tradewind"), "pki")
    state = os.environ.get("TRADEWIND_STATE", f"{asked.name}-{asked.context}.json")
    peers = dict(peer.split("=") for peer in os.environ.get("TRADEWIND_PEERS", "").split(",") if peer)

    tls = ssl.create_default_context(cafile=pki / "ca.pem")
    tls.load_cert_chain(pki / f"{asked.name}.pem", pki / f"{asked.name}.key")
    credentials = grpc.ssl_channel_credentials(*((pki / f).read_bytes() for f in ("ca.pem", f"{asked.name}.key", f"{asked.name}.pem")))
    address = peers.get(asked.context, f"localhost:{PORTS[asked.context]}")
    refused = []

    async def hear(wrong):
        if "permissions violation" in str(wrong).lower():
            refused.append(wrong)

    broker = await nats.connect(
        os.environ.get("TRADEWIND_NATS_URL", "tls://localhost:7422"),
        tls=tls,
        inbox_prefix=f"_INBOX.READER.{asked.name}",
        error_cb=hear,
    )
    async with broker, grpc.aio.secure_channel(address, credentials, [("grpc.enable_http_proxy", 0)]) as channel:
        reader = Reader(asked.context, Places(pathlib.Path(state)), eventlog_grpc.EventLogServiceStub(channel), say)
        # How far the log reaches, told every second; the last word counts.
        latest = collections.deque(maxlen=1)

        async def heard(message):
            latest.append(message.data.decode().split(" "))

        await broker.subscribe(f"tw.head.{asked.context}", cb=heard)
        stream = f"TW_PUBLIC_{asked.context.upper()}"
        consumer = await broker.jetstream().pull_subscribe_bind(consumer=asked.name, stream=stream)
        while True:
            # What a log had before the stream was asked has come from there, or is lost.
            log, *ends = latest.pop() if latest else [""]
            messages = await fetched(consumer)
            await reader.take(messages)
            # Whoever is granted something else waits for nothing.
            if refused:
                raise SystemExit(f"read: {refused[0]}")
            for partition, end in enumerate(ends if not messages else []):
                await reader.fill(log, partition, int(end))
            if asked.once and log and not messages:
                return


async def fetched(consumer):
    """What the stream has; nothing, while it is away."""
    try:
        return await consumer.fetch(TOGETHER, timeout=WAIT_SECONDS)
    except nats.errors.TimeoutError:
        return []
    except nats.errors.Error as away:
        print("broker   ", away, file=sys.stderr, flush=True)
        await asyncio.sleep(WAIT_SECONDS)
        return []


if __name__ == "__main__":
    asyncio.run(main())
