//! Two replicas of every service on PostgreSQL, each service's behind one address, and customers who keep them busy.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::join_all;
use supervisor::services;
use tradewind_testing::free_port;

use super::dice::Dice;
use super::orders::{Assortment, Orders, Settled};
use super::staff::Member;
use crate::people::Person;
use crate::proxy::Proxy;
use crate::shop::Shop;

/// Of each service.
pub(super) const REPLICAS: usize = 2;
const CUSTOMERS: u64 = 10;

/// The replicas of all services.
pub(super) struct Replicas {
    /// Those of one service follow one another.
    pub(super) members: Vec<Member>,
    _proxies: Vec<Proxy>,
}

impl Replicas {
    /// Starts them; what takes a killed one's place comes `absent` later.
    pub(super) async fn engage(shop: &Shop, logs: &Path, absent: Duration) -> Self {
        let (mut members, mut proxies) = (Vec::new(), Vec::new());
        for service in services::names() {
            let ports = (0..REPLICAS).map(|_| SocketAddr::from((Ipv4Addr::LOCALHOST, free_port())));
            let addresses: Vec<_> = ports.collect();
            for (number, address) in addresses.iter().enumerate() {
                let mut variables = shop.variables(service);
                variables.insert("TRADEWIND_GRPC_ADDR".to_owned(), address.to_string());
                members.push(Member::hire(service, &format!("{service}-{number}"), variables, logs, absent));
            }
            proxies.push(Proxy::open(shop.address(service), addresses).await);
        }
        let replicas = Self { members, _proxies: proxies };
        replicas.ready().await;
        replicas
    }

    pub(super) async fn ready(&self) {
        join_all(self.members.iter().map(Member::ready)).await;
    }

    /// Fails where a service has ended otherwise than it was made to.
    pub(super) fn check(&self) {
        self.members.iter().for_each(Member::check);
    }
}

/// Customers who place one order after the other, each as soon as the one before has ended and over connections of its own,
/// until it is `enough`; `count` is how many have ended.
pub(crate) async fn keep_shopping(
    person: impl Fn() -> Person,
    assortment: &Assortment,
    seed: u64,
    count: &AtomicUsize,
    enough: impl Fn() -> bool,
) -> Settled {
    let customers = (0..CUSTOMERS).map(async |number| {
        let (mut settled, mut dice) = (Settled::default(), Dice::new(seed * CUSTOMERS + number));
        while !enough() {
            let order = Orders::one(&format!("{seed}-{number}-{}", settled.count()), &mut dice);
            settled.append(order.play(&person(), assortment).await);
            count.fetch_add(1, Ordering::Relaxed);
        }
        settled
    });
    let mut settled = Settled::default();
    join_all(customers).await.into_iter().for_each(|of_one| settled.append(of_one));
    settled
}
