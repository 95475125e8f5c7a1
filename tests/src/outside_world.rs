//! The world around a shop under test: its address, its switches and its statements.

use std::net::SocketAddr;

use outside::{Options, Server};
use serde::Deserialize;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// A running outside with a record of its own.
pub struct OutsideWorld {
    address: SocketAddr,
    http: reqwest::Client,
    stop: DropGuard,
    served: JoinHandle<anyhow::Result<()>>,
    _record: TempDir,
}

/// One entry of the card provider's statement.
#[derive(Clone, Debug, Deserialize)]
pub struct CardEntry {
    pub order_id: String,
    pub kind: String,
    pub amount_minor: i64,
    pub currency: String,
}

/// One booking of the carrier's statement, as it stands.
#[derive(Clone, Debug, Deserialize)]
pub struct Booking {
    pub order_id: String,
    pub status: String,
    pub tracking: Option<String>,
}

impl OutsideWorld {
    pub async fn start() -> Self {
        let record = tradewind_testing::scratch();
        let listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let options = Options { listen, data: record.path().to_owned(), seed: 1 };
        let server = Server::bind(options).await.expect("the outside is bound");
        let address = server.local_addr();
        let stop = CancellationToken::new();
        let served = tokio::spawn(server.serve(stop.clone()));
        let http = tradewind_runtime::direct().build().expect("an HTTP client");
        Self { address, http, stop: stop.drop_guard(), served, _record: record }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What the card provider did, in order.
    pub async fn card_statement(&self) -> Vec<CardEntry> {
        serde_json::from_value(self.get("/card/statement").await["entries"].take()).unwrap()
    }

    /// Every booking the carrier knows.
    pub async fn carrier_statement(&self) -> Vec<Booking> {
        serde_json::from_value(self.get("/carrier/statement").await["bookings"].take()).unwrap()
    }

    /// The subjects of all messages to one address.
    pub async fn mail_to(&self, address: &str) -> Vec<String> {
        let messages = self.get("/mail/messages").await["messages"].take();
        let messages = messages.as_array().unwrap().iter().filter(|message| message["to"] == address);
        messages.map(|message| message["subject"].as_str().unwrap().to_owned()).collect()
    }

    /// Sets how the outside misbehaves, as its `PUT /faults` takes it.
    pub async fn misbehave(&self, faults: &Value) {
        let answer = self.http.put(format!("{}/faults", self.url())).json(faults).send().await.unwrap();
        answer.error_for_status().unwrap();
    }

    pub async fn stop(self) {
        drop(self.stop);
        self.served.await.unwrap().expect("the outside ends in order");
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}{path}", self.url())).send().await.unwrap();
        answer.error_for_status().unwrap().json().await.unwrap()
    }
}
