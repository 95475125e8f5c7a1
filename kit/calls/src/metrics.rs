//! Every instrument of the mesh and every label, in one place: gRPC's own names (gRFC A66, A91, A94, A96, A118), and ours only
//! where gRPC has none. Exporters write `_` for `.`, and append the unit, and `_total` to counters.
//!
//! Metrics watch. Nothing decides by them.

mod calls;
mod connections;
mod load;
mod traffic;

use std::sync::{Arc, OnceLock};

use opentelemetry::metrics::{BoundHistogram, Histogram, Meter};
use opentelemetry::trace::SpanContext;
use opentelemetry::{KeyValue, StringValue, global};
use tonic::Code;
use tradewind_telemetry::exemplar;

pub use self::calls::{Method, Peer, Repeated, served};
pub use self::connections::{connected, disconnected, handshaken, unconnected};
pub use self::load::{
    Ejected, PeerNow, ServerNow, ejected, faulted, panicked, rate_limited, shadowing, shed, watch_peer, watch_server,
    would_refuse,
};
pub use self::traffic::Traffic;

const METHOD: &str = "grpc.method";
const STATUS: &str = "grpc.status";
const TARGET: &str = "grpc.target";

/// Boundaries of latencies in seconds, as A66 has them.
const SECONDS: [f64; 41] = [
    0.0, 0.00001, 0.00005, 0.0001, 0.0003, 0.0006, 0.0008, 0.001, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008, 0.01,
    0.013, 0.016, 0.02, 0.025, 0.03, 0.04, 0.05, 0.065, 0.08, 0.1, 0.13, 0.16, 0.2, 0.25, 0.3, 0.4, 0.5, 0.65, 0.8,
    1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0,
];
/// Boundaries of sizes in bytes, as A66 has them.
const BYTES: [f64; 14] = [
    0.0,
    1024.0,
    2048.0,
    4096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
    1_073_741_824.0,
    4_294_967_296.0,
];

fn meter() -> Meter {
    global::meter("tradewind")
}

/// `package.Service/Method`, as gRPC's labels have it.
fn named(path: &'static str) -> &'static str {
    path.strip_prefix('/').unwrap_or(path)
}

fn text(label: &'static str, value: &Arc<str>) -> KeyValue {
    KeyValue::new(label, StringValue::from(value.clone()))
}

/// A histogram by the code of calls, whose labels are put together when a code is first seen and never again.
struct ByCode<T: 'static> {
    histogram: &'static Histogram<T>,
    labels: Vec<KeyValue>,
    bound: [OnceLock<BoundHistogram<T>>; CODES],
}

const CODES: usize = 17;

impl<T> ByCode<T> {
    fn new(histogram: &'static Histogram<T>, labels: &[KeyValue]) -> Self {
        Self { histogram, labels: labels.to_vec(), bound: [const { OnceLock::new() }; CODES] }
    }

    fn status(code: Code) -> KeyValue {
        KeyValue::new(STATUS, crate::status::code_name(code))
    }

    /// Notes an exemplar of the histogram, which is called `name`, where somebody collects the part of the trace.
    fn exemplar(&self, name: &'static str, code: Code, value: f64, part: Option<&SpanContext>) {
        if let Some(part) = part {
            exemplar(name, self.labels.iter().chain([&Self::status(code)]), value, part);
        }
    }

    fn record(&self, code: Code, value: T) {
        let Some(bound) = usize::try_from(i32::from(code)).ok().and_then(|number| self.bound.get(number)) else {
            return;
        };
        let bind = || self.histogram.bind(&[self.labels.as_slice(), &[Self::status(code)]].concat());
        bound.get_or_init(bind).record(value);
    }
}
