//! Peers, certificates and faults between the wire and the kit.

use std::time::Duration;

use contracts::tradewind::mesh::v1;
use prost_types::Timestamp;
use tonic::Code;
use tradewind_domain::Error;
use tradewind_domain::request::Violations;
use tradewind_mesh::{
    At, Bulkhead, Circuit, EndpointStatus, Fault, Generation, Load, PeerStatus, Standing, Traffic, Wanted, code_name,
};

/// What of the calls each set of credentials has seen, beside the rest.
pub(super) fn generations(all: &[Generation]) -> Vec<v1::Generation> {
    let sum: u64 = all.iter().map(|generation| generation.calls).sum();
    let told = |generation: &Generation| v1::Generation {
        number: generation.number,
        certificate: generation.certificate.clone(),
        expire_time: Some(Timestamp { seconds: generation.not_after, nanos: 0 }),
        connections: generation.connections,
        calls: generation.calls,
        calls_percent: percent(generation.calls, sum),
    };
    all.iter().map(told).collect()
}

pub(super) fn load(Load { limit, under_way, waiting }: Load) -> v1::Load {
    let count = |calls: usize| u64::try_from(calls).unwrap_or(u64::MAX);
    v1::Load { limit: count(limit), in_flight: count(under_way), waiting: count(waiting) }
}

#[expect(clippy::cast_precision_loss, reason = "it is shown with one digit behind the point")]
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 * 100.0 / whole as f64 }
}

pub(super) fn peer(status: PeerStatus) -> v1::Peer {
    v1::Peer {
        peer: status.peer,
        calls: Some(bulkhead(status.calls)),
        streams: Some(bulkhead(status.streams)),
        retries_left: status.retries.0,
        retries_limit: status.retries.1,
        endpoints: status.endpoints.into_iter().map(endpoint).collect(),
        failing: status.unknown.map(failing),
        traffic: Some(traffic(&status.traffic)),
    }
}

fn traffic(traffic: &Traffic) -> v1::Traffic {
    v1::Traffic {
        window: duration(traffic.window),
        calls_per_second: traffic.rate(),
        failed_percent: traffic.failed_percent(),
        p50: traffic.p50.and_then(duration),
        p99: traffic.p99.and_then(duration),
    }
}

const fn bulkhead(places: Bulkhead) -> v1::Bulkhead {
    v1::Bulkhead {
        used: places.used as u64,
        limit: places.limit as u64,
        queued: places.queued as u64,
        queue_limit: places.queue_limit as u64,
    }
}

fn endpoint(status: EndpointStatus) -> v1::Endpoint {
    let (standing, away) = match status.standing {
        Standing::Ready => (v1::Standing::Ready, None),
        Standing::Connecting => (v1::Standing::Connecting, None),
        Standing::Failing(since, why) => (v1::Standing::Failing, Some((since, why))),
    };
    let circuit = |(method, state): (&str, Circuit)| v1::Circuit {
        method: method.trim_start_matches('/').to_owned(),
        state: match state {
            Circuit::Closed => v1::CircuitState::Closed,
            Circuit::Open => v1::CircuitState::Open,
            Circuit::HalfOpen => v1::CircuitState::HalfOpen,
        }
        .into(),
    };
    v1::Endpoint {
        address: status.address.to_string(),
        standing: standing.into(),
        failing: away.map(failing),
        connections: u32::try_from(status.connections).unwrap_or(u32::MAX),
        in_flight: status.in_flight as u64,
        latency: status.latency.and_then(duration),
        utilization: status.utilization,
        circuits: status.circuits.into_iter().map(circuit).collect(),
    }
}

fn failing((since, error): (Duration, String)) -> v1::Failing {
    v1::Failing { error, duration: duration(since) }
}

pub(super) fn fault(Fault { number, wanted, by, left, injected }: Fault) -> v1::Fault {
    let (peer, endpoint) = match wanted.at {
        At::Server => (String::new(), None),
        At::Peer(peer, endpoint) => (peer, endpoint),
    };
    v1::Fault {
        number,
        method: wanted.method,
        peer,
        endpoint: endpoint.map(|endpoint| endpoint.to_string()).unwrap_or_default(),
        percent: wanted.percent,
        latency: wanted.latency.and_then(duration),
        abort: wanted.abort.map(code_name).unwrap_or_default().to_owned(),
        left: duration(left),
        principal: by,
        injected,
    }
}

/// What a request asks for, of a process that calls `peers`.
pub(super) fn wanted<'a>(
    request: v1::SetFaultRequest,
    mut peers: impl Iterator<Item = &'a str>,
) -> Result<Wanted, Error> {
    let v1::SetFaultRequest { method, peer, endpoint, percent, latency, abort, lasts } = request;
    let mut violations = Violations::default();
    let is_known = peer.is_empty() || peers.any(|known| known == peer);
    violations.check(is_known, "peer", "PEER_UNKNOWN", "this service calls nobody of that name");
    let address = violations.catch(
        match endpoint.as_str() {
            "" => Ok(None),
            _ if peer.is_empty() => Err("is only for calls to a peer"),
            text => text.parse().map(Some).map_err(|_| "must be ADDRESS:PORT, as the status shows it"),
        }
        .map_err(|text| Error::invalid("endpoint", "ENDPOINT_INVALID", text)),
    );
    let latency = violations.catch(span("latency", "LATENCY_OUT_OF_RANGE", latency));
    let abort = violations.catch(code(&abort));
    let lasts = violations.catch(span("lasts", "LASTS_OUT_OF_RANGE", lasts));
    let at = if peer.is_empty() { At::Server } else { At::Peer(peer, address.flatten()) };
    let wanted = Wanted {
        method,
        at,
        percent: percent.unwrap_or(100),
        latency: latency.flatten(),
        abort: abort.flatten(),
        lasts: lasts.flatten().unwrap_or_default(),
    };
    violations.finish_with(Some(wanted))
}

/// The status of a name; none where there is no name.
fn code(name: &str) -> Result<Option<Code>, Error> {
    let found = (0..=16).map(Code::from).find(|code| code_name(*code) == name);
    let must = "must be the name of a status, e.g. UNAVAILABLE";
    if name.is_empty() || found.is_some() { Ok(found) } else { Err(Error::invalid("abort", "ABORT_INVALID", must)) }
}

fn span(field: &str, reason: &'static str, given: Option<prost_types::Duration>) -> Result<Option<Duration>, Error> {
    let parsed = given.map(Duration::try_from).transpose();
    parsed.map_err(|_| Error::invalid(field, reason, "must not be negative"))
}

fn duration(span: Duration) -> Option<prost_types::Duration> {
    prost_types::Duration::try_from(span).ok()
}
