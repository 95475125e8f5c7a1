//! Faults that are put into calls on purpose, each for a time.

use anyhow::Result;
use contracts::tradewind::mesh::v1::{Fault as Injected, ListFaultsRequest};
use maud::{Markup, html};
use shop::{Clients, of_each};

use crate::act::Act;
use crate::fault::Fault;
use crate::frame::View;
use crate::live::Look;
use crate::words::{away, count, millis, span};

pub(crate) async fn faults(look: Look, (): ()) -> Result<View, Fault> {
    let shop = look.shop();
    let (found, missing) = of_each(shop.services().map(|service| (service, ask(shop, service)))).await;
    let live = html! {
        (away(&missing))
        @if found.iter().any(|(_, faults)| !faults.is_empty()) { (table(&look, &found)) } @else if missing.is_empty() { p.fine { "No fault is in effect." } }
    };
    let empty = Act::Fault {
        service: String::new(),
        method: String::new(),
        peer: String::new(),
        percent: "100".to_owned(),
        latency: String::new(),
        abort: String::new(),
        lasts: "30s".to_owned(),
    };
    let ask = [
        ("service", "Service"),
        ("method", "Method, as in PlaceOrder, or ordering.* for all"),
        ("peer", "Only calls that it makes to"),
        ("percent", "Of a hundred calls"),
        ("latency", "Take longer by, as in 200ms"),
        ("abort", "End with, as in UNAVAILABLE"),
        ("lasts", "For, at most 1h"),
    ];
    let still = html! {
        @if look.is_an_operators() {
            details #set { summary { "Put a fault into calls" } (empty.form(&look, "Put it in", &ask)) }
        } @else {
            p { "Operators put faults into calls, and end them: " code { "tradewind mesh fault" } "." }
        }
    };
    Ok(View { title: "Faults".to_owned(), still, live })
}

async fn ask(shop: &Clients, service: &str) -> Result<Vec<Injected>> {
    Ok(shop.mesh_of(service)?.list_faults(ListFaultsRequest {}).await?.into_inner().faults)
}

fn table(look: &Look, found: &[(&str, Vec<Injected>)]) -> Markup {
    let all = found.iter().flat_map(|(service, faults)| faults.iter().map(move |fault| (*service, fault)));
    html! {
        div.wide tabindex="0" role="region" aria-label="Faults" {
            table {
                thead { tr { th scope="col" { "Service" } th scope="col" { "Method" } th scope="col" { "Does" } th.number scope="col" { "So far" } th scope="col" { "Ends in" } th scope="col" { "By" } @if look.is_an_operators() { th scope="col" { "Do" } } } }
                tbody {
                    @for (service, fault) in all {
                        tr {
                            td { (service) @if !fault.peer.is_empty() { " to " (fault.peer) " " (fault.endpoint) } }
                            td { code { (fault.method) } }
                            td {
                                (fault.percent) " %: "
                                @if fault.latency.is_some() { "longer by " (millis(fault.latency.as_ref())) " " }
                                @if !fault.abort.is_empty() { "ends with " (fault.abort) }
                            }
                            td.number { (count(fault.injected)) }
                            td { (span(fault.left.map_or(0, |left| left.seconds))) }
                            td { bdi { (fault.principal) } }
                            @if look.is_an_operators() {
                                td { (Act::Clear { service: service.to_owned(), number: fault.number.to_string() }.form(look, "End it", &[])) }
                            }
                        }
                    }
                }
            }
        }
    }
}
