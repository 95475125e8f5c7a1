//! Replicas of a service in processes of their own, behind the service's address.

use std::net::SocketAddr;

use futures::future::join_all;

use crate::process::Process;
use crate::proxy::Proxy;
use crate::shop::Shop;

pub(crate) const REPLICAS: usize = 2;

/// The replicas, oldest first.
pub(crate) struct Deployment {
    service: &'static str,
    replicas: Vec<Process>,
    proxy: Proxy,
}

impl Deployment {
    pub(crate) async fn start(shop: &Shop, service: &'static str) -> Self {
        Self::of(shop, service, join_all((0..REPLICAS).map(|_| Process::replica(shop, service))).await).await
    }

    /// These processes, which run.
    pub(crate) async fn of(shop: &Shop, service: &'static str, replicas: Vec<Process>) -> Self {
        let proxy = Proxy::open(shop.address(service), addresses(&replicas)).await;
        Self { service, replicas, proxy }
    }

    pub(crate) fn oldest(&self) -> &Process {
        &self.replicas[0]
    }

    /// Starts a new replica, gives it the place of the oldest one, and ends that one.
    pub(crate) async fn replace_oldest(&mut self, shop: &Shop) {
        self.replicas.push(Process::replica(shop, self.service).await);
        let oldest = self.replicas.remove(0);
        self.proxy.pass_to(addresses(&self.replicas));
        oldest.stop().await;
    }

    /// Starts another where one is dead; whether one was.
    pub(crate) async fn replace_dead(&mut self, shop: &Shop) -> bool {
        let Some(dead) = self.replicas.iter().position(Process::is_dead) else { return false };
        self.replicas.remove(dead);
        self.replicas.push(Process::replica(shop, self.service).await);
        self.proxy.pass_to(addresses(&self.replicas));
        true
    }

    pub(crate) async fn stop(self) {
        join_all(self.replicas.into_iter().map(Process::stop)).await;
    }
}

fn addresses(replicas: &[Process]) -> Vec<SocketAddr> {
    replicas.iter().map(Process::grpc_addr).collect()
}
