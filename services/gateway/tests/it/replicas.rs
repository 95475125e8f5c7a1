//! A replica of a service that dies under load.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use contracts::tradewind::catalog::v1::catalog_service_client::CatalogServiceClient;
use contracts::tradewind::catalog::v1::{CreateProductRequest, Product};
use contracts::tradewind::money::v1::Money;
use futures::future::join_all;
use tokio::runtime::{Builder, Runtime};
use tradewind_mesh::{IdentityFiles, pki};
use tradewind_runtime::{Running, Settings};
use tradewind_testing::{Database, Nats, channel, eventually, scratch};

use crate::shop::DEADLINE;

/// Who ask at a time, and how often they do before the replica dies and after it.
const CALLERS: usize = 16;
const CALLS: usize = 500;

/// A catalog on a thread of its own, with which it dies. It has what the other has.
struct Replica {
    thread: Option<Runtime>,
    address: SocketAddr,
    _running: Running,
    _database: Database,
    _nats: Nats,
}

impl Replica {
    async fn start(folder: &Path) -> Self {
        let (nats, database) = (Nats::start_for_services(), Database::sqlite());
        let thread = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let settings = Settings::in_process(IdentityFiles::in_dir(folder, "catalog"), database.url(), nats.url());
        let starting = thread.spawn(async {
            let mut running = catalog::service().start(settings).await.unwrap();
            running.ready(DEADLINE).await.unwrap();
            running
        });
        let running = starting.await.unwrap();
        let address = running.grpc_addr();
        let product = Product {
            product_id: "assam".to_owned(),
            sku: "SKU-1".to_owned(),
            name: "Assam".to_owned(),
            price: Some(Money { currency: "GBP".to_owned(), minor: 450 }),
            ..Product::default()
        };
        let request = CreateProductRequest { request_id: "r-1".to_owned(), product: Some(product) };
        CatalogServiceClient::new(channel(folder, "operator", "catalog", address))
            .create_product(request)
            .await
            .unwrap();
        Self { thread: Some(thread), address, _running: running, _database: database, _nats: nats }
    }

    /// Ends it as a kill does: nothing is finished, and every connection closed.
    fn kill(&mut self) {
        if let Some(thread) = self.thread.take() {
            thread.shutdown_background();
        }
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        self.kill();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_is_killed_loses_no_request_that_may_be_repeated() {
    let folder = scratch();
    pki::init(folder.path(), &["catalog", "gateway", "operator"], "tradewind.local").unwrap();
    let (mut dies, lives) = tokio::join!(Replica::start(folder.path()), Replica::start(folder.path()));
    let files = IdentityFiles::in_dir(folder.path(), "gateway");
    let settings = Settings::in_process(files, "sqlite::memory:", "nats://127.0.0.1:1")
        .with_peer("catalog", format!("{},{}", dies.address, lives.address))
        .with("http_addr", "127.0.0.1:0");
    let mut gateway = gateway::service().start(settings).await.unwrap();
    gateway.ready(DEADLINE).await.unwrap();

    let url = format!("http://{}/v1/products/assam", gateway.grpc_addr());
    let client = tradewind_runtime::direct().build().unwrap();
    eventually(DEADLINE, "it is served", async || {
        client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success())
    })
    .await;
    let (begun, answered) = (AtomicUsize::new(0), Arc::<AtomicUsize>::default());
    let callers = (0..CALLERS).map(|_| async {
        let mut lost = Vec::new();
        while begun.fetch_add(1, Ordering::Relaxed) < 2 * CALLS {
            let answer = client.get(&url).send().await.unwrap();
            match answer.status().is_success() {
                true => _ = answered.fetch_add(1, Ordering::Relaxed),
                false => lost.push(answer.text().await.unwrap()),
            }
        }
        lost
    });
    let killing = async {
        eventually(DEADLINE, "half is answered", async || answered.load(Ordering::Relaxed) >= CALLS).await;
        dies.kill();
    };
    let (lost, ()) = tokio::join!(join_all(callers), killing);
    assert_eq!(lost.concat(), Vec::<String>::new());
    assert_eq!(answered.load(Ordering::Relaxed), 2 * CALLS);
}
