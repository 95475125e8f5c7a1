#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
use contracts::CONTRACT;

use super::*;

fn method(criticality: Criticality) -> &'static Method {
    CONTRACT.methods.iter().find(|method| method.criticality == criticality).unwrap()
}

async fn full(shed: &Arc<Shed>) -> Vec<Place> {
    let mut places = Vec::new();
    while shed.load().under_way < shed.load().limit {
        places.push(shed.take(method(Criticality::Default)).await.unwrap());
    }
    places
}

/// A call that waits, or is turned away.
fn comes(shed: &Arc<Shed>, criticality: Criticality) -> tokio::task::JoinHandle<Result<Place, Status>> {
    let shed = shed.clone();
    tokio::spawn(async move { shed.take(method(criticality)).await })
}

async fn settled() {
    for _ in 0..1_000 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_critical_is_next_and_what_is_not_comes_in_its_turn() {
    let shed = Shed::new(Instant::now());
    let mut places = full(&shed).await;
    let report = comes(&shed, Criticality::Sheddable);
    let first = comes(&shed, Criticality::Default);
    settled().await;
    let second = comes(&shed, Criticality::Default);
    let order = comes(&shed, Criticality::Critical);
    settled().await;
    for next in [order, first, second, report] {
        assert!(!next.is_finished());
        drop(places.pop());
        places.push(next.await.unwrap().unwrap());
    }
    assert_eq!(shed.load().waiting, 0);
}

#[tokio::test(start_paused = true)]
async fn where_too_many_wait_the_least_important_is_turned_away_and_told_when_to_come_again() {
    let shed = Shed::new(Instant::now());
    let places = full(&shed).await;
    let waiting: Vec<_> = (0..shed.load().limit).map(|_| comes(&shed, Criticality::Sheddable)).collect();
    settled().await;
    let refused = comes(&shed, Criticality::Sheddable).await.unwrap().err().unwrap();
    assert_eq!((refused.code(), status::reason(&refused).as_deref()), (Code::ResourceExhausted, Some("OVERLOADED")));
    assert_eq!(refused.metadata().get("grpc-retry-pushback-ms").unwrap(), "-1");
    let (others, orders) = (shed.load().limit, shed.load().limit * 2);
    let others: Vec<_> = (0..others).map(|_| comes(&shed, Criticality::Default)).collect();
    settled().await;
    let orders: Vec<_> = (0..orders).map(|_| comes(&shed, Criticality::Critical)).collect();
    settled().await;
    let left = |calls: &[tokio::task::JoinHandle<_>]| calls.iter().filter(|call| !call.is_finished()).count();
    assert_eq!([left(&waiting), left(&others), left(&orders)], [256, 256, 512], "more may wait of what matters more");
    let order = comes(&shed, Criticality::Critical);
    settled().await;
    assert_eq!([left(&waiting), left(&others), left(&orders)], [255, 256, 512], "the least important makes room");
    assert!(waiting.last().unwrap().is_finished(), "the latest of them");
    drop(places);
    // Each gives its place to the next.
    for call in orders.into_iter().chain([order]).chain(others) {
        assert!(call.await.unwrap().is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_ever_and_whoever_has_gone_takes_no_place() {
    let shed = Shed::new(Instant::now());
    let places = full(&shed).await;
    let gone = comes(&shed, Criticality::Critical);
    settled().await;
    gone.abort();
    let refused = comes(&shed, Criticality::Default).await.unwrap().err().unwrap();
    let again: u64 = refused.metadata().get("grpc-retry-pushback-ms").unwrap().to_str().unwrap().parse().unwrap();
    assert!((100..=300).contains(&again), "{again} ms");
    drop(places);
    assert_eq!(shed.load(), Load { under_way: 0, waiting: 0, ..shed.load() });
    full(&shed).await;
}
