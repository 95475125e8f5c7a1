//! `tradewind mesh status`.

use std::process::ExitCode;

use anyhow::Result;
use contracts::tradewind::mesh::v1::{
    Bulkhead, Circuit, CircuitState, Endpoint, Failing, Generation, GetMeshStatusRequest, GetMeshStatusResponse, Load,
    Peer, Standing,
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
    let Peer { peer, calls, streams, retries_left, retries_limit, endpoints, failing } = peer;
    let head = format!("{service:<13} calls {peer:<13}");
    let Bulkhead { used, limit, queued, .. } = calls.unwrap_or_default();
    let streams = streams.unwrap_or_default();
    say!(
        "{head} {used} of {limit} calls under way, {queued} wait, {} of {} streams, {retries_left} of {retries_limit} \
         repetitions saved",
        streams.used,
        streams.limit
    )?;
    if let Some(Failing { error, duration }) = failing {
        say!("{head} FAILING for {}: {error}", span(duration.as_ref()))?;
    }
    endpoints.iter().try_for_each(|endpoint| show_endpoint(&head, endpoint))
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
