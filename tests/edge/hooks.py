"""What Schemathesis has to be told of the shop: who signs in, what texts of our own formats are, and what no schema can say."""

import itertools
import json
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import schemathesis  # noqa: E402
from hypothesis import strategies as st  # noqa: E402
from schemathesis.core.failures import Failure  # noqa: E402
from schemathesis.generation.meta import StatefulPhaseData  # noqa: E402
from shop import People, Shop, network  # noqa: E402

TOLD = json.loads(os.environ["EDGE_SHOP"])
KIND = os.environ.get("EDGE_KIND", "")
CALLS = itertools.count()

# One line that shows something. What hides or turns text is refused, which no pattern of ECMA 262 tells exactly.
SHOWN = st.characters(categories=["Lu", "Ll", "Lo", "Nd", "Po", "Sc"], exclude_characters="\u3164\uffa0\u115f\u1160\u17b4\u17b5\u034f")
LINE = st.text(SHOWN, min_size=1, max_size=16)
LINES = st.lists(LINE, max_size=3).map("\n".join)
CURRENCIES = st.sampled_from(["GBP", "EUR", "USD", "JPY", "KWD", "CHF"])
PASSWORDS = st.text(SHOWN, min_size=12, max_size=40)
COUNTRIES = st.sampled_from(["GB", "DE", "FR", "JP", "US", "IE", "HK", "AE"])

schemathesis.openapi.format("text", LINE)
schemathesis.openapi.format("lines", LINES)
schemathesis.openapi.format("currency", CURRENCIES)
schemathesis.openapi.format("country", COUNTRIES)
schemathesis.openapi.format("password", PASSWORDS)
schemathesis.openapi.format("scope", st.sampled_from(["ordering.read", "ordering.write"]))
# Only an answer gives one that is good. Those of lists come along in the stateful phase.
schemathesis.openapi.format("page-token", st.just(""))
schemathesis.openapi.format("position", st.nothing())

# Why a request that is as the schema says may be answered 400, INVALID_ARGUMENT. FAILED_PRECONDITION is so by what it means: the
# request is good, and not possible as things stand. positive_data_acceptance takes every 400: `told` looks at these instead.
REASONS = {
    "CODE_INVALID": "which code was mailed is known to whoever has the mail",
    "PASSWORD_TOO_COMMON": "a list of 3,000",
    "PASSWORD_IS_EMAIL": "two fields together",
    "CURRENCY_CHANGED": "the currency that the product has",
    "MIXED_CURRENCIES": "products together",
    "TOTAL_TOO_LARGE": "prices and quantities together",
    "INVALID_EXPIRE_TIME": "it is over already",
    "REQUEST_ID_REUSED": "another request had the id",
    "IDEMPOTENCY_KEY": "the header and a field of the body together",
}
# The same of fields.
FIELDS = {
    "recipient.address.postal_code": "whether a country has them",
    "customer_id": "staff orders for somebody, a customer need not say for whom",
    "account_id": "staff names somebody, a customer need not say whom",
}


class Untold(Failure):
    """A request that is as the schema says was refused, for no reason that the schema could not tell."""


@schemathesis.check
def told(ctx, response, case):
    """A 400 of a good request has a reason that no schema can say."""
    if response.status_code != 400 or case.meta is None or not case.meta.generation.mode.is_positive:
        return None
    if case.query and {"version", "time"} <= case.query.keys():
        # OpenAPI cannot say that two parameters exclude each other.
        return None
    error = json.loads(response.content)["error"]
    reasons = [detail.get("reason") for detail in error["details"] if "reason" in detail]
    if error["status"] == "FAILED_PRECONDITION":
        return None
    fields = {bad["field"] for detail in error["details"] for bad in detail.get("fieldViolations", [])}
    if not set(reasons) & REASONS.keys() and not (fields and fields <= FIELDS.keys()):
        raise Untold(operation=case.operation.label, title="Refused without a reason that a schema cannot say",
                     message=f"{reasons}: {json.dumps(error, ensure_ascii=False)[:1500]}")
    return None


@schemathesis.hook
def before_call(context, case, kwargs):
    """Each call comes from another network: identity counts who tries to sign in by theirs. Every other good request is about what is
    there: few that are made up are, and what is answered then would never be looked at."""
    case.headers["X-Forwarded-For"] = network()
    meta = case.meta
    if meta is None or not meta.generation.mode.is_positive or isinstance(meta.phase.data, StatefulPhaseData):
        return
    names = [name for name in (case.path_parameters or {}) if name in TOLD["known"]]
    if names and next(CALLS) % 2 == 0:
        case.path_parameters = {**case.path_parameters, **{name: TOLD["known"][name] for name in names}}
    if case.operation.label == "POST /v1/orders" and next(CALLS) % 2 == 0:
        lines = [{**line, "productId": TOLD["known"]["product_id"]} for line in case.body["lines"]]
        case.body = {**case.body, "lines": lines, "expectedTotal": None}


if KIND in ("customer", "staff"):

    @schemathesis.auth(refresh_interval=240)
    class SignedIn:
        """Signs in again before a token is over, as somebody else where an operation has ended the account."""

        people = People(Shop(TOLD), KIND, TOLD["email"])

        def get(self, case, context):
            return self.people.token()

        def set(self, case, data, context):
            case.headers["Authorization"] = f"Bearer {data}"
