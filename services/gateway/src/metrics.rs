//! What is measured at the edge, under OpenTelemetry's names for HTTP. Metrics watch; nothing decides by them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{LazyLock, Once, OnceLock};
use std::time::Duration;

use http::{Method, StatusCode};
use opentelemetry::metrics::{BoundHistogram, Counter, Histogram, Meter};
use opentelemetry::{KeyValue, Value, global};
use tradewind_telemetry::{Part, exemplar, names};

/// The statuses that are told apart; any other counts as the first of its hundred.
const STATUSES: [u16; 21] =
    [200, 204, 304, 400, 401, 403, 404, 405, 408, 409, 413, 415, 429, 431, 499, 500, 501, 503, 504, 505, 100];

const REQUESTS: &str = "http.server.request.duration";

static DURATION: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    meter()
        .f64_histogram(REQUESTS)
        .with_unit("s")
        .with_description("From a request's headers to the last byte of its answer")
        .build()
});
static REFUSED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    meter()
        .u64_counter("tradewind_gateway_refused")
        .with_description("Connections that were turned away or ended, by reason")
        .build()
});
static UNBELIEVED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    meter()
        .u64_counter("tradewind_gateway_unbelieved_proxies")
        .with_description("Requests from a private network that say whom they are for, of whoever is not trusted to")
        .build()
});
static LIMITED: LazyLock<Counter<u64>> = LazyLock::new(|| {
    meter()
        .u64_counter("tradewind_gateway_limited")
        .with_description(
            "Requests that were refused because there were too many, by class and as whom they were counted",
        )
        .build()
});
static KEYS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    meter()
        .u64_counter("tradewind_gateway_partner_keys_shown")
        .with_description("Requests with a partner's key, by whether it was known, unknown, or could not be looked up")
        .build()
});
static UNDER_WAY: AtomicI64 = AtomicI64::new(0);

fn meter() -> Meter {
    global::meter("tradewind")
}

/// A method of HTTP by its name, as one of few: what is none of the usual is `_OTHER`.
pub(crate) fn named(method: &Method) -> &'static str {
    const USUAL: [(Method, &str); 9] = [
        (Method::GET, "GET"),
        (Method::POST, "POST"),
        (Method::PUT, "PUT"),
        (Method::PATCH, "PATCH"),
        (Method::DELETE, "DELETE"),
        (Method::HEAD, "HEAD"),
        (Method::OPTIONS, "OPTIONS"),
        (Method::CONNECT, "CONNECT"),
        (Method::TRACE, "TRACE"),
    ];
    USUAL.iter().find(|(usual, _)| usual == method).map_or("_OTHER", |(_, name)| name)
}

/// What is measured of a method in one protocol.
pub(crate) struct Measured {
    labels: Vec<KeyValue>,
    bound: [OnceLock<BoundHistogram<f64>>; STATUSES.len()],
}

impl Measured {
    /// Of whatever is called `route`: one of few, whatever is asked for.
    pub(crate) fn new(protocol: &'static str, route: &str) -> Self {
        let labels = vec![KeyValue::new("protocol", protocol), KeyValue::new(names::HTTP_ROUTE, route.to_owned())];
        Self { labels, bound: [const { OnceLock::new() }; STATUSES.len()] }
    }

    /// The route, as its labels have it.
    pub(crate) fn route(&self) -> Value {
        self.labels
            .iter()
            .find(|label| label.key.as_str() == names::HTTP_ROUTE)
            .map_or("".into(), |it| it.value.clone())
    }

    /// A request has been answered to the end, in a part of a trace.
    pub(crate) fn ended(&self, status: StatusCode, took: Duration, part: Option<&Part>) {
        let known = |status: u16| STATUSES.iter().position(|each| *each == status);
        let at = known(status.as_u16()).or_else(|| known(status.as_u16() / 100 * 100)).unwrap_or(STATUSES.len() - 1);
        let status = || KeyValue::new(names::HTTP_RESPONSE_STATUS_CODE, i64::from(STATUSES[at]));
        let bind = || DURATION.bind(&[self.labels.as_slice(), &[status()]].concat());
        self.bound[at].get_or_init(bind).record(took.as_secs_f64());
        if let Some(part) = part.filter(|part| part.is_collected()) {
            exemplar(REQUESTS, self.labels.iter().chain([&status()]), took.as_secs_f64(), &part.ids());
        }
    }
}

/// A request has begun; it has ended when this is dropped.
pub(crate) struct UnderWay;

impl UnderWay {
    pub(crate) fn begin() -> Self {
        UNDER_WAY.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        UNDER_WAY.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Tells how many requests are under way from now on.
pub(crate) fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        meter()
            .i64_observable_up_down_counter("http.server.active_requests")
            .with_unit("{request}")
            .with_description("Requests under way")
            .with_callback(|requests| requests.observe(UNDER_WAY.load(Ordering::Relaxed), &[]))
            .build();
    });
}

/// A connection was turned away or ended, by reason.
pub(crate) fn refused(reason: &'static str) {
    REFUSED.add(1, &[KeyValue::new("reason", reason)]);
}

/// A request says whom it is for, of whoever is not trusted to but may be meant to.
pub(crate) fn unbelieved() {
    UNBELIEVED.add(1, &[]);
}

/// A request was refused because there are too many, of a class, by a kind.
pub(crate) fn limited(class: &'static str, kind: &'static str) {
    LIMITED.add(1, &[KeyValue::new("class", class), KeyValue::new("kind", kind)]);
}

/// Tells from now on how many accounts have used something that has not come back.
pub(crate) fn watch_accounts(count: impl Fn() -> usize + Send + Sync + 'static) {
    meter()
        .u64_observable_gauge("tradewind_gateway_limit_accounts")
        .with_description("Users, keys and addresses by class that have used something of what they may")
        .with_callback(move |accounts| accounts.observe(u64::try_from(count()).unwrap_or(u64::MAX), &[]))
        .build();
}

/// A partner's key was shown: `known`, `unknown`, or `away` where it could not be looked up.
pub(crate) fn key_shown(result: &'static str) {
    KEYS.add(1, &[KeyValue::new("result", result)]);
}
