//! How the calls between services stand: who calls whom, how long that takes, what is left alone for a moment, under which
//! certificate.

use anyhow::Result;
use contracts::tradewind::mesh::v1::{
    CircuitState, Endpoint, GetMeshStatusRequest, GetMeshStatusResponse, Peer, Standing,
};
use maud::{Markup, html};
use shop::{Clients, of_each, word};

use crate::fault::Fault;
use crate::frame::View;
use crate::live::Look;
use crate::words::{away, count, millis, time};

pub(crate) async fn mesh(look: Look, (): ()) -> Result<View, Fault> {
    let shop = look.shop();
    let (found, missing) = of_each(shop.services().map(|service| (service, ask(shop, service)))).await;
    let live = html! {
        (away(&missing))
        (served(&found))
        h2 { "Calls" }
        (calls(&found))
        p { a href="/console/faults" { "Faults that are put into calls" } }
    };
    Ok(View { title: "Mesh".to_owned(), still: html! {}, live })
}

async fn ask(shop: &Clients, service: &str) -> Result<GetMeshStatusResponse> {
    Ok(shop.mesh_of(service)?.get_mesh_status(GetMeshStatusRequest {}).await?.into_inner())
}

fn served(found: &[(&str, GetMeshStatusResponse)]) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Services" {
            table {
                thead { tr { th scope="col" { "Service" } th scope="col" { "Release" } th.number scope="col" { "Serves at once" } th.number scope="col" { "Wait" } th scope="col" { "Certificates, all calls over mTLS" } } }
                tbody {
                    @for (service, status) in found {
                        tr {
                            td { b { (service) } }
                            td { (status.version) }
                            td.number { @if let Some(load) = status.load { (load.in_flight) " of " (load.limit) } }
                            td.number { @if let Some(load) = status.load { (load.waiting) } }
                            td {
                                @for one in &status.generations {
                                    div { (format!("{:.1}", one.calls_percent)) " % of " (count(one.calls)) " calls by certificate " (one.number) ", until " (time(one.expire_time.as_ref())) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn calls(found: &[(&str, GetMeshStatusResponse)]) -> Markup {
    let peers = found.iter().flat_map(|(service, status)| status.peers.iter().map(move |peer| (*service, peer)));
    html! {
        div.wide tabindex="0" role="region" aria-label="Calls" {
            table {
                thead { tr { th scope="col" { "From" } th scope="col" { "To" } th.number scope="col" { "Under way" } th scope="col" { "At" } th.number scope="col" { "A call takes" } th.number scope="col" { "Busy" } th scope="col" { "Stands" } } }
                tbody {
                    @for (service, peer) in peers {
                        @if peer.endpoints.is_empty() { (nowhere(service, peer)) }
                        @for endpoint in &peer.endpoints { (to(service, peer, endpoint)) }
                    }
                }
            }
        }
    }
}

fn nowhere(service: &str, peer: &Peer) -> Markup {
    let calls = peer.calls.unwrap_or_default();
    html! {
        tr {
            td { (service) } td { (peer.peer) } td.number { (calls.used) " of " (calls.limit) } td {} td {} td {}
            td { @if let Some(failing) = &peer.failing { b.bad { "failing" } " for " (millis(failing.duration.as_ref())) ": " bdi { (failing.error) } } @else { "not called yet" } }
        }
    }
}

fn to(service: &str, peer: &Peer, endpoint: &Endpoint) -> Markup {
    html! {
        tr {
            td { (service) }
            td { (peer.peer) }
            td.number { (endpoint.in_flight) }
            td { code { (endpoint.address) } }
            td.number { (millis(endpoint.latency.as_ref())) }
            td.number { (format!("{:.0} %", endpoint.utilization * 100.0)) }
            td {
                @if let Some(failing) = &endpoint.failing {
                    b.bad { "failing" } " for " (millis(failing.duration.as_ref())) ": " bdi { (failing.error) }
                } @else {
                    (word(endpoint.standing, Standing::as_str_name, "STANDING_").to_lowercase())
                }
                @for circuit in &endpoint.circuits {
                    @if circuit.state() != CircuitState::Closed {
                        div { b.bad { @if circuit.state() == CircuitState::Open { "open" } @else { "half open" } } ": " code { (circuit.method) } }
                    }
                }
            }
        }
    }
}
