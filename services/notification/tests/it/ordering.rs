//! The ordering context as far as its neighbours can see: a log of orders, published and served.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use contracts::tradewind::{
    eventlog::v1::{
        EventRecord, ReadKeyRequest, ReadKeyResponse, ReadLogRequest, ReadLogResponse,
        event_log_service_server::{EventLogService, EventLogServiceServer},
    },
    ordering::v1::{OrderClosed, OrderConfirmed, OrderShipped},
};
use futures::future::BoxFuture;
use prost_types::Timestamp;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, service::Routes};
use tradewind_domain::Error;
use tradewind_events::{
    Broker, BrokerOptions, Clock, Engine, LogPage, LogSource, Recorded, Store, StoreOptions, StreamName,
};
use tradewind_mesh::{Identity, IdentityFiles, Policy, Server, status};
use tradewind_testing::Database;

tradewind_domain::events! {
    /// What ordering says here.
    pub(crate) enum OrderEvent {
        Confirmed(OrderConfirmed),
        Closed(OrderClosed),
        Shipped(OrderShipped),
    }
}

/// Gone when dropped.
pub(crate) struct Ordering {
    store: Store,
    address: SocketAddr,
    stop: CancellationToken,
    _database: Database,
}

impl Drop for Ordering {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Ordering {
    pub(crate) async fn start(credentials: &Path, nats_url: &str) -> Self {
        let (database, stop) = (Database::sqlite(), CancellationToken::new());
        let options = StoreOptions {
            url: database.url(),
            context: "ordering",
            migrations: Vec::new(),
            clock: Clock::system(),
            partitions: None,
        };
        let store = Store::open(options).await.unwrap();
        let broker = BrokerOptions { url: nats_url.to_owned(), tls: None, name: "ordering".to_owned() };
        let engine = Engine::new(store.clone(), Broker::connect(broker).await.unwrap(), Arc::new(Nobody));
        tokio::spawn(engine.run(stop.clone()));

        let identity = Identity::load(IdentityFiles::in_dir(credentials, "ordering")).unwrap();
        let policy = Policy::from_descriptor(contracts::DESCRIPTOR).unwrap();
        let server = Server::bind(([127, 0, 0, 1], 0).into(), identity, policy, "ordering").await.unwrap();
        let address = server.local_addr();
        let log = Routes::new(EventLogServiceServer::new(Log(store.clone())));
        tokio::spawn(server.serve(log, stop.clone(), Duration::ZERO));
        Self { store, address, stop, _database: database }
    }

    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    /// Records what happens next to an order.
    pub(crate) async fn append(&self, order_id: &str, event: impl Into<OrderEvent>) {
        let stream = StreamName::from(format!("order-{order_id}"));
        let version = self.store.history(&stream).await.unwrap().len().try_into().unwrap();
        let mut tx = self.store.begin().await.unwrap();
        tx.append(&stream, version, order_id, vec![event.into()]).await.unwrap();
        tx.commit().await.unwrap();
    }
}

/// Ordering reads nobody's log here.
struct Nobody;

impl LogSource for Nobody {
    fn read_log(&self, context: &str, _: u16, _: u64, _: u32) -> BoxFuture<'_, Result<LogPage, Error>> {
        let error = Error::unavailable("NOBODY", format!("{context} is not there"));
        Box::pin(async { Err(error) })
    }
}

struct Log(Store);

#[tonic::async_trait]
impl EventLogService for Log {
    async fn read_log(&self, request: Request<ReadLogRequest>) -> Result<Response<ReadLogResponse>, Status> {
        let ReadLogRequest { partition, after, limit } = request.into_inner();
        let page = self.0.read_log(partition.try_into().unwrap(), after, limit.try_into().unwrap()).await;
        let page = page.map_err(status)?;
        Ok(Response::new(ReadLogResponse {
            incarnation: page.incarnation.to_string(),
            head: page.head,
            partitions: page.partitions.into(),
            events: page.events.into_iter().map(record).collect(),
        }))
    }

    async fn read_key(&self, _: Request<ReadKeyRequest>) -> Result<Response<ReadKeyResponse>, Status> {
        Err(Status::unimplemented("nobody asks here"))
    }
}

fn record(event: Recorded) -> EventRecord {
    let nanos = event.time.nanosecond().try_into().unwrap();
    EventRecord {
        id: event.id.to_string(),
        stream: event.stream.to_string(),
        version: event.version,
        partition: event.partition.into(),
        position: event.position,
        r#type: event.type_name,
        payload: event.payload,
        time: Some(Timestamp { seconds: event.time.unix_timestamp(), nanos }),
        key: event.metadata.partition_key,
        correlation: event.metadata.correlation,
        causation: event.metadata.causation,
        traceparent: event.metadata.traceparent,
    }
}
