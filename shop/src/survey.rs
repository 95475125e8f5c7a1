//! How the whole shop stands at a moment, and what has gone on between two: how many orders, calls and events a second, who is behind,
//! what is in quarantine, and who is left alone.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use contracts::tradewind::analytics::v1::{
    FlowState, GetFunnelRequest, GetStepTimesRequest, ListStuckFlowsRequest, SaleStep, StepTime,
};
use contracts::tradewind::consumer::v1::{Consumer, ListConsumersRequest};
use contracts::tradewind::mesh::v1::{CircuitState, GetMeshStatusRequest, GetMeshStatusResponse, Traffic};
use tokio::time::Instant;

use crate::{Clients, of_each};

/// The shop at one moment.
pub struct Survey {
    /// When it was asked.
    pub at: Instant,
    /// What each service that answers says of itself.
    pub services: Vec<(String, Seen)>,
    /// What is wrong with those that do not.
    pub away: BTreeMap<String, String>,
    /// What is said of orders; absent where analytics does not answer.
    pub orders: Option<Orders>,
}

/// What one service says of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Calls that it has served since it was started.
    pub calls: u64,
    /// Calls that it serves now.
    pub in_flight: u64,
    /// How many it would serve at once.
    pub limit: u64,
    /// Calls that wait for their turn.
    pub waiting: u64,
    /// Events that its consumers have read, whenever.
    pub events: u64,
    /// Events that they have still to read; absent where that is not known.
    pub behind: Option<u64>,
    /// Events in its quarantine.
    pub parked: u64,
    /// What an operator should know of: readers that are paused or stuck, services that it leaves alone or cannot reach.
    pub troubles: Vec<String>,
}

/// How orders stand, those that were placed lately.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Orders {
    /// Orders that have taken each step, by its name: `placed`.
    pub steps: Vec<(String, i64)>,
    /// Orders that were cancelled.
    pub cancelled: i64,
    /// Within which time half of the orders, and 95 of 100, have taken each step after the one before.
    pub times: Vec<(String, Duration, Duration)>,
    /// Orders that wait for something, and those of them that wait longer than they may.
    pub waiting: i64,
    /// See there.
    pub stuck: i64,
    /// Whether more may than were counted.
    pub or_more: bool,
}

/// What has gone on between two surveys, a second.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rates {
    /// Orders that were placed.
    pub placed: f64,
    /// Orders that were confirmed.
    pub confirmed: f64,
    /// Orders that were cancelled.
    pub cancelled: f64,
    /// Calls that were served and events that were read, by service.
    pub services: BTreeMap<String, (f64, f64)>,
}

impl Survey {
    /// Asks everybody, all at once. Whoever does not answer is named in it.
    pub async fn ask(shop: &Clients) -> Self {
        let at = Instant::now();
        let asked = of_each(shop.services().map(|service| (service, seen(shop, service))));
        let ((services, away), orders) = tokio::join!(asked, orders(shop));
        let services = services.into_iter().map(|(name, seen)| (name.to_owned(), seen)).collect();
        let away = away.into_iter().map(|(name, error)| (name.to_owned(), error)).collect();
        Self { at, services, away, orders: orders.ok() }
    }

    /// What has gone on since. A service that was started anew meanwhile has served nothing less than nothing.
    #[must_use]
    pub fn since(&self, before: &Self) -> Rates {
        let seconds = self.at.saturating_duration_since(before.at).as_secs_f64().max(0.001);
        let rate =
            |now: u64, then: u64| f64::from(u32::try_from(now.saturating_sub(then)).unwrap_or(u32::MAX)) / seconds;
        let orders = |of: fn(&Orders) -> i64| {
            let count =
                |survey: &Self| survey.orders.as_ref().map(|orders| u64::try_from(of(orders)).unwrap_or_default());
            count(self).zip(count(before)).map_or(0.0, |(now, then)| rate(now, then))
        };
        let services = self.services.iter().filter_map(|(name, now)| {
            let (_, then) = before.services.iter().find(|(then, _)| then == name)?;
            Some((name.clone(), (rate(now.calls, then.calls), rate(now.events, then.events))))
        });
        Rates {
            placed: orders(|orders| orders.taken("placed")),
            confirmed: orders(|orders| orders.taken("confirmed")),
            cancelled: orders(|orders| orders.cancelled),
            services: services.collect(),
        }
    }
}

impl Orders {
    /// How many have taken a step.
    #[must_use]
    pub fn taken(&self, step: &str) -> i64 {
        self.steps.iter().find(|(name, _)| name == step).map_or(0, |(_, orders)| *orders)
    }
}

async fn seen(shop: &Clients, service: &str) -> Result<Seen> {
    let mesh = async { Ok(shop.mesh_of(service)?.get_mesh_status(GetMeshStatusRequest {}).await?.into_inner()) };
    let consumers =
        async { Ok(shop.consumers_of(service)?.list_consumers(ListConsumersRequest {}).await?.into_inner()) };
    let (mesh, consumers) = tokio::try_join!(mesh, consumers).map_err(|error: anyhow::Error| error)?;
    let load = mesh.load.unwrap_or_default();
    let partitions = || consumers.consumers.iter().flat_map(|one| &one.sources).flat_map(|source| &source.partitions);
    Ok(Seen {
        calls: mesh.generations.iter().map(|generation| generation.calls).sum(),
        in_flight: load.in_flight,
        limit: load.limit,
        waiting: load.waiting,
        events: partitions().map(|one| one.position).sum(),
        behind: partitions().map(|one| Some(one.head?.saturating_sub(one.position))).sum(),
        parked: consumers.consumers.iter().flat_map(|one| &one.sources).map(|source| source.parked_events).sum(),
        troubles: consumers.consumers.iter().flat_map(of_reader).chain(of_calls(&mesh)).collect(),
    })
}

fn of_reader(consumer: &Consumer) -> Vec<String> {
    let name = &consumer.consumer;
    let paused =
        consumer.pause.iter().map(|pause| format!("{name} is paused by {}: {}", pause.principal, pause.reason));
    let stuck = consumer.sources.iter().flat_map(|source| {
        let stuck = source.partitions.iter().filter_map(|partition| partition.stuck.as_ref());
        stuck.map(move |stuck| format!("{name} is stuck in the log of {}: {}", source.source, stuck.reason))
    });
    paused.chain(stuck).collect()
}

/// Of a hundred calls to a peer, so many may fail before somebody should look.
const MAY_FAIL: f64 = 5.0;
/// The fewest calls of which a share says something.
const ENOUGH: f64 = 20.0;

/// Whether too many of the calls to a peer fail; one of a few says nothing.
#[must_use]
pub fn fails(traffic: &Traffic) -> bool {
    let window = traffic.window.map_or(0.0, |window| window.seconds as f64 + f64::from(window.nanos) / 1e9);
    traffic.failed_percent > MAY_FAIL && (traffic.calls_per_second * window).round() >= ENOUGH
}

fn of_calls(mesh: &GetMeshStatusResponse) -> Vec<String> {
    let of_peer = mesh.peers.iter().flat_map(|peer| {
        let failing = peer.failing.iter().map(move |failing| format!("cannot reach {}: {}", peer.peer, failing.error));
        let circuits = peer.endpoints.iter().flat_map(|endpoint| &endpoint.circuits);
        let open = circuits.filter(|circuit| circuit.state() == CircuitState::Open);
        let fails = peer.traffic.iter().filter(|traffic| fails(traffic));
        failing.chain(open.map(move |circuit| format!("leaves {} of {} alone", circuit.method, peer.peer))).chain(
            fails.map(move |traffic| format!("{:.1} % of its calls to {} fail", traffic.failed_percent, peer.peer)),
        )
    });
    let faults =
        mesh.faults.iter().map(|fault| format!("has a fault put into {} by {}", fault.method, fault.principal));
    of_peer.chain(faults).collect()
}

async fn orders(shop: &Clients) -> Result<Orders> {
    let (mut sales, mut flows) = (shop.sales()?, shop.flows()?);
    let funnel = sales.get_funnel(GetFunnelRequest::default()).await?.into_inner().steps;
    let times = sales.get_step_times(GetStepTimesRequest::default()).await?.into_inner().steps;
    let (mut counts, mut or_more) = ([0, 0], false);
    for (count, state) in counts.iter_mut().zip([FlowState::Waiting, FlowState::Stuck]) {
        let request = ListStuckFlowsRequest { state: state.into(), page_size: 1, ..ListStuckFlowsRequest::default() };
        let found = flows.list_stuck_flows(request).await?.into_inner();
        *count = found.sums.iter().map(|sum| sum.count).sum();
        or_more |= found.sums_limited;
    }
    let name = |step: i32| crate::word(step, SaleStep::as_str_name, "SALE_STEP_").to_lowercase();
    let time = |time: &StepTime| Some((name(time.step), time.p50?.try_into().ok()?, time.p95?.try_into().ok()?));
    Ok(Orders {
        cancelled: funnel.iter().flat_map(|step| &step.drop_outs).map(|out| out.orders).sum(),
        steps: funnel.iter().map(|step| (name(step.step), step.orders)).collect(),
        times: times.iter().filter_map(time).collect(),
        waiting: counts[0],
        stuck: counts[1],
        or_more,
    })
}

#[cfg(test)]
mod tests {
    use contracts::tradewind::mesh::v1::Peer;

    use super::*;

    #[test]
    fn a_peer_of_which_too_many_calls_fail_is_a_trouble() {
        let mesh = |failed_percent, seconds| {
            let window = Duration::from_secs(seconds).try_into().ok();
            let traffic = Some(Traffic { failed_percent, window, calls_per_second: 2.0, ..Traffic::default() });
            let peer = Peer { peer: "payment".to_owned(), traffic, ..Peer::default() };
            GetMeshStatusResponse { peers: vec![peer], ..GetMeshStatusResponse::default() }
        };
        assert_eq!(of_calls(&mesh(12.5, 10)), ["12.5 % of its calls to payment fail"]);
        assert_eq!(of_calls(&mesh(5.0, 10)), [""; 0]);
        assert_eq!(of_calls(&mesh(50.0, 9)), [""; 0], "of a few calls one is half");
    }

    fn survey(at: Instant, calls: u64, placed: i64) -> Survey {
        let seen = Seen { calls, events: calls * 2, ..Seen::default() };
        let orders = Orders { steps: vec![("placed".to_owned(), placed)], ..Orders::default() };
        let services = vec![("ordering".to_owned(), seen)];
        Survey { at, services, away: BTreeMap::new(), orders: Some(orders) }
    }

    #[test]
    fn what_went_on_between_two_is_told_a_second() {
        let began = Instant::now();
        let (before, now) = (survey(began, 10, 5), survey(began + Duration::from_secs(2), 30, 25));
        let rates = now.since(&before);
        assert_eq!((rates.placed, rates.services["ordering"]), (10.0, (10.0, 20.0)));
        let anew = survey(began + Duration::from_secs(4), 3, 25);
        assert_eq!(anew.since(&now).services["ordering"], (0.0, 0.0), "it was started anew");
        let away = Survey { services: Vec::new(), orders: None, ..survey(began + Duration::from_secs(6), 0, 0) };
        assert_eq!(away.since(&anew), Rates::default());
    }
}
