//! A stand-in for another context: the log it owns, and nothing else of it.

use std::marker::PhantomData;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tradewind_broker::{Broker, BrokerOptions};
use tradewind_domain::{Error, EventSet};
use tradewind_events::LogSource;
use tradewind_mesh::{Identity, IdentityFiles, Policy, Server};
use tradewind_runtime::Engine;
use tradewind_store::{Clock, LogPage, Store, StoreOptions, StreamName};

use crate::{Database, Nats};

/// A context that says whatever a test has it say: its events `E` are published to the broker and served over mTLS to
/// whoever may read them. It reacts to nothing and is gone when dropped.
pub struct Neighbour<E> {
    aggregate: &'static str,
    store: Store,
    address: SocketAddr,
    stop: CancellationToken,
    _database: Database,
    _says: PhantomData<fn(E)>,
}

impl<E> Drop for Neighbour<E> {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl<E: EventSet> Neighbour<E> {
    /// Starts `context`, whose events are about the `aggregate`, under its identity in the folder `credentials`.
    ///
    /// # Panics
    /// When the folder holds none.
    pub async fn start(context: &'static str, aggregate: &'static str, credentials: &Path, nats: &Nats) -> Self {
        let (database, stop) = (Database::sqlite(), CancellationToken::new());
        let (url, clock) = (database.url(), Clock::system());
        let options = StoreOptions { url, context, migrations: Vec::new(), clock, partitions: None };
        let store = Store::open(options).await.expect("a new database");
        let broker = BrokerOptions { url: nats.url(), tls: None, name: context.to_owned() };
        let broker = Broker::connect(broker).await.expect("a broker");
        tokio::spawn(Engine::new(store.clone(), broker, Arc::new(Nobody)).run(stop.clone()));

        let identity = Identity::load(IdentityFiles::in_dir(credentials, context)).expect("an identity");
        let policy = Policy::new(&contracts::CONTRACT);
        let server = Server::bind(([127, 0, 0, 1], 0).into(), identity, policy, context).await.expect("a free port");
        let address = server.local_addr();
        let log = Routes::new(tradewind_runtime::event_log(store.clone()));
        tokio::spawn(server.serve(log, stop.clone(), Duration::ZERO));
        Self { aggregate, store, address, stop, _database: database, _says: PhantomData }
    }

    /// Where its log is served, as peers are told it.
    #[must_use]
    pub fn address(&self) -> String {
        self.address.to_string()
    }

    /// Records what happens next to the aggregate `id`, which is also the partition key.
    ///
    /// # Panics
    /// When something else happens to it at the same time.
    pub async fn say(&self, id: &str, event: impl Into<E>) {
        let stream = StreamName::from(format!("{}-{id}", self.aggregate));
        let said = self.store.history(&stream).await.expect("a history").len();
        let version = said.try_into().expect("a short history");
        let mut tx = self.store.begin().await.expect("a transaction");
        tx.append(&stream, version, id, vec![event.into()]).await.expect("room for an event");
        tx.commit().await.expect("nothing in between");
    }
}

/// It reads nobody's log.
struct Nobody;

impl LogSource for Nobody {
    fn read_log(&self, context: &str, _: u16, _: u64, _: u32) -> BoxFuture<'_, Result<LogPage, Error>> {
        let error = Error::unavailable("NOBODY", format!("{context} is not there"));
        Box::pin(async { Err(error) })
    }
}
