//! The carrier of `outside`, in this process, on a free port.

use outside::{Options, Server};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tradewind_testing::scratch;

/// A carrier with a record of its own, gone when dropped.
pub(crate) struct Carrier {
    url: String,
    client: Client,
    stop: CancellationToken,
    _record: TempDir,
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Carrier {
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

    /// How every booking of the order stands.
    pub(crate) async fn statement(&self, order_id: &str) -> Vec<String> {
        let url = format!("{}/carrier/statement?order_id={order_id}", self.url);
        let text = self.client.get(url).send().await.unwrap().text().await.unwrap();
        let statement: Value = serde_json::from_str(&text).unwrap();
        let status = |booking: &Value| booking["status"].as_str().unwrap().to_owned();
        statement["bookings"].as_array().unwrap().iter().map(status).collect()
    }

    /// Cancels a booking behind the service's back.
    pub(crate) async fn cancel(&self, order_id: &str) {
        let url = format!("{}/carrier/bookings/booking%2F{order_id}/cancel", self.url);
        let done = self.client.post(url).json(&json!({ "order_id": order_id })).send().await.unwrap();
        assert!(done.status().is_success(), "{done:?}");
    }

    /// Disturbs calls from now on; see the settings of `/faults`.
    pub(crate) async fn disturb(&self, faults: Value) {
        let set = self.client.put(format!("{}/faults", self.url)).json(&json!({ "carrier": faults })).send();
        let set = set.await.unwrap();
        assert!(set.status().is_success(), "{set:?}");
    }

    pub(crate) async fn calm(&self) {
        self.client.delete(format!("{}/faults", self.url)).send().await.unwrap();
    }
}
