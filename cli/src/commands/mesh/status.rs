//! `tradewind mesh status`.

use std::process::ExitCode;

use anyhow::Result;
use contracts::tradewind::mesh::v1::{
    Bulkhead, Circuit, CircuitState, Endpoint, Failing, Generation, GetMeshStatusRequest, GetMeshStatusResponse, Load,
    Peer, Standing, Traffic,
};
use serde_json::{Value, json};

use super::{counted, fault, span};
use crate::output::{document, json as as_json, moment, of_each, say, word};
use shop::Clients;

pub(super) async fn run(shop: &Clients, services: &[&str], json: bool) -> Result<ExitCode> {
    let (answers, away) = of_each(services, async |service| {
        Ok(shop.mesh_of(service)?.get_mesh_status(GetMeshStatusRequest {}).await?.into_inner())
    })
    .await;
    if json {
        let processes = answers.iter().map(|(_, status)| as_json(status)).collect::<Result<Vec<Value>>>()?;
        document(&json!({ "processes": processes, "away": away }))?;
    } else {
        answers.iter().try_for_each(|(service, status)| show(service, status))?;
        away.iter().try_for_each(|(service, error)| say!("{service:<13} cannot be asked: {error}"))?;
    }
    Ok(if away.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn show(service: &str, status: &GetMeshStatusResponse) -> Result<()> {
    let GetMeshStatusResponse { instance, version, generations, peers, faults, load, .. } = status;
    say!("{service:<13} is {instance} of release {version}")?;
    for Generation { number, certificate, expire_time, connections, calls, calls_percent } in generations {
        let (until, connections) = (moment(expire_time.as_ref()), counted(*connections, "connection"));
        let calls = counted(*calls, "call");
        say!(
            "{service:<13} serves under certificate {number} ({certificate}, until {until}): {connections}, {calls} \
             ({calls_percent:.1} %)"
        )?;
    }
    if let Some(Load { limit, in_flight, waiting }) = load {
        say!("{service:<13} serves {in_flight} of {limit} calls at once, {waiting} wait")?;
    }
    peers.iter().try_for_each(|peer| show_peer(service, peer))?;
    faults.iter().try_for_each(|fault| fault::show(service, fault))
}

fn show_peer(service: &str, peer: &Peer) -> Result<()> {
    let Peer { peer, calls, streams, retries_left, retries_limit, endpoints, failing, traffic } = peer;
    let head = format!("{service:<13} calls {peer:<13}");
    let Bulkhead { used, limit, queued, .. } = calls.unwrap_or_default();
    let streams = streams.unwrap_or_default();
    say!(
        "{head} {used} of {limit} calls under way, {queued} wait, {} of {} streams, {retries_left} of {retries_limit} \
         repetitions saved",
        streams.used,
        streams.limit
    )?;
    if let Some(traffic) = traffic {
        say!("{head} {}", of_late(traffic))?;
    }
    if let Some(Failing { error, duration }) = failing {
        say!("{head} FAILING for {}: {error}", span(duration.as_ref()))?;
    }
    endpoints.iter().try_for_each(|endpoint| show_endpoint(&head, endpoint))
}

/// The calls to a peer, of the last minute.
fn of_late(traffic: &Traffic) -> String {
    let Traffic { window, calls_per_second, failed_percent, p50, p99 } = traffic;
    let (window, p50, p99) = (span(window.as_ref()), span(p50.as_ref()), span(p99.as_ref()));
    if *calls_per_second <= 0.0 {
        return format!("no call has ended in {window}");
    }
    let failed = if shop::fails(traffic) { "FAIL" } else { "fail" };
    format!(
        "{calls_per_second:.1} calls a second in {window}, {failed_percent:.1} % {failed}, half end within {p50}, 99 of \
         100 within {p99}"
    )
}

fn show_endpoint(head: &str, endpoint: &Endpoint) -> Result<()> {
    let Endpoint { address, connections, in_flight, latency, utilization, circuits, failing, .. } = endpoint;
    if let Some(Failing { error, duration }) = failing {
        say!("{head} {address} FAILING for {}: {error}", span(duration.as_ref()))?;
    } else {
        let standing = word(endpoint.standing, Standing::as_str_name, "STANDING_").to_ascii_lowercase();
        let (connections, latency) = (counted((*connections).into(), "connection"), span(latency.as_ref()));
        say!(
            "{head} {address} {standing}, {connections}, {in_flight} under way, {latency} a call, {:.0} % busy",
            utilization * 100.0
        )?;
    }
    for circuit in circuits {
        let Circuit { method, .. } = circuit;
        match CircuitState::try_from(circuit.state) {
            Ok(CircuitState::Open) => say!("{head} {address} OPEN, left alone for a moment: {method}")?,
            Ok(CircuitState::HalfOpen) => say!("{head} {address} HALF OPEN, tried once: {method}")?,
            Ok(CircuitState::Closed | CircuitState::Unspecified) => {}
            Err(_) => say!("{head} {address} in a state that only a later program knows, {}: {method}", circuit.state)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use prost_types::Duration;

    use super::*;

    #[test]
    fn calls_of_late_are_a_line_that_shouts_where_too_many_fail() {
        let millis = |millis: i32| Some(Duration { seconds: 0, nanos: millis * 1_000_000 });
        let (window, p50, p99) = (Some(Duration { seconds: 60, nanos: 0 }), millis(2), millis(350));
        let fine = Traffic { window, calls_per_second: 12.34, failed_percent: 0.0, p50, p99 };
        let said = "12.3 calls a second in 1m, 0.0 % fail, half end within 2.0ms, 99 of 100 within 350.0ms";
        assert_eq!(of_late(&fine), said);
        let failing = Traffic { failed_percent: 20.0, ..fine };
        assert!(of_late(&failing).contains("20.0 % FAIL, "), "{}", of_late(&failing));
        assert_eq!(of_late(&Traffic { window, ..Traffic::default() }), "no call has ended in 1m");
    }
}
