"""A Prometheus and a collector on free ports, with the configuration that Compose gives them."""

import json
import os
import pathlib
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
WITHIN = 180


def until(what, look):
    """Waits for what `look` returns to be something."""
    end = time.monotonic() + WITHIN
    while not (found := look()):
        if time.monotonic() > end:
            raise SystemExit(f"waited in vain until {what}")
        time.sleep(0.2)
    return found


def free_address():
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{found.getsockname()[1]}"


class Process:
    """A program that is ended when it is left."""

    def __init__(self, command, log, settings=None):
        self.log = log
        with open(log, "w") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **(settings or {})})

    def __enter__(self):
        try:
            until(f"{self.log.stem} is ready", self.is_ready)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def is_ready(self):
        if self.process.poll() is not None:
            raise SystemExit(f"{self.log.stem} did not start:\n{self.log.read_text()}")
        return self.answers()


class Collector(Process):
    """deploy/collector.yaml, but for where it listens and what it writes to."""

    def __init__(self, program, folder):
        self.address, self.received = free_address(), folder / "received.json"
        self.received.touch()
        here = {
            "receivers": {"otlp": {"protocols": {"grpc": {"endpoint": self.address}}}},
            "exporters": {"file": {"path": str(self.received), "flush_interval": "200ms"}},
            "service": {"pipelines": {"traces": {"exporters": ["file"]}}, "telemetry": {"metrics": {"level": "none"}}},
        }
        (folder / "collector.json").write_text(json.dumps(here))
        given = [f"--config={ROOT / 'deploy/collector.yaml'}", f"--config={folder / 'collector.json'}"]
        # All are kept: what is looked for is in each.
        super().__init__([program, *given], folder / "collector.log", {"TRACES_KEPT": "100"})

    def answers(self):
        host, port = self.address.split(":")
        with socket.socket() as connection:
            return connection.connect_ex((host, int(port))) == 0


class Prometheus(Process):
    """deploy/prometheus.yml, but for how often it scrapes, and where each target is."""

    SCRAPES = "1s"

    def __init__(self, program, folder, services):
        self.address = free_address()
        config = (ROOT / "deploy/prometheus.yml").read_text().replace("scrape_interval: 15s", f"scrape_interval: {self.SCRAPES}")
        config = config.replace("evaluation_interval: 15s", f"evaluation_interval: {self.SCRAPES}")
        assert config.count(f": {self.SCRAPES}") == 2, config
        moves = [{"source_labels": ["__address__"], "regex": f"{name}:.*", "target_label": "__address__", "replacement": address}
                 for name, address in services.items()]
        (folder / "prometheus.yml").write_text(config.rstrip() + "".join(f"\n      - {json.dumps(move)}" for move in moves) + "\n")
        (folder / "alerts.yaml").write_text((ROOT / "helm/tradewind/files/alerts.yaml").read_text())
        super().__init__([program, f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'prometheus'}",
                          f"--web.listen-address={self.address}", "--enable-feature=exemplar-storage", "--log.level=warn"],
                         folder / "prometheus.log")

    def answers(self):
        try:
            return self.get("-/ready")
        except (urllib.error.HTTPError, urllib.error.URLError):
            return False

    def get(self, path):
        """What it answers."""
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(f"http://{self.address}/{path}", timeout=30) as answer:
            return answer.read()

    def ask(self, path, **arguments):
        """What its API says."""
        path = f"api/v1/{path}?{urllib.parse.urlencode(arguments)}"
        try:
            return json.loads(self.get(path))["data"]
        except urllib.error.HTTPError as error:
            raise SystemExit(f"{path}: {error.code} {error.read().decode()}") from None

    def query(self, expression):
        """The samples of an expression that are numbers."""
        found = self.ask("query", query=expression)
        samples = [found["result"]] if found["resultType"] == "scalar" else [each["value"] for each in found["result"]]
        return [value for _, value in samples if value != "NaN"]
