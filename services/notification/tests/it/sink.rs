//! The mail sink of `outside`, in this process, on a free port.

use outside::{Options, Server};
use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use tradewind_testing::scratch;

/// A sink with a record of its own, gone when dropped.
pub(crate) struct Sink {
    url: String,
    client: Client,
    stop: CancellationToken,
    _record: TempDir,
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Sink {
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

    /// Every message it has taken, in order.
    pub(crate) async fn messages(&self) -> Vec<Value> {
        let text = self.client.get(format!("{}/mail/messages", self.url)).send().await.unwrap().text().await.unwrap();
        let messages: Value = serde_json::from_str(&text).unwrap();
        messages["messages"].as_array().unwrap().clone()
    }

    /// Disturbs calls from now on; see the settings of `/faults`.
    pub(crate) async fn disturb(&self, faults: Value) {
        let set = self.client.put(format!("{}/faults", self.url)).json(&json!({ "mail": faults })).send();
        let set = set.await.unwrap();
        assert!(set.status().is_success(), "{set:?}");
    }

    pub(crate) async fn calm(&self) {
        self.client.delete(format!("{}/faults", self.url)).send().await.unwrap();
    }
}
