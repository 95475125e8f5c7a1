//! Calls and attempts, by method, and by peer on the side that calls.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, PoisonError, RwLock};
use std::time::{Duration, Instant};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{BoundCounter, Counter, Histogram};
use opentelemetry::trace::SpanContext;
use tonic::Code;

use super::traffic::{Traffic, Window};
use super::{BYTES, ByCode, METHOD, SECONDS, TARGET, meter, named, text};
use crate::status::is_fault;

const SERVED: &str = "grpc.server.call.duration";
const MADE: &str = "grpc.client.call.duration";

/// What is measured of all calls of one side.
struct Instruments {
    started: Counter<u64>,
    duration: Histogram<f64>,
    sent: Histogram<u64>,
    received: Histogram<u64>,
}

impl Instruments {
    fn new(names: [&'static str; 4], unit: &'static str, duration: &'static str) -> Self {
        let [started, took, sent, received] = names;
        let meter = meter();
        let size = |name, what| {
            meter.u64_histogram(name).with_unit("By").with_boundaries(BYTES.to_vec()).with_description(what).build()
        };
        Self {
            started: meter.u64_counter(started).with_unit(unit).with_description("Begun, ended or not").build(),
            duration: seconds(took, duration),
            sent: size(sent, "Bytes of messages sent, as packed as they were"),
            received: size(received, "Bytes of messages received, as packed as they were"),
        }
    }
}

fn seconds(name: &'static str, what: &'static str) -> Histogram<f64> {
    meter().f64_histogram(name).with_unit("s").with_boundaries(SECONDS.to_vec()).with_description(what).build()
}

static SERVER: LazyLock<Instruments> = LazyLock::new(|| {
    let names = [
        "grpc.server.call.started",
        SERVED,
        "grpc.server.call.sent_total_compressed_message_size",
        "grpc.server.call.rcvd_total_compressed_message_size",
    ];
    Instruments::new(names, "{call}", "From a call's headers to its last byte")
});
static ATTEMPTS: LazyLock<Instruments> = LazyLock::new(|| {
    let names = [
        "grpc.client.attempt.started",
        "grpc.client.attempt.duration",
        "grpc.client.attempt.sent_total_compressed_message_size",
        "grpc.client.attempt.rcvd_total_compressed_message_size",
    ];
    Instruments::new(names, "{attempt}", "From the choice of an endpoint to an attempt's last byte")
});
static CALLS: LazyLock<Histogram<f64>> =
    LazyLock::new(|| seconds(MADE, "What a call takes for whoever makes it, repetitions included"));
static DELAY: LazyLock<Histogram<f64>> = LazyLock::new(|| {
    seconds("grpc.client.call.retry_delay", "Of calls that were repeated, the time without an attempt")
});
static REPEATED: LazyLock<[Histogram<u64>; 3]> = LazyLock::new(|| {
    let repeated = |name, unit, most: &[f64], what| {
        meter().u64_histogram(name).with_unit(unit).with_boundaries(most.to_vec()).with_description(what).build()
    };
    let few = [1.0, 2.0, 3.0, 4.0, 5.0];
    [
        repeated("grpc.client.call.retries", "{retry}", &few, "Of calls that were repeated, how often"),
        repeated(
            "grpc.client.call.transparent_retries",
            "{transparent_retry}",
            &[1.0, 2.0, 3.0, 4.0, 5.0, 10.0],
            "Of calls that were repeated because nobody had begun them, how often",
        ),
        repeated(
            "grpc.client.call.hedges",
            "{hedge}",
            &few,
            "Of calls of which another endpoint was asked too, how often",
        ),
    ]
});

/// Why a call was sent again.
#[derive(Clone, Copy, Debug)]
pub enum Repeated {
    /// It had failed.
    Retry,
    /// Nobody had begun it.
    Transparent,
    /// It was late.
    Hedge,
}

/// What is measured of one method, on one side.
pub struct Method {
    /// `package.Service/Method`.
    pub name: &'static str,
    labels: Vec<KeyValue>,
    started: BoundCounter<u64>,
    /// Of calls on the side that serves, of attempts on the side that calls.
    duration: ByCode<f64>,
    sent: ByCode<u64>,
    received: ByCode<u64>,
    /// Of calls, on the side that makes them.
    call: ByCode<f64>,
    recent: Option<Arc<Window>>,
}

impl Method {
    fn new(path: &'static str, of: &'static Instruments, labels: Vec<KeyValue>, recent: Option<Arc<Window>>) -> Self {
        Self {
            name: named(path),
            started: of.started.bind(&labels),
            duration: ByCode::new(&of.duration, &labels),
            sent: ByCode::new(&of.sent, &labels),
            received: ByCode::new(&of.received, &labels),
            call: ByCode::new(&CALLS, &labels),
            labels,
            recent,
        }
    }

    /// A call begins on the side that serves, or an attempt on the side that calls.
    pub fn started(&self) {
        self.started.add(1);
    }

    /// A call has ended on the side that serves, with the bytes of the answer's messages and of the request's, in a part of a trace
    /// where somebody collects it.
    pub fn served(&self, code: Code, took: Duration, (sent, received): (u64, u64), part: Option<&SpanContext>) {
        self.ended(code, took, sent, received);
        self.duration.exemplar(SERVED, code, took.as_secs_f64(), part);
    }

    /// A call has ended on the side that serves, or an attempt on the side that calls.
    pub fn ended(&self, code: Code, took: Duration, sent: u64, received: u64) {
        self.duration.record(code, took.as_secs_f64());
        self.sent.record(code, sent);
        self.received.record(code, received);
    }

    /// A call has ended for whoever made it at `now`, in a part of a trace where somebody collects it; one of a stream has lasted for as
    /// long as it had to.
    pub fn call_ended(&self, code: Code, took: Duration, now: Instant, streams: bool, part: Option<&SpanContext>) {
        if let Some(recent) = &self.recent {
            recent.ended(is_fault(code), (!streams).then_some(took), now);
        }
        self.call.record(code, took.as_secs_f64());
        self.call.exemplar(MADE, code, took.as_secs_f64(), part);
    }

    /// A call that has ended was sent again so often; said only of those that were.
    pub fn repeated(&self, why: Repeated, times: u64) {
        let [retries, transparent, hedges] = &*REPEATED;
        let histogram = match why {
            Repeated::Retry => retries,
            Repeated::Transparent => transparent,
            Repeated::Hedge => hedges,
        };
        histogram.record(times, &self.labels);
    }

    /// A call that has ended, and was sent again, was so long in nobody's hands.
    pub fn delayed(&self, time: Duration) {
        DELAY.record(time.as_secs_f64(), &self.labels);
    }
}

/// The methods that have been seen of one side, and of one peer on the side that calls. Cheap to clone.
#[derive(Clone)]
pub struct Peer(Arc<Methods>);

struct Methods {
    /// The peer, and the calls to it of late; none on the side that serves.
    peer: Option<(Arc<str>, Arc<Window>)>,
    of: &'static Instruments,
    seen: RwLock<HashMap<&'static str, Arc<Method>>>,
}

impl Peer {
    /// What is measured of calls to `name`.
    pub fn new(name: &str) -> Self {
        let peer = Some((name.into(), Arc::new(Window::new(Instant::now()))));
        Self(Arc::new(Methods { peer, of: &ATTEMPTS, seen: RwLock::default() }))
    }

    /// What is measured of its method `path`: one of few, whatever a caller asks for.
    pub fn method(&self, path: &'static str) -> Arc<Method> {
        let Methods { peer, of, seen } = &*self.0;
        if let Some(method) = seen.read().unwrap_or_else(PoisonError::into_inner).get(path) {
            return method.clone();
        }
        let mut labels = vec![KeyValue::new(METHOD, named(path))];
        labels.extend(peer.iter().map(|(name, _)| text(TARGET, name)));
        let recent = peer.as_ref().map(|(_, recent)| recent.clone());
        let mut seen = seen.write().unwrap_or_else(PoisonError::into_inner);
        seen.entry(path).or_insert_with(|| Arc::new(Method::new(path, of, labels, recent))).clone()
    }

    /// The calls to it that have ended of late.
    #[must_use]
    pub fn traffic(&self) -> Traffic {
        self.0.peer.as_ref().map(|(_, recent)| recent.traffic(Instant::now())).unwrap_or_default()
    }
}

/// What is measured of the method `path` where it is served.
pub fn served(path: &'static str) -> Arc<Method> {
    static SERVED: LazyLock<Peer> =
        LazyLock::new(|| Peer(Arc::new(Methods { peer: None, of: &SERVER, seen: RwLock::default() })));
    SERVED.method(path)
}
