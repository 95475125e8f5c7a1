//! A stand-in for ordering: its log, published to the broker and served to whoever asks, and nothing else of it.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use contracts::tradewind::eventlog::v1::{
    EventRecord, ReadKeyRequest, ReadKeyResponse, ReadLogRequest, ReadLogResponse,
    event_log_service_server::{EventLogService, EventLogServiceServer},
};
use contracts::tradewind::ordering::v1::{OrderCancelled, OrderStockConfirmed};
use futures::future::BoxFuture;
use prost_types::Timestamp;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status, service::Routes};
use tradewind_domain::Error;
use tradewind_events::{
    Broker, BrokerOptions, Clock, Engine, LogPage, LogSource, Recorded, Store, StoreOptions, StreamName,
};
use tradewind_mesh::{Identity, IdentityFiles, Policy, Server, status};
use tradewind_testing::{Database, Nats};

tradewind_domain::events! {
    /// What ordering says here.
    pub(crate) enum OrderEvent { StockConfirmed(OrderStockConfirmed), Cancelled(OrderCancelled) }
}

/// Ordering's log, gone when dropped.
pub(crate) struct Ordering {
    store: Store,
    address: String,
    stop: CancellationToken,
    _database: Database,
}

impl Drop for Ordering {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Ordering {
    /// Starts it under the identity that `folder` holds.
    pub(crate) async fn start(folder: &Path, nats: &Nats) -> Self {
        let (database, stop) = (Database::sqlite(), CancellationToken::new());
        let options = StoreOptions {
            url: database.url(),
            context: "ordering",
            migrations: Vec::new(),
            clock: Clock::system(),
            partitions: None,
        };
        let store = Store::open(options).await.unwrap();
        let broker = BrokerOptions { url: nats.url(), tls: None, name: "ordering".to_owned() };
        let engine = Engine::new(store.clone(), Broker::connect(broker).await.unwrap(), Arc::new(Nobody));
        tokio::spawn(engine.run(stop.clone()));

        let identity = Identity::load(IdentityFiles::in_dir(folder, "ordering")).unwrap();
        let policy = Policy::from_descriptor(contracts::DESCRIPTOR).unwrap();
        let server = Server::bind(([127, 0, 0, 1], 0).into(), identity, policy, "ordering").await.unwrap();
        let address = server.local_addr().to_string();
        let routes = Routes::new(EventLogServiceServer::new(Log(store.clone())));
        tokio::spawn(server.serve(routes, stop.clone(), Duration::ZERO));
        Self { store, address, stop, _database: database }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Says something about an order, of which it has said `version` things before.
    pub(crate) async fn say(&self, order_id: &str, version: u64, event: impl Into<OrderEvent>) {
        let mut tx = self.store.begin().await.unwrap();
        let stream = StreamName::from(format!("order-{order_id}"));
        tx.append(&stream, version, order_id, vec![event.into()]).await.unwrap();
        tx.commit().await.unwrap();
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

/// Serves the log as every service does.
struct Log(Store);

#[tonic::async_trait]
impl EventLogService for Log {
    async fn read_log(&self, request: Request<ReadLogRequest>) -> Result<Response<ReadLogResponse>, Status> {
        let ReadLogRequest { partition, after, limit } = request.into_inner();
        let partition = u16::try_from(partition).unwrap();
        let limit = if limit == 0 { 1_000 } else { usize::try_from(limit).unwrap() };
        let page = self.0.read_log(partition, after, limit).await.map_err(status)?;
        Ok(Response::new(ReadLogResponse {
            incarnation: page.incarnation.to_string(),
            head: page.head,
            partitions: self.0.partitions().into(),
            events: page.events.into_iter().map(record).collect(),
        }))
    }

    async fn read_key(&self, _: Request<ReadKeyRequest>) -> Result<Response<ReadKeyResponse>, Status> {
        Err(Status::unimplemented("nobody asks here"))
    }
}

fn record(event: Recorded) -> EventRecord {
    EventRecord {
        id: event.id.to_string(),
        stream: event.stream.to_string(),
        version: event.version,
        partition: event.partition.into(),
        position: event.position,
        r#type: event.type_name,
        payload: event.payload,
        time: Some(Timestamp { seconds: event.time.unix_timestamp(), nanos: 0 }),
        key: event.metadata.partition_key,
        correlation: event.metadata.correlation,
        causation: event.metadata.causation,
        traceparent: event.metadata.traceparent,
    }
}
