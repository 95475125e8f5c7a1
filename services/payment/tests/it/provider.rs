//! The card provider of `outside`, in this process, on a free port.

use outside::{Options, Server};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tradewind_testing::scratch;

/// A card provider with a record of its own, gone when dropped.
pub(crate) struct Provider {
    url: String,
    client: Client,
    stop: CancellationToken,
    _record: TempDir,
}

impl Drop for Provider {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Provider {
    pub(crate) async fn start() -> Self {
        let (record, stop) = (scratch(), CancellationToken::new());
        let listen = ([127, 0, 0, 1], 0).into();
        let server = Server::bind(Options { listen, data: record.path().to_owned(), seed: 1 }).await.unwrap();
        let url = format!("http://{}", server.local_addr());
        tokio::spawn(server.serve(stop.clone()));
        Self { url, client: tradewind_runtime::direct().build().unwrap(), stop, _record: record }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// What has happened to the order's money, in order: kind and amount.
    pub(crate) async fn statement(&self, order_id: &str) -> Vec<(String, i64)> {
        let url = format!("{}/card/statement?order_id={order_id}", self.url);
        let text = self.client.get(url).send().await.unwrap().text().await.unwrap();
        let statement: Value = serde_json::from_str(&text).unwrap();
        let entry =
            |entry: &Value| (entry["kind"].as_str().unwrap().to_owned(), entry["amount_minor"].as_i64().unwrap());
        statement["entries"].as_array().unwrap().iter().map(entry).collect()
    }

    /// Charges a card as this context does, under `key`.
    pub(crate) async fn charge(&self, key: &str, order_id: &str) {
        let body = json!({
            "key": key, "order_id": order_id, "amount_minor": 2_000, "currency": "GBP", "token": "tok_ok"
        });
        let charged = self.client.post(format!("{}/card/charges", self.url)).json(&body).send().await.unwrap();
        assert!(charged.status().is_success(), "{charged:?}");
    }

    /// Disturbs calls from now on; see the settings of `/faults`.
    pub(crate) async fn disturb(&self, faults: &Value) {
        let set = self.client.put(format!("{}/faults", self.url)).json(faults).send().await.unwrap();
        assert!(set.status().is_success(), "{set:?}");
    }

    pub(crate) async fn calm(&self) {
        self.client.delete(format!("{}/faults", self.url)).send().await.unwrap();
    }
}
