//! The world around a shop under test: its address, its switches and its statements.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::ops::Deref;

use books::{CardEntry, Statements};
use outside::{Options, Server};
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// What somebody sees of an outside who knows its address.
pub struct Outside {
    url: String,
    http: reqwest::Client,
    statements: Statements,
}

/// A running outside with a record of its own.
pub struct OutsideWorld {
    seen: Outside,
    stop: DropGuard,
    served: JoinHandle<anyhow::Result<()>>,
    _record: TempDir,
}

impl Deref for OutsideWorld {
    type Target = Outside;

    fn deref(&self) -> &Outside {
        &self.seen
    }
}

impl OutsideWorld {
    pub async fn start() -> Self {
        Self::listen(SocketAddr::from(([127, 0, 0, 1], 0))).await
    }

    pub async fn listen(listen: SocketAddr) -> Self {
        let record = tradewind_testing::scratch();
        let options = Options { listen, data: record.path().to_owned(), seed: 1 };
        let server = Server::bind(options).await.expect("the outside is bound");
        let seen = Outside::at(format!("http://{}", server.local_addr()));
        let stop = CancellationToken::new();
        let served = tokio::spawn(server.serve(stop.clone()));
        Self { seen, stop: stop.drop_guard(), served, _record: record }
    }

    pub async fn stop(self) {
        drop(self.stop);
        self.served.await.unwrap().expect("the outside ends in order");
    }
}

impl Outside {
    pub fn at(url: String) -> Self {
        let http = tradewind_runtime::direct().build().expect("an HTTP client");
        let statements = Statements::at(url.clone()).expect("an HTTP client");
        Self { url, http, statements }
    }

    pub fn url(&self) -> String {
        self.url.clone()
    }

    pub const fn statements(&self) -> &Statements {
        &self.statements
    }

    /// What the card provider did, in order.
    pub async fn card_statement(&self) -> Vec<CardEntry> {
        self.statements.card().await.unwrap()
    }

    /// The subjects of all messages to one address.
    pub async fn mail_to(&self, address: &str) -> Vec<String> {
        self.mail().await.remove(address).unwrap_or_default()
    }

    /// The subjects of all messages, by the address that they went to.
    pub async fn mail(&self) -> BTreeMap<String, Vec<String>> {
        let messages = self.get("/mail/messages").await["messages"].take();
        let mut mail = BTreeMap::<_, Vec<_>>::new();
        for message in messages.as_array().unwrap() {
            let text = |field: &str| message[field].as_str().unwrap().to_owned();
            mail.entry(text("to")).or_default().push(text("subject"));
        }
        mail
    }

    /// What all messages to one address say.
    pub async fn letters_to(&self, address: &str) -> Vec<String> {
        let messages = self.get("/mail/messages").await["messages"].take();
        let to = messages.as_array().unwrap().iter().filter(|message| message["to"] == address);
        to.map(|message| message["body"].as_str().unwrap().to_owned()).collect()
    }

    /// Sets how the outside misbehaves, as its `PUT /faults` takes it.
    pub async fn misbehave(&self, faults: &Value) {
        let answer = self.http.put(format!("{}/faults", self.url())).json(faults).send().await.unwrap();
        answer.error_for_status().unwrap();
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}{path}", self.url())).send().await.unwrap();
        answer.error_for_status().unwrap().json().await.unwrap()
    }
}
