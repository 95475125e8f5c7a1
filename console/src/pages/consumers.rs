//! How far each service has read, and its read models.

use anyhow::Result;
use contracts::tradewind::consumer::v1::{Consumer, ListConsumersRequest, ListProjectionsRequest, Projection, Source};
use maud::{Markup, html};
use shop::{Clients, of_each};

use crate::act::Act;
use crate::fault::Fault;
use crate::frame::View;
use crate::live::Look;
use crate::words::{away, count, time};

pub(crate) async fn consumers(look: Look, (): ()) -> Result<View, Fault> {
    let shop = look.shop();
    let (found, missing) = of_each(shop.services().map(|service| (service, ask(shop, service)))).await;
    let readers = found.iter().flat_map(|(service, (all, _))| all.iter().map(move |one| (*service, one)));
    let models = found.iter().flat_map(|(service, (_, all))| all.iter().map(move |one| (*service, one)));
    let live = html! {
        (away(&missing))
        (read(&look, readers))
        h2 { "Read models" }
        (built(&look, models))
    };
    Ok(View { title: "Consumers and read models".to_owned(), still: html! {}, live })
}

async fn ask(shop: &Clients, service: &str) -> Result<(Vec<Consumer>, Vec<Projection>)> {
    let mut client = shop.consumers_of(service)?;
    let consumers = client.list_consumers(ListConsumersRequest {}).await?.into_inner().consumers;
    Ok((consumers, client.list_projections(ListProjectionsRequest {}).await?.into_inner().projections))
}

fn read<'a>(look: &Look, consumers: impl Iterator<Item = (&'a str, &'a Consumer)>) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Consumers" {
            table {
                thead { tr { th scope="col" { "Consumer" } th scope="col" { "Reads" } th.number scope="col" { "Behind" } th.number scope="col" { "In quarantine" } th scope="col" { "Stands" } th scope="col" { "Do" } } }
                tbody {
                    @for (service, consumer) in consumers {
                        @for (at, source) in consumer.sources.iter().enumerate() {
                            tr {
                                @if at == 0 { td rowspan=(consumer.sources.len()) { b { (service) } " " (consumer.consumer) } }
                                td { (source.source) }
                                td.number { (behind(source)) }
                                td.number { (count(source.parked_events)) }
                                td { (stands(consumer, source)) }
                                @if at == 0 { td rowspan=(consumer.sources.len()) { (pause(look, service, consumer)) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn behind(source: &Source) -> String {
    let left = source.partitions.iter().map(|one| Some(one.head?.saturating_sub(one.position))).sum::<Option<u64>>();
    left.map_or_else(|| "?".to_owned(), count)
}

fn stands(consumer: &Consumer, source: &Source) -> Markup {
    html! {
        @if let Some(pause) = &consumer.pause {
            b.bad { "paused" } " since " (time(pause.start_time.as_ref())) " by " bdi { (pause.principal) } ": " bdi { (pause.reason) }
        }
        @for partition in &source.partitions {
            @if let Some(stuck) = &partition.stuck {
                div { b.bad { "stuck" } " since " (time(stuck.start_time.as_ref())) " in partition " (partition.partition) ": " (stuck.reason) ": " bdi { (stuck.error) } }
            }
        }
        @if consumer.pause.is_none() && source.partitions.iter().all(|one| one.stuck.is_none()) { "reads" }
    }
}

fn pause(look: &Look, service: &str, consumer: &Consumer) -> Markup {
    let (service, consumer, is_paused) = (service.to_owned(), consumer.consumer.clone(), consumer.pause.is_some());
    html! {
        @if is_paused {
            (Act::Resume { service, consumer }.form(look, "Let it read on", &[]))
        } @else {
            (Act::Pause { service, consumer, reason: String::new() }.form(look, "Pause", &[("reason", "Why")]))
        }
    }
}

fn built<'a>(look: &Look, projections: impl Iterator<Item = (&'a str, &'a Projection)>) -> Markup {
    html! {
        div.wide tabindex="0" role="region" aria-label="Read models" {
            table {
                thead { tr { th scope="col" { "Read model" } th.number scope="col" { "Version" } th.number scope="col" { "Behind" } th scope="col" { "Is built beside it" } th scope="col" { "Do" } } }
                tbody {
                    @for (service, one) in projections {
                        tr {
                            td { b { (service) } " " (one.projection) }
                            td.number { (one.version) }
                            td.number { (one.total_events.map_or_else(|| "?".to_owned(), |total| count(total.saturating_sub(one.events)))) }
                            td {
                                @if let Some(build) = &one.build {
                                    @let total = one.total_events.unwrap_or_default().max(1);
                                    progress max=(total) value=(build.events) aria-label="How far it is" {}
                                    " version " (build.version) ", " (count(build.events)) " of " (count(total))
                                    @if !build.failure.is_empty() { " " b.bad { "cannot be built: " (build.failure) } }
                                } @else if one.ask_time.is_some() { "asked for" }
                            }
                            td { (Act::Rebuild { service: service.to_owned(), projection: one.projection.clone(), reason: String::new() }.form(look, "Build anew", &[("reason", "Why")])) }
                        }
                    }
                }
            }
        }
    }
}
