//! What is measured and traced about calls and connections, on both sides.

use std::sync::LazyLock;
use std::time::{Duration, Instant};

use http::HeaderMap;
use opentelemetry::metrics::{Counter, Gauge, Histogram};
use opentelemetry::propagation::{Extractor, Injector};
use opentelemetry::{KeyValue, global};
use tokio::time::Instant as Deadline;
use tonic::Code;
use tracing::{Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::identity::Check;

/// Boundaries in seconds: a local call takes a few hundred microseconds, a deadline is a few seconds.
const SECONDS: [f64; 14] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// A call that is abandoned this close to its deadline was abandoned because of it.
const GIVEN_UP: Duration = Duration::from_millis(5);

struct Rpc {
    requests: Counter<u64>,
    duration: Histogram<f64>,
}

impl Rpc {
    fn new(requests: &'static str, duration: &'static str) -> Self {
        let meter = global::meter("tradewind");
        Self {
            requests: meter.u64_counter(requests).with_description("Calls, by method and gRPC code").build(),
            duration: meter
                .f64_histogram(duration)
                .with_unit("s")
                .with_boundaries(SECONDS.to_vec())
                .with_description("Time until a call's last byte")
                .build(),
        }
    }
}

// Exporters append `_total` and `_seconds`.
static SERVER: LazyLock<Rpc> =
    LazyLock::new(|| Rpc::new("tradewind_rpc_server_requests", "tradewind_rpc_server_duration"));
static CLIENT: LazyLock<Rpc> =
    LazyLock::new(|| Rpc::new("tradewind_rpc_client_requests", "tradewind_rpc_client_duration"));

static HANDSHAKE_FAILURES: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_counter("tradewind_tls_handshake_failures")
        .with_description("Connections that were not let in, by reason")
        .build()
});
static IDENTITY_RELOADS: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_counter("tradewind_identity_reloads")
        .with_description("Changes of the credentials on disk, by outcome")
        .build()
});
static IDENTITY_REFUSED: LazyLock<Gauge<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_gauge("tradewind_identity_refused")
        .with_description("1 while the credentials on disk cannot be used, by the check that they failed")
        .build()
});
static IDENTITY_EXPIRY: LazyLock<Gauge<i64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .i64_gauge("tradewind_identity_not_after_timestamp")
        .with_unit("s")
        .with_description("When the certificate in use expires, in seconds since 1970")
        .build()
});
static RETRIES: LazyLock<Counter<u64>> = LazyLock::new(|| {
    global::meter("tradewind")
        .u64_counter("tradewind_rpc_client_retries")
        .with_description("Attempts after the first, by peer")
        .build()
});

pub(crate) fn handshake_failures() -> &'static Counter<u64> {
    &HANDSHAKE_FAILURES
}

pub(crate) fn identity_reloads() -> &'static Counter<u64> {
    &IDENTITY_RELOADS
}

/// Tells which check the credentials on disk fail; none when they are in use.
pub(crate) fn identity_refused(failed: Option<Check>) {
    for check in Check::ALL {
        IDENTITY_REFUSED.record(u64::from(failed == Some(check)), &[KeyValue::new("check", check.label())]);
    }
}

pub(crate) fn identity_expiry() -> &'static Gauge<i64> {
    &IDENTITY_EXPIRY
}

pub(crate) fn retries() -> &'static Counter<u64> {
    &RETRIES
}

/// Which end of a call is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Server,
    Client,
}

impl Side {
    /// Whether `code` is a failure of this side; a refused request is no failure of the server.
    const fn failed(self, code: Code) -> bool {
        match self {
            Self::Client => !matches!(code, Code::Ok),
            Self::Server => matches!(
                code,
                Code::Unknown
                    | Code::DeadlineExceeded
                    | Code::Unimplemented
                    | Code::Internal
                    | Code::Unavailable
                    | Code::DataLoss
            ),
        }
    }
}

/// One call from start to last byte. Counted and closed once: by [`Observation::finish`], or, when
/// it is dropped before that, as cancelled or, if its time was up, as late.
pub(crate) struct Observation {
    side: Side,
    method: &'static str,
    started: Instant,
    span: Span,
    deadline: Option<Deadline>,
    finished: bool,
}

impl Observation {
    /// Starts observing a call that this process serves; the caller's trace context is taken from `headers`.
    pub(crate) fn serve(method: &'static str, caller: &str, headers: &HeaderMap) -> Self {
        let span = tracing::info_span!(
            "rpc.serve",
            otel.name = method.trim_start_matches('/'),
            otel.kind = "server",
            otel.status_code = field::Empty,
            rpc.system = "grpc",
            rpc.method = method,
            caller,
            rpc.grpc.status_code = field::Empty,
        );
        let parent = global::get_text_map_propagator(|propagator| propagator.extract(&Headers(headers)));
        // Fails where no OpenTelemetry layer is installed: then there is no trace to join.
        let _ = span.set_parent(parent);
        Self::new(Side::Server, method, span)
    }

    /// Starts observing a call that this process makes, and puts its trace context into `headers`.
    pub(crate) fn call(method: &'static str, peer: &str, headers: &mut HeaderMap) -> Self {
        let span = tracing::info_span!(
            "rpc.call",
            otel.name = method.trim_start_matches('/'),
            otel.kind = "client",
            otel.status_code = field::Empty,
            rpc.system = "grpc",
            rpc.method = method,
            peer,
            rpc.grpc.status_code = field::Empty,
        );
        let context = span.context();
        global::get_text_map_propagator(|propagator| propagator.inject_context(&context, &mut HeadersMut(headers)));
        Self::new(Side::Client, method, span)
    }

    fn new(side: Side, method: &'static str, span: Span) -> Self {
        Self { side, method, started: Instant::now(), span, deadline: None, finished: false }
    }

    /// The same, knowing when the call must end.
    pub(crate) const fn until(mut self, deadline: Option<Deadline>) -> Self {
        self.deadline = deadline;
        self
    }

    pub(crate) const fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    pub(crate) const fn side(&self) -> Side {
        self.side
    }

    pub(crate) const fn span(&self) -> &Span {
        &self.span
    }

    /// Records the outcome; only the first counts.
    pub(crate) fn finish(&mut self, code: Code) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        self.span.record("rpc.grpc.status_code", i32::from(code));
        if self.side.failed(code) {
            self.span.record("otel.status_code", "ERROR");
        }
        let rpc = match self.side {
            Side::Server => &SERVER,
            Side::Client => &CLIENT,
        };
        let method = KeyValue::new("method", self.method);
        rpc.duration.record(self.started.elapsed().as_secs_f64(), std::slice::from_ref(&method));
        rpc.requests.add(1, &[method, KeyValue::new("code", crate::status::code_name(code))]);
    }
}

impl Drop for Observation {
    fn drop(&mut self) {
        // A caller whose deadline passes resets the stream at about the time this side would notice.
        let late = self.deadline.is_some_and(|deadline| Deadline::now() + GIVEN_UP >= deadline);
        self.finish(if late { Code::DeadlineExceeded } else { Code::Cancelled });
    }
}

/// The `grpc-status` of headers or trailers, if it is there.
pub(crate) fn code_of(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()))
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).and_then(|value| value.to_str().ok())
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        if let (Ok(key), Ok(value)) = (http::HeaderName::try_from(key), http::HeaderValue::try_from(value)) {
            self.0.insert(key, value);
        }
    }
}
