"""A shop of its own on free ports, and the people who come to it."""

import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request

PASSWORD = "a password nobody has"
READY_WITHIN = 120
MAIL_WITHIN = 30


def say(text):
    """A line of progress."""
    print(f"edge: {text}", flush=True)


class Refused(Exception):
    """An answer that is not 2xx."""


def ask(method, url, body=None, headers=None):
    """Asks for JSON, past any proxy of the machine."""
    data = None if body is None else json.dumps(body).encode()
    said = {"content-type": "application/json"} if body is not None else {}
    request = urllib.request.Request(url, data=data, method=method, headers={**said, **(headers or {})})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        raise Refused(f"{method} {url}: {error.code} {error.read().decode()[:400]}") from None


class Shop:
    """A running shop; what it says at the start tells where everybody listens."""

    def __init__(self, told):
        self.told = told
        self.process = None

    @classmethod
    def start(cls, program, folder, settings):
        """Starts everything in `folder`; ends with the process that called."""
        shop = cls({"program": str(program), "folder": str(folder), "ports": {}})
        log = pathlib.Path(folder, "up.log")
        with open(log, "w") as out:
            shop.process = subprocess.Popen(
                [program, "--dir", folder, "up", "--free-ports"],
                stdout=out, stderr=subprocess.STDOUT, env={**os.environ, **settings}, start_new_session=True,
            )
        until = time.monotonic() + READY_WITHIN
        while "everything is ready" not in log.read_text():
            if shop.process.poll() is not None or time.monotonic() > until:
                shop.stop()
                raise SystemExit(f"the shop did not start:\n{log.read_text()}")
            time.sleep(0.1)
        for name, port in re.findall(r"^(\S+) +ready on 127\.0\.0\.1:(\d+)", log.read_text(), re.MULTILINE):
            shop.told["ports"][name] = int(port)
        return shop

    def stop(self):
        """Stops it and waits for its end."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)

    def url(self, name):
        return f"http://127.0.0.1:{self.told['ports'][name]}"

    @property
    def edge(self):
        return self.url("gateway")

    def hire(self, email):
        """Makes an account for staff, as whoever runs the shop does."""
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(PASSWORD + "\n")
            file.flush()
            self.run("identity", "admin", "--email", email, "--password-file", file.name)

    def command(self, *arguments):
        """What runs the shop's program for whoever runs the shop."""
        services = {name: port for name, port in self.told["ports"].items() if name not in ("nats", "outside", "gateway", "console")}
        peers = ",".join(f"{name}=127.0.0.1:{port}" for name, port in services.items())
        return [self.told["program"], "--dir", self.told["folder"], "--peers", peers, *arguments]

    def run(self, *arguments):
        """Runs it; what it prints."""
        return subprocess.run(self.command(*arguments), check=True, stdout=subprocess.PIPE, text=True).stdout

    def sign_up(self, email, name="A. Customer"):
        """Makes an account for a customer, with the code that is mailed."""
        begun = self.ask("POST", "/v1/accounts", {"email": email, "password": PASSWORD, "name": name})
        code = self.code(email)
        self.ask("POST", "/v1/accounts:verify", {"verificationId": begun["verificationId"], "code": code})

    def code(self, email):
        """The code in the last mail to an address."""
        until = time.monotonic() + MAIL_WITHIN
        while time.monotonic() < until:
            mails = ask("GET", f"{self.url('outside')}/mail/messages?to={email}")
            mails = mails.get("messages", []) if isinstance(mails, dict) else mails
            codes = [code for mail in mails for code in re.findall(r"\b\d{8}\b", mail["body"])]
            if codes:
                return codes[-1]
            time.sleep(0.1)
        raise SystemExit(f"no code was mailed to {email}")

    def log_in(self, email):
        """The tokens of a session."""
        return self.ask("POST", "/v1/sessions", {"email": email, "password": PASSWORD})["tokens"]

    def ask(self, method, path, body=None, token=None):
        """Asks the gateway, from a network where nobody else tries to sign in."""
        headers = {"x-forwarded-for": network()}
        if token:
            headers["authorization"] = f"Bearer {token}"
        return ask(method, self.edge + path, body, headers)


_networks = threading.Lock()
_number = [os.getpid() % 200]


def network():
    """Another network each time."""
    with _networks:
        _number[0] += 1
        return f"2001:db8:{_number[0] % 0xFFFF:x}::7"


class People:
    """Whoever signs in as one kind of person; who cannot any more is followed by another."""

    def __init__(self, shop, kind, email=None):
        self.shop, self.kind, self.lock = shop, kind, threading.Lock()
        self.count, self.email = 0, email

    def tokens(self):
        """The tokens of whoever can sign in."""
        with self.lock:
            if self.email is not None:
                try:
                    return self.shop.log_in(self.email)
                except Refused:
                    pass
            self.count += 1
            self.email = f"{self.kind}-{os.getpid()}-{time.monotonic_ns()}@edge.example"
            (self.shop.hire if self.kind == "staff" else self.shop.sign_up)(self.email)
            return self.shop.log_in(self.email)

    def token(self):
        """An access token that is good for a while."""
        return self.tokens()["accessToken"]
