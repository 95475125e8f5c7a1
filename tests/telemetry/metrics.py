"""Targets, dashboards, alerts and exemplars, as a Prometheus has them that scrapes a healthy shop."""

import json
import re
import time
import tomllib

from processes import ROOT, Prometheus, until
from spans import trace_ids

DASHBOARDS = ROOT / "helm/tradewind/files/dashboards"
# What Grafana puts in.
VARIABLES = {"$__rate_interval": "30s", "$__range": "5m", "$job": ".+", "$target": ".+"}
# Whose points in a panel lead to traces.
WITH_EXEMPLARS = ["grpc_server_call_duration_seconds_bucket", "grpc_client_call_duration_seconds_bucket",
                  "http_server_request_duration_seconds_bucket", "tradewind_reader_delay_seconds_bucket"]


def jobs():
    """The services that Compose's Prometheus scrapes."""
    return set(re.findall(r"([\w-]+):72\d\d", (ROOT / "deploy/prometheus.yml").read_text()))


def queries():
    """Every query of every dashboard, by dashboard, panel and legend; what its variables list is one, too."""
    found = {}
    for path in sorted(DASHBOARDS.glob("*.json")):
        dashboard = json.loads(path.read_text())
        for variable in dashboard["templating"]["list"]:
            if variable["type"] == "query":
                found[path.stem, "variable", variable["name"]] = re.fullmatch(r"label_values\((.*), \w+\)", variable["query"])[1]
        for panel in dashboard["panels"]:
            for target in panel.get("targets", []):
                found[path.stem, panel["title"], target["legendFormat"]] = target["expr"]
    return {key: filled(expression) for key, expression in found.items()}


def filled(expression):
    for variable, value in VARIABLES.items():
        expression = expression.replace(variable, value)
    return expression


def quiet():
    """The queries that have no answer while all is well."""
    listed = tomllib.loads((ROOT / "tests/telemetry/quiet.toml").read_text())
    return {(dashboard, *title.partition(" | ")[::2]) for dashboard, titles in listed.items() for title in titles}


def names(expression):
    """The series that an expression names."""
    return set(re.findall(r"\b(?:tradewind|grpc|http|db)_\w+(?=[{\[ )]|$)", re.sub(r'"[^"]*"|by \([^)]*\)|on \([^)]*\)', "", expression)))


def check(prometheus: Prometheus, say):
    """Everything but the exemplars."""
    check_targets(prometheus, say)
    check_dashboards(prometheus, say)
    check_alerts(prometheus, say)


def check_targets(prometheus, say):
    def up():
        targets = prometheus.ask("targets")["activeTargets"]
        return {each["labels"]["job"] for each in targets if each["health"] == "up"} == jobs() and targets
    found = until("every target is up", up)
    say("targets", f"{len(found)} are up")


def check_dashboards(prometheus, say):
    """Each query is answered, but for those that are quiet, which are understood."""
    asked, silent = queries(), quiet()
    titles = {(dashboard, title, of) for dashboard, title, legend in asked for of in (legend, "")}
    if silent - titles:
        raise SystemExit(f"quiet.toml names what is in no dashboard: {sorted(silent - titles)}")
    is_quiet = {key for key in asked if key in silent or (*key[:2], "") in silent}
    waiting = {key: asked[key] for key in asked if key not in is_quiet}

    def answered():
        for key in [key for key, expression in waiting.items() if prometheus.query(expression)]:
            del waiting[key]
        return not waiting
    try:
        until("every query has an answer", answered)
    except SystemExit:
        raise SystemExit("no data:\n" + "\n".join(f"{' / '.join(key)}: {text}" for key, text in waiting.items())) from None
    heard = [key for key in is_quiet if prometheus.query(asked[key])]
    say("dashboards", f"{len(asked) - len(is_quiet)} queries have data, {len(is_quiet)} are quiet by nature")
    for key in sorted(heard):
        say("dashboards", f"{' / '.join(key)} is in quiet.toml and has data")


def check_alerts(prometheus, say):
    """No alert would fire, however long it would wait; all rules are well; what they name is there."""
    def evaluated():
        rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
        return all(rule["health"] != "unknown" for rule in rules) and rules
    rules = until("every rule was evaluated", evaluated)
    ill = [f"{rule['name']}: {rule['lastError']}" for rule in rules if rule["health"] != "ok"]
    alerts = {rule["name"]: rule["query"] for rule in rules if rule["type"] == "alerting"}
    true = [f"{name}: {query}" for name, query in alerts.items() if prometheus.query(query)]
    if ill or true:
        raise SystemExit("\n".join(["rules that fail, or alerts of a shop that is well:", *ill, *true]))
    there = set(prometheus.ask("label/__name__/values"))
    absent = sorted({name for query in alerts.values() for name in names(query)} - there)
    say("alerts", f"none of {len(alerts)} would fire; not in this scrape: {', '.join(absent) or 'nothing'}")


def check_exemplars(prometheus, received, say):
    """Latencies of calls have trace ids, of traces that were collected."""
    for series in WITH_EXEMPLARS:
        def found(series=series):
            now = time.time()
            data = prometheus.ask("query_exemplars", query=series, start=now - 600, end=now)
            told = {exemplar["labels"].get("trace_id") for each in data for exemplar in each["exemplars"]}
            return told & trace_ids(received)
        ids = until(f"{series} has exemplars whose traces were collected", found)
        say("exemplars", f"{series}: {len(ids)} lead to traces")
