"""The trace of an order, as a collector received it."""

import json

from processes import until

# Who takes part in an order that comes through the front door.
SAGA = {"gateway", "ordering", "inventory", "payment", "shipping", "notification", "analytics"}


def received(path):
    """Every span, with its service; a line that is still being written is read next time."""
    found = []
    for line in path.read_text().splitlines(keepends=True):
        if not line.endswith("\n"):
            break
        for resource in json.loads(line)["resourceSpans"]:
            attributes = {each["key"]: each["value"] for each in resource["resource"]["attributes"]}
            for scope in resource["scopeSpans"]:
                found += [{**span, "service": attributes["service.name"]["stringValue"]} for span in scope["spans"]]
    return found


def trace_ids(path):
    """The traces of which there is something."""
    return {span["traceId"] for span in received(path)}


def orders(spans):
    """Traces that every participant is in, by their ids."""
    traces = {}
    for span in spans:
        traces.setdefault(span["traceId"], []).append(span)
    return {trace: spans for trace, spans in traces.items() if {span["service"] for span in spans} >= SAGA}


def roots(spans):
    """Those that nothing in the shop came before."""
    return [f"{span['service']}: {span['name']}" for span in spans if not span.get("parentSpanId") and not span.get("links")]


def strays(spans, there):
    """Those that hang on nothing that is there, though they say on what."""
    def is_held(span):
        before = [span.get("parentSpanId"), *(link["spanId"] for link in span.get("links", []))]
        return not any(before) or any(each in there for each in before)
    return [f"{span['service']}: {span['name']}" for span in spans if not is_held(span)]


def check(path, say):
    """The order that was placed has one trace, and every span but the first has its parent there, or is linked to what is there."""
    try:
        until("an order's trace has spans of every service", lambda: orders(received(path)))
    except SystemExit:
        told = {}
        for span in received(path):
            told.setdefault(span["traceId"], set()).add(span["service"])
        raise SystemExit(f"no trace with all of {sorted(SAGA)}: {sorted(map(sorted, told.values()))}") from None

    def torn():
        spans = received(path)
        there = {span["spanId"] for span in spans}
        return [(trace, roots(spans), strays(spans, there)) for trace, spans in orders(spans).items()
                if len(roots(spans)) != 1 or strays(spans, there)]
    try:
        until("its spans hang together", lambda: not torn())
    except SystemExit:
        raise SystemExit("\n".join(f"{trace}: begins with {roots}, and these hang on nothing: {strays}"
                                   for trace, roots, strays in torn())) from None
    for spans in orders(received(path)).values():
        say("trace", f"one of {len(spans)} spans in {len({span['service'] for span in spans})} services, which hang together")
