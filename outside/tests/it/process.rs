//! Starts the binary on a free port and talks to it.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;

/// How long anything that must happen may take.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A running process; killed when dropped.
pub(crate) struct Outside {
    child: Child,
    url: String,
    pub(crate) client: reqwest::Client,
    /// The folder, where this process is its only user.
    folder: Option<TempDir>,
    log: mpsc::Receiver<String>,
}

impl Outside {
    /// Starts with an empty record.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut outside = Self::on(folder.path());
        outside.folder = Some(folder);
        outside
    }

    /// Starts on the record in `folder`.
    pub(crate) fn on(folder: &Path) -> Self {
        let mut child = command(folder).spawn().unwrap();
        let (lines, log) = mpsc::channel();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                let _ = lines.send(line);
            }
        });
        #[expect(clippy::disallowed_methods, reason = "this crate knows nothing of the kit")]
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut outside = Self { child, url: String::new(), client, folder: None, log };
        let line = outside.logged("\"listening\"");
        let line: Value = serde_json::from_str(&line).unwrap();
        outside.url = format!("http://{}", line["fields"]["address"].as_str().unwrap());
        outside
    }

    /// Waits for a line of the log that contains `part`.
    pub(crate) fn logged(&self, part: &str) -> String {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let line = self.log.recv_timeout(left).unwrap_or_else(|_| panic!("nothing was logged with {part}"));
            if line.contains(part) {
                return line;
            }
        }
    }

    /// All lines logged from now until the process ends.
    pub(crate) fn remaining_log(&self) -> String {
        let mut log = String::new();
        while let Ok(line) = self.log.recv_timeout(DEADLINE) {
            log.push_str(&line);
            log.push('\n');
        }
        log
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Sends a signal, such as TERM, without waiting for what it does.
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the process to end.
    pub(crate) async fn ended(&mut self) -> ExitStatus {
        let deadline = Instant::now() + DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "the process did not end");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    /// Sends a request; the error means that no answer came.
    pub(crate) async fn attempt(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> reqwest::Result<(StatusCode, Value)> {
        let request = self.client.request(method, format!("{}{path}", self.url)).timeout(DEADLINE);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let response = request.send().await?;
        Ok((response.status(), response.json().await?))
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        self.attempt(Method::POST, path, Some(body)).await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.attempt(Method::GET, path, None).await.unwrap()
    }

    /// Posts and expects 200.
    pub(crate) async fn ok(&self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.post(path, body).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Gets and expects 200.
    pub(crate) async fn seen(&self, path: &str) -> Value {
        let (status, answer) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {answer}");
        answer
    }

    /// Posts and expects a refusal with this status and reason; answers the field.
    pub(crate) async fn refused(&self, path: &str, body: &Value, status: u16, reason: &str) -> Value {
        let (got, answer) = self.post(path, body).await;
        assert_eq!((got.as_u16(), answer["error"]["reason"].as_str()), (status, Some(reason)), "{path}: {answer}");
        assert!(answer["error"]["message"].is_string(), "{answer}");
        answer["error"]["field"].clone()
    }

    /// Posts and expects that no answer comes within a moment.
    pub(crate) async fn silent(&self, path: &str, body: &Value) {
        let request = self.client.post(format!("{}{path}", self.url)).json(body).timeout(Duration::from_millis(400));
        let error = request.send().await.expect_err("an answer came");
        assert!(error.is_timeout(), "{error:?}");
    }

    pub(crate) async fn set_faults(&self, faults: &Value) {
        let (status, answer) = self.attempt(Method::PUT, "/faults", Some(faults)).await.unwrap();
        assert_eq!(status, 200, "{answer}");
    }

    /// The kinds and amounts of an order's statement.
    pub(crate) async fn statement(&self, order_id: &str) -> Vec<(String, i64)> {
        let statement = self.seen(&format!("/card/statement?order_id={order_id}")).await;
        let entries = statement["entries"].as_array().unwrap();
        let kind = |entry: &Value| entry["kind"].as_str().unwrap().to_owned();
        entries.iter().map(|entry| (kind(entry), entry["amount_minor"].as_i64().unwrap())).collect()
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary on a free port with its log in JSON.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_outside"));
    command.args(["--listen", "127.0.0.1:0", "--data"]).arg(folder).env("TRADEWIND_LOG", "debug");
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// A charge of 12.50 GBP for an order, under the key that the shop uses.
pub(crate) fn charge(order_id: &str, token: &str) -> Value {
    json!({"key": format!("charge/{order_id}"), "order_id": order_id, "amount_minor": 1250, "currency": "GBP", "token": token})
}

/// A refund of an order's charge.
pub(crate) fn refund(order_id: &str, key: &str, amount_minor: i64) -> Value {
    json!({"key": key, "charge_key": format!("charge/{order_id}"), "order_id": order_id, "amount_minor": amount_minor, "currency": "GBP"})
}

/// A booking for an order to a postal code.
pub(crate) fn booking(order_id: &str, postal_code: &str) -> Value {
    json!({
        "key": format!("book/{order_id}"), "order_id": order_id, "name": "A. Customer",
        "address": {"line1": "1 High Street", "city": "Leeds", "postal_code": postal_code, "country": "GB"},
        "parcels": [{"sku": "85123A", "quantity": 2}],
    })
}
