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
                thead { tr { th scope="col" { "From" } th scope="col" { "To" } th.number scope="col" { "Calls a second" } th.number scope="col" { "Fail" } th.number scope="col" { "99 of 100 within" } th.number scope="col" { "Under way" } th scope="col" { "At" } th.number scope="col" { "A call takes" } th.number scope="col" { "Busy" } th scope="col" { "Stands" } } }
                tbody {
                    @for (service, peer) in peers {
                        @if peer.endpoints.is_empty() { (nowhere(service, peer)) }
                        @for (at, endpoint) in peer.endpoints.iter().enumerate() {
                            tr { @if at == 0 { (edge(service, peer)) } (to(endpoint)) }
                        }
                    }
                }
            }
        }
    }
}

/// What is said of all endpoints of a peer.
fn edge(service: &str, peer: &Peer) -> Markup {
    let rows = peer.endpoints.len().max(1);
    html! {
        td rowspan=(rows) { (service) }
        td rowspan=(rows) { (peer.peer) }
        @if let Some(traffic) = &peer.traffic {
            td.number rowspan=(rows) { (format!("{:.1}", traffic.calls_per_second)) }
            td.number rowspan=(rows) {
                @let failed = format!("{:.1} %", traffic.failed_percent);
                @if shop::fails(traffic) { b.bad { (failed) } } @else { (failed) }
            }
            td.number rowspan=(rows) { (millis(traffic.p99.as_ref())) }
        } @else {
            td rowspan=(rows) {} td rowspan=(rows) {} td rowspan=(rows) {}
        }
    }
}

fn nowhere(service: &str, peer: &Peer) -> Markup {
    let calls = peer.calls.unwrap_or_default();
    html! {
        tr {
            (edge(service, peer)) td.number { (calls.used) " of " (calls.limit) } td {} td {} td {}
            td { @if let Some(failing) = &peer.failing { b.bad { "failing" } " for " (millis(failing.duration.as_ref())) ": " bdi { (failing.error) } } @else { "not called yet" } }
        }
    }
}

fn to(endpoint: &Endpoint) -> Markup {
    html! {
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

#[cfg(test)]
mod tests {
    use contracts::tradewind::mesh::v1::Traffic;
    use prost_types::Duration;

    use super::*;

    #[test]
    fn an_edge_is_told_of_once_and_in_red_where_too_many_of_its_calls_fail() {
        let traffic = |failed_percent| {
            let (window, p99) =
                (Some(Duration { seconds: 60, nanos: 0 }), Some(Duration { seconds: 0, nanos: 7_500_000 }));
            Some(Traffic { window, calls_per_second: 3.5, failed_percent, p99, ..Traffic::default() })
        };
        let two = vec![Endpoint::default(), Endpoint::default()];
        let peer =
            |name: &str, traffic, endpoints| Peer { peer: name.to_owned(), traffic, endpoints, ..Peer::default() };
        let peers = vec![
            peer("payment", traffic(12.0), two.clone()),
            peer("catalog", traffic(5.0), Vec::new()),
            peer("shipping", None, Vec::new()),
        ];
        let shown = calls(&[("ordering", GetMeshStatusResponse { peers, ..Default::default() })]).into_string();
        assert_eq!(shown.matches("<td rowspan=\"2\">payment</td>").count(), 1, "{shown}");
        assert!(
            shown.contains("3.5</td><td class=\"number\" rowspan=\"2\"><b class=\"bad\">12.0 %</b></td>"),
            "{shown}"
        );
        assert!(shown.contains("rowspan=\"1\">5.0 %</td><td class=\"number\" rowspan=\"1\">7.5 ms</td>"), "{shown}");
        assert_eq!(shown.matches("<tr>").count(), 5, "{shown}");
    }
}
