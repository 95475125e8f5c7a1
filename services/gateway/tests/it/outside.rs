//! A gateway in a process of its own, before a catalog; somebody who uses it as it is meant; and how much memory it takes all the
//! while.

use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use contracts::tradewind::catalog::v1::catalog_service_client::CatalogServiceClient;
use contracts::tradewind::catalog::v1::{CreateProductRequest, Product};
use contracts::tradewind::money::v1::Money;
use reqwest::{Client, Response, StatusCode};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};
use tradewind_mesh::{IdentityFiles, pki};
use tradewind_runtime::{FreePort, Running, Settings};
use tradewind_testing::{Database, Nats, channel, eventually, scratch};

use crate::shop::DEADLINE;

/// What the process is told that it may take, in MiB.
pub(crate) const MEMORY: usize = 256;
/// Products of the catalog, a page of which is a large answer.
const PRODUCTS: usize = 40;

/// Both, until it is dropped.
pub(crate) struct Outside {
    process: Child,
    pub(crate) address: SocketAddr,
    /// The most memory that was seen, in KiB.
    peak: Arc<AtomicUsize>,
    _watching: DropGuard,
    _port: FreePort,
    _catalog: Running,
    _database: Database,
    _nats: Nats,
    _folder: TempDir,
}

/// Somebody who asks for a product again and again, each time over a new connection.
pub(crate) struct Customer {
    served: Arc<AtomicUsize>,
    failed: JoinHandle<Vec<String>>,
    slowest: Arc<AtomicUsize>,
    stop: CancellationToken,
}

impl Outside {
    pub(crate) async fn open() -> Self {
        let (folder, nats, database) = (scratch(), Nats::start_for_services(), Database::sqlite());
        pki::init(folder.path(), &["catalog", "gateway", "operator"], "tradewind.local").unwrap();
        let files = IdentityFiles::in_dir(folder.path(), "catalog");
        let settings = Settings::in_process(files, database.url(), nats.url());
        let mut catalog = catalog::service().start(settings).await.unwrap();
        catalog.ready(DEADLINE).await.unwrap();
        let operator = channel(folder.path(), "operator", "catalog", catalog.grpc_addr());
        for number in 0..PRODUCTS {
            let product = Product {
                product_id: format!("tea-{number}"),
                sku: format!("SKU-{number}"),
                name: "Assam".to_owned(),
                description: "Malty. ".repeat(200),
                price: Some(Money { currency: "GBP".to_owned(), minor: 450 }),
                ..Product::default()
            };
            let request = CreateProductRequest { request_id: format!("r-{number}"), product: Some(product) };
            CatalogServiceClient::new(operator.clone()).create_product(request).await.unwrap();
        }

        let port = FreePort::find().unwrap();
        let address: SocketAddr = ([127, 0, 0, 1], port.number()).into();
        let files = IdentityFiles::in_dir(folder.path(), "gateway");
        let process = Command::new(program())
            .env("TRADEWIND_CA", files.ca)
            .env("TRADEWIND_CERT", files.cert)
            .env("TRADEWIND_KEY", files.key)
            .env("TRADEWIND_PEERS", format!("catalog={}", catalog.grpc_addr()))
            .env("TRADEWIND_HTTP_ADDR", address.to_string())
            .env("TRADEWIND_ADMIN_ADDR", "127.0.0.1:0")
            // All that is done here comes from one address, and is meant to come through.
            .env("TRADEWIND_LIMITS", "none")
            .env("TRADEWIND_MEMORY", MEMORY.to_string())
            .env("TRADEWIND_LOG", "error")
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let (peak, watching) = (Arc::<AtomicUsize>::default(), CancellationToken::new());
        tokio::spawn({
            let (peak, watching, process) = (peak.clone(), watching.clone(), process.id());
            async move {
                let mut tick = tokio::time::interval(Duration::from_millis(20));
                while watching.run_until_cancelled(tick.tick()).await.is_some() {
                    peak.fetch_max(resident(process).unwrap_or(0), Ordering::Relaxed);
                }
            }
        });
        let client = tradewind_runtime::direct().build().unwrap();
        let url = format!("http://{address}/v1/products/tea-1");
        eventually(DEADLINE, "the product is there", async || {
            client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success())
        })
        .await;
        let _watching = watching.drop_guard();
        let (_port, _catalog, _database, _nats, _folder) = (port, catalog, database, nats, folder);
        Self { process, address, peak, _watching, _port, _catalog, _database, _nats, _folder }
    }

    /// The most memory that it has taken since it was last asked for, in MiB.
    pub(crate) fn peak(&self) -> usize {
        self.peak.swap(0, Ordering::Relaxed) >> 10
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        // It may be gone already, which is told by whoever asked it.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The gateway's program: as everything here is built, unless somebody says of one that is optimised, as `make attack` does.
#[expect(clippy::disallowed_methods, reason = "whoever runs the attacks says which program they are made on")]
fn program() -> OsString {
    std::env::var_os("ATTACKED").unwrap_or_else(|| env!("CARGO_BIN_EXE_gateway").into())
}

fn resident(process: u32) -> Option<usize> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse().ok()
}

/// An answer; whoever is told to come again does so, and so does who has waited for as long as the contract has it: how long that
/// takes is a matter of the machine, which whoever attacks runs on as well.
async fn asked(client: &Client, url: &str) -> reqwest::Result<Response> {
    loop {
        let answer = client.get(url).send().await?;
        if ![StatusCode::TOO_MANY_REQUESTS, StatusCode::GATEWAY_TIMEOUT].contains(&answer.status()) {
            return Ok(answer);
        }
    }
}

impl Customer {
    pub(crate) fn of(outside: &Outside) -> Self {
        let (served, slowest, stop) =
            (Arc::<AtomicUsize>::default(), Arc::<AtomicUsize>::default(), CancellationToken::new());
        let url = outside.url("/v1/products/tea-1");
        let failed = tokio::spawn({
            let (served, slowest, stop) = (served.clone(), slowest.clone(), stop.clone());
            async move {
                let client = tradewind_runtime::direct().pool_max_idle_per_host(0).timeout(DEADLINE).build().unwrap();
                let (mut failed, mut tick) = (Vec::new(), tokio::time::interval(Duration::from_millis(10)));
                while stop.run_until_cancelled(tick.tick()).await.is_some() {
                    let began = Instant::now();
                    match asked(&client, &url).await {
                        Ok(answer) if answer.status().is_success() => _ = served.fetch_add(1, Ordering::Relaxed),
                        Ok(answer) => failed.push(format!("{}: {:?}", answer.status(), answer.text().await)),
                        Err(error) => failed.push(format!("{error:?}")),
                    }
                    let took = usize::try_from(began.elapsed().as_millis()).unwrap();
                    slowest.fetch_max(took, Ordering::Relaxed);
                }
                failed
            }
        });
        Self { served, failed, slowest, stop }
    }

    /// Waits until so many more of its requests are answered, one after the other, and tells how long the slowest has taken, in
    /// milliseconds.
    pub(crate) async fn served(&self, more: usize) -> usize {
        let before = self.served.load(Ordering::Relaxed);
        for count in 1..=more {
            let is_served = async || self.served.load(Ordering::Relaxed) >= before + count;
            eventually(DEADLINE, "others are served", is_served).await;
        }
        self.slowest.swap(0, Ordering::Relaxed)
    }

    /// What was not answered, after it is told to end.
    pub(crate) async fn failed(self) -> Vec<String> {
        self.stop.cancel();
        self.failed.await.unwrap()
    }
}
