//! What stands between a caller and an endpoint, and between a connection and a handler: circuits, places, budgets and limits.

use std::sync::{Arc, LazyLock};

use opentelemetry::KeyValue;
use opentelemetry::metrics::{AsyncInstrument, Counter, Gauge};

use super::{METHOD, TARGET, meter, named, text};

const STATE: &str = "state";
const DETECTED_BY: &str = "grpc.lb.outlier_detection.detection_method";
const UNENFORCED_BY: &str = "grpc.lb.outlier_detection.unenforced_reason";

static EJECTIONS: LazyLock<[Counter<u64>; 2]> = LazyLock::new(|| {
    [
        ("grpc.lb.outlier_detection.ejections_enforced", "Endpoints that were left alone, by what gave them away"),
        (
            "grpc.lb.outlier_detection.ejections_unenforced",
            "Endpoints that were called all the same, for want of others",
        ),
    ]
    .map(|(name, what)| meter().u64_counter(name).with_unit("{ejection}").with_description(what).build())
});

/// What gives an endpoint away: A91 knows the second, and Envoy the first.
#[derive(Clone, Copy, Debug)]
pub enum Ejected {
    InARow,
    Rate,
    /// It was asked once more, and failed.
    Probe,
}

/// An endpoint of `target` has failed as far as `method` goes. It is left alone, or, where most of its like have failed too, called
/// all the same.
pub fn ejected(target: &Arc<str>, method: &'static str, why: Ejected, enforced: bool) {
    let why = match why {
        Ejected::InARow => "consecutive_failures",
        Ejected::Rate => "success_rate",
        Ejected::Probe => "probe",
    };
    let [done, left] = &*EJECTIONS;
    let labels = [text(TARGET, target), KeyValue::new(METHOD, named(method)), KeyValue::new(DETECTED_BY, why)];
    if enforced {
        done.add(1, &labels);
    } else {
        left.add(1, &[labels.as_slice(), &[KeyValue::new(UNENFORCED_BY, "max_ejection_overflow")]].concat());
    }
}

/// A number of each kind.
pub(super) type Counted = Vec<(&'static str, u64)>;

/// What is counted of calls that a server turns away, or should not have taken.
struct Turned {
    shed: Counter<u64>,
    limited: Counter<u64>,
    panics: Counter<u64>,
    faults: Counter<u64>,
}

static TURNED: LazyLock<Turned> = LazyLock::new(|| {
    let counter = |name, what| meter().u64_counter(name).with_description(what).build();
    Turned {
        shed: counter(
            "tradewind_mesh_shed",
            "Calls that were turned away because there were too many, by their criticality",
        ),
        limited: counter("tradewind_mesh_rate_limited", "Calls of a caller that called too often"),
        panics: counter("tradewind_mesh_panics", "Handlers that panicked, by method"),
        faults: counter("tradewind_mesh_faults", "Faults that were put in because an operator asked for them"),
    }
});

/// A call was turned away because there were too many.
pub fn shed(criticality: &'static str) {
    TURNED.shed.add(1, &[KeyValue::new("criticality", criticality)]);
}

/// A call of a workload that calls too often was turned away.
pub fn rate_limited(caller: &str) {
    TURNED.limited.add(1, &[KeyValue::new("caller", caller.to_owned())]);
}

/// A handler panicked.
pub fn panicked(method: &'static str) {
    TURNED.panics.add(1, &[KeyValue::new(METHOD, named(method))]);
}

/// A fault was put in: `what` is latency or abort.
pub fn faulted(method: &'static str, what: &'static str) {
    TURNED.faults.add(1, &[KeyValue::new(METHOD, named(method)), KeyValue::new("fault", what)]);
}

static SHADOW: LazyLock<(Gauge<u64>, Counter<u64>)> = LazyLock::new(|| {
    let is_on = "1 where callers whom the contract does not name are served, and only told of";
    let would = "Calls that were served and would be refused, by caller and method";
    let meter = meter();
    (
        meter.u64_gauge("tradewind_policy_shadow").with_description(is_on).build(),
        meter.u64_counter("tradewind_policy_would_refuse").with_description(would).build(),
    )
});

/// Whether a server only tells of callers whom the contract does not name.
pub fn shadowing(is_on: bool) {
    SHADOW.0.record(u64::from(is_on), &[]);
}

/// A call of a workload whom the contract does not name was served all the same.
pub fn would_refuse(caller: &str, method: &'static str) {
    SHADOW.1.add(1, &[KeyValue::new("caller", caller.to_owned()), KeyValue::new(METHOD, named(method))]);
}

/// What a peer is like when metrics are read.
#[derive(Default)]
pub struct PeerNow {
    /// Endpoints by how they stand.
    pub endpoints: Counted,
    /// Circuits, an endpoint and a method each, by their state.
    pub circuits: Counted,
    /// Calls in the bulkhead, by whether they wait or are under way.
    pub bulkhead: Counted,
    /// How many repetitions are saved up for.
    pub budget: u64,
}

/// What a server is like when metrics are read.
#[derive(Default)]
pub struct ServerNow {
    /// How many calls it takes at once.
    pub limit: u64,
    /// Calls by whether they wait or are under way.
    pub calls: Counted,
}

/// Has `look` asked, whenever metrics are read, for what `target` is like; it says nothing once there is no such peer.
pub fn watch_peer(target: &Arc<str>, look: impl Fn() -> Option<PeerNow> + Send + Sync + 'static) {
    let (target, look) = ([text(TARGET, target)], Arc::new(look));
    gauge("tradewind_mesh_endpoints", "Endpoints of a peer, by how they stand", &target, &look, |now| now.endpoints);
    gauge("tradewind_mesh_circuits", "Circuits of a peer, an endpoint and a method each", &target, &look, |now| {
        now.circuits
    });
    gauge("tradewind_mesh_bulkhead", "Calls to a peer, by whether they have a place", &target, &look, |now| {
        now.bulkhead
    });
    gauge("tradewind_mesh_retry_budget", "Repetitions that are saved up for", &target, &look, |now| {
        vec![("saved", now.budget)]
    });
}

/// Has `look` asked, whenever metrics are read, for what a server is like; it says nothing once there is no such server.
pub fn watch_server(look: impl Fn() -> Option<ServerNow> + Send + Sync + 'static) {
    let look = Arc::new(look);
    gauge("tradewind_mesh_limit", "Calls that are taken at once", &[], &look, |now| vec![("adaptive", now.limit)]);
    gauge("tradewind_mesh_calls", "Calls that are served, by whether they have a place", &[], &look, |now| now.calls);
}

fn gauge<N: 'static>(
    name: &'static str,
    what: &'static str,
    labels: &[KeyValue],
    look: &Arc<impl Fn() -> Option<N> + Send + Sync + 'static>,
    read: fn(N) -> Counted,
) {
    let (labels, look) = (labels.to_vec(), look.clone());
    let observe = move |gauge: &dyn AsyncInstrument<u64>| {
        for (state, number) in look().map(read).into_iter().flatten() {
            gauge.observe(number, &[labels.as_slice(), &[KeyValue::new(STATE, state)]].concat());
        }
    };
    let _kept_by_the_meter = meter().u64_observable_gauge(name).with_description(what).with_callback(observe).build();
}
