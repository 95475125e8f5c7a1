//! The whole shop in this process: a real broker, a real outside, all services over mTLS, each with a database of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use futures::future::join_all;
use serde_json::{Value, json};
use supervisor::{Environment, services};
use tempfile::TempDir;
use tradewind_broker::Retention;
use tradewind_mesh::{Channels, Identity, IdentityFiles, Policy, SpiffeId, pki as certificates};
use tradewind_runtime::{Running, Service, Settings, broker_streams, broker_users};
use tradewind_testing::{Database, Nats, TRUST_DOMAIN, block_on, free_port, pki};

use crate::PATIENCE;
use crate::offer::Offer;
use crate::outside_world::OutsideWorld;
use crate::people::Person;

/// The service of that name.
pub fn service(name: &str) -> Service {
    services::named(name).unwrap_or_else(|| panic!("there is no service {name}"))
}

/// Opens a shop whose services have databases made by `database`, runs `story` in it, and proves that in the end the
/// books hold and everything ends in order.
pub fn in_a_shop(database: impl Fn() -> Database, story: impl AsyncFnOnce(&mut Shop)) {
    block_on(async {
        let mut shop = Shop::open(database).await;
        Box::pin(story(&mut shop)).await;
        shop.prove_books().await;
        shop.close().await;
    });
}

/// The same with readers outside, each with the contexts that it is granted.
pub fn in_a_shop_read_by(
    readers: &[(&str, &[&str])],
    database: impl Fn() -> Database,
    story: impl AsyncFnOnce(&mut Shop),
) {
    block_on(async {
        let mut shop = Shop::read_by(readers, |_| database()).await;
        shop.start(&services::names()).await;
        Box::pin(story(&mut shop)).await;
        shop.prove_books().await;
        shop.close().await;
    });
}

pub struct Shop {
    /// May call everything that is for people.
    pub operator: Person,
    pub outside: OutsideWorld,
    pub nats: Nats,
    running: BTreeMap<&'static str, Running>,
    addresses: BTreeMap<String, String>,
    databases: BTreeMap<&'static str, Database>,
    pki: TempDir,
}

impl Shop {
    /// Returns when every service is ready.
    pub async fn open(database: impl Fn() -> Database) -> Self {
        let mut shop = Self::unstaffed(|_| database()).await;
        shop.start(&services::names()).await;
        shop
    }

    /// The same without the service of that name, which the test runs itself.
    pub async fn open_without(absent: &str, database: impl Fn() -> Database) -> Self {
        let mut shop = Self::unstaffed(|_| database()).await;
        let present: Vec<_> = services::names().into_iter().filter(|name| *name != absent).collect();
        shop.start(&present).await;
        shop
    }

    /// The same without any service, each of which the caller runs with its [`variables`](Self::variables) and a database made for it.
    pub async fn unstaffed(database: impl Fn(&str) -> Database) -> Self {
        Self::read_by(&[], database).await
    }

    /// The same with readers outside, each with the contexts that it is granted.
    pub async fn read_by(readers: &[(&str, &[&str])], database: impl Fn(&str) -> Database) -> Self {
        let pki = pki(&services::workloads());
        issue_readers(pki.path(), readers);
        let policy = policy(pki.path());
        let streams = broker_streams(&policy, Retention::default());
        let nats = secured_broker(pki.path()).keeping(streams, Some(pki.path()));
        let addresses = services::names().map(|name| (name.to_owned(), format!("127.0.0.1:{}", free_port())));
        let addresses = BTreeMap::from(addresses);
        let operator = Person::new(channels(&pki, "operator", &addresses));
        let databases = services::names().map(|name| (name, database(name))).into();
        let outside = OutsideWorld::start().await;
        Self { operator, outside, nats, running: BTreeMap::new(), addresses, databases, pki }
    }

    /// Starts services at their addresses and waits until they are ready.
    pub async fn start(&mut self, names: &[&'static str]) {
        for name in names {
            let running = service(name).start(self.settings(name)).await;
            self.running.insert(name, running.unwrap_or_else(|error| panic!("{name} doesn't start: {error:#}")));
        }
        let ready = self.running.iter_mut().map(async |(name, running)| {
            running.ready(PATIENCE).await.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        });
        join_all(ready).await;
    }

    /// Starts the gateway before the services, and returns where it answers whoever is outside.
    pub async fn open_the_door(&mut self) -> SocketAddr {
        self.open_at_the_edge(services::gateway()).await
    }

    /// Starts the console, and returns where staff sign in.
    pub async fn open_the_console(&mut self) -> SocketAddr {
        self.open_at_the_edge(services::console()).await
    }

    async fn open_at_the_edge(&mut self, edge: Service) -> SocketAddr {
        let name = edge.name();
        let files = IdentityFiles::in_dir(self.pki.path(), name);
        let mut settings =
            Settings::in_process(files, "sqlite::memory:", self.nats.url()).with("http_addr", "127.0.0.1:0");
        TRUST_DOMAIN.clone_into(&mut settings.trust_domain);
        settings.peers.clone_from(&self.addresses);
        if edge.takes("LIMITS") {
            // A test asks as fast as it can, from one address.
            settings = settings.with("limits", "none");
        }
        let mut running = edge.start(settings).await.unwrap_or_else(|error| panic!("{name} doesn't start: {error:#}"));
        running.ready(PATIENCE).await.unwrap_or_else(|error| panic!("{name}: {error:#}"));
        let address = running.grpc_addr();
        self.running.insert(name, running);
        address
    }

    /// Connections as the workload of that name has them.
    pub fn channels(&self, name: &str) -> Channels {
        channels(&self.pki, name, &self.addresses)
    }

    /// Tells a service to end, as SIGTERM does, and waits until it has, in order.
    pub async fn stop(&mut self, name: &str) {
        let mut running = self.running.remove(name).expect("a running service");
        running.stop();
        running.wait().await.unwrap_or_else(|error| panic!("{name} ends in disorder: {error:#}"));
    }

    /// Ends everything, and fails where a service doesn't end in order.
    pub async fn close(mut self) {
        self.running.values().for_each(Running::stop);
        join_all(self.running.iter_mut().map(async |(name, running)| {
            running.wait().await.unwrap_or_else(|error| panic!("{name} ends in disorder: {error:#}"));
        }))
        .await;
        self.outside.stop().await;
    }

    /// Waits until the books hold, as [`Person::prove_books`] does.
    pub async fn prove_books(&self) {
        self.operator.prove_books(&self.outside).await;
    }

    fn settings(&self, name: &str) -> Settings {
        let files = IdentityFiles::in_dir(self.pki.path(), name);
        let mut settings = Settings::in_process(files, self.databases[name].url(), self.nats.url());
        TRUST_DOMAIN.clone_into(&mut settings.trust_domain);
        settings.grpc_addr = self.address(name);
        settings.peers.clone_from(&self.addresses);
        if service(name).takes("OUTSIDE_URL") {
            settings = settings.with("outside_url", self.outside.url());
        }
        if service(name).takes("WEBHOOK_NETWORKS") {
            settings = settings.with("webhook_networks", "127.0.0.0/8, ::1/128");
        }
        if service(name).takes("HASH_MEMORY") {
            // How long a hash takes is nothing to those who test the whole shop.
            settings = settings.with("hash_memory", "64");
        }
        settings
    }

    /// The same settings for a service in a process of its own.
    pub fn variables(&self, name: &str) -> BTreeMap<String, String> {
        let environment = Environment {
            pki: self.pki.path(),
            trust_domain: TRUST_DOMAIN,
            peers: &self.addresses,
            nats_url: self.nats.url(),
            outside_url: self.outside.url(),
        };
        environment.of(name, self.databases[name].url(), "127.0.0.1:0".to_owned())
    }

    pub fn database_url(&self, name: &str) -> String {
        self.databases[name].url()
    }

    /// Somebody who calls the services with the certificate of a workload, over connections of their own.
    pub fn person(&self, name: &'static str) -> Person {
        let channels = channels(&self.pki, name, &self.addresses);
        if name == "gateway" { Person::staff(channels) } else { Person::new(channels) }
    }

    pub fn address(&self, name: &str) -> SocketAddr {
        self.addresses[name].parse().unwrap()
    }

    pub fn admin_address(&self, name: &str) -> SocketAddr {
        self.running[name].admin_addr()
    }

    /// Everybody's certificates.
    pub const fn pki(&self) -> &TempDir {
        &self.pki
    }

    /// The text of a file of the certificate authority's folder.
    pub fn credential(&self, file: &str) -> String {
        std::fs::read_to_string(self.pki.path().join(file)).unwrap()
    }

    /// As [`Person::offer`].
    pub async fn offer(&self, id: &str, price: i64, units: i64) -> Offer {
        self.operator.offer(id, price, units).await
    }

    /// As [`Person::receive`].
    pub async fn receive(&self, sku: &str, location: &str, units: i64) {
        self.operator.receive(sku, location, units).await;
    }
}

/// Issues a certificate for each reader.
pub fn issue_readers(pki: &Path, readers: &[(&str, &[&str])]) {
    for (name, contexts) in readers {
        let id = SpiffeId::reader(TRUST_DOMAIN, name, contexts.iter().copied()).unwrap();
        certificates::issue(pki, &id, Duration::from_secs(86_400)).unwrap();
    }
}

/// What the contracts say, and the readers that have a certificate in `pki`.
pub fn policy(pki: &Path) -> Policy {
    Policy::new(&contracts::CONTRACT).with_readers(certificates::readers(pki).unwrap().0)
}

/// A broker that grants each workload of `pki` what the contracts say, each reader what its certificate says, and the one that bears its own certificate everything.
pub fn secured_broker(pki: &Path) -> Nats {
    let policy = policy(pki);
    let mut users: Value = serde_json::from_str(&broker_users(&policy, TRUST_DOMAIN).unwrap()).unwrap();
    let administrator = format!("spiffe://{TRUST_DOMAIN}/svc/nats");
    users["authorization"]["users"].as_array_mut().unwrap().push(json!({ "user": administrator }));
    Nats::start_secured(pki, &users.to_string())
}

fn channels(pki: &TempDir, name: &str, addresses: &BTreeMap<String, String>) -> Channels {
    let identity = Identity::load(IdentityFiles::in_dir(pki.path(), name)).unwrap();
    let policy = Policy::new(&contracts::CONTRACT);
    Channels::new(identity, policy, addresses.clone())
}
