//! ClickHouse over HTTP: statements, rows that are asked for and rows that are put there, each within a time and a size.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use reqwest::{Client, Response, redirect};
use serde::de::DeserializeOwned;
use tradewind_domain::Error;
use tradewind_runtime::outside::{Calls, Certificate, Url};
use tradewind_sql::brief;

/// The most of an answer that is read, in bytes: several times the longest page.
const MOST_READ: usize = 8 * 1024 * 1024;
/// What of a refusal is read.
const MOST_TOLD: usize = 4 * 1024;
/// The longest an idle connection is kept: shorter than a server keeps it.
const IDLE: Duration = Duration::from_secs(2);

static CALLS: Calls = Calls::new("tradewind_clickhouse", "ClickHouse");

/// A server, and the database there.
pub(super) struct Server {
    client: Client,
    url: Url,
    /// In seconds: how long it works on a question at most.
    limit: String,
}

impl Server {
    pub(super) fn new(mut url: Url, authority: Option<Certificate>, timeout: Duration) -> anyhow::Result<Self> {
        let client = tradewind_runtime::direct();
        let client = match authority {
            Some(authority) => client.add_root_certificate(authority),
            None => client,
        };
        let client = client
            .timeout(timeout)
            .pool_idle_timeout(IDLE)
            .redirect(redirect::Policy::none())
            .build()
            .context("no HTTP client")?;
        let database = url.path().trim_matches('/').to_owned();
        url.set_path("/");
        url.query_pairs_mut().append_pair("database", &database);
        let limit = timeout.as_secs().max(1).to_string();
        Ok(Self { client, url, limit })
    }

    /// Runs a statement that answers nothing.
    ///
    /// # Errors
    /// `Unavailable` where it was not answered, or refused: then it may have been run.
    pub(super) async fn change(&self, statement: &str) -> Result<(), Error> {
        self.call("change", &[], statement.to_owned()).await.map(drop)
    }

    /// Puts rows into a table, each a line of JSON. They are there when this returns.
    ///
    /// # Errors
    /// As [`change`](Self::change); some of them may be there.
    pub(super) async fn insert(&self, table: &str, lines: Vec<u8>) -> Result<(), Error> {
        let statement = format!("INSERT INTO {table} FORMAT JSONEachRow");
        self.call("insert", &[("query", &statement)], lines).await.map(drop)
    }

    /// The rows that a question has.
    ///
    /// # Errors
    /// As [`change`](Self::change), and where they are more than anybody asks for.
    pub(super) async fn ask<R: DeserializeOwned>(&self, question: &str) -> Result<Vec<R>, Error> {
        // What is asked writes nothing, whatever it says; and what it comes to is known before the first row is sent.
        let settings = [
            ("readonly", "2"),
            ("wait_end_of_query", "1"),
            ("max_execution_time", &self.limit),
            ("output_format_json_quote_64bit_integers", "0"),
        ];
        let body = self.call("ask", &settings, format!("{question} FORMAT JSONEachRow")).await?;
        read(&body)
    }

    /// What is answered to a statement, or to what its `query` makes of this body.
    async fn call(
        &self,
        action: &'static str,
        with: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Result<Vec<u8>, Error> {
        let mut url = self.url.clone();
        url.query_pairs_mut().extend_pairs(with);
        let begun = Instant::now();
        let answer = async {
            let answer = self.client.post(url).body(body.into()).send().await.map_err(|error| unanswered(&error))?;
            taken(answer).await
        };
        let answer = answer.await;
        CALLS.count(action, if answer.is_ok() { "ok" } else { "failed" }, begun.elapsed());
        answer
    }
}

/// The rows of an answer, each an object of JSON.
pub(super) fn read<R: DeserializeOwned>(answer: &[u8]) -> Result<Vec<R>, Error> {
    let rows = serde_json::Deserializer::from_slice(answer).into_iter();
    rows.collect::<Result<_, _>>().map_err(|_| unavailable("ClickHouse gives an answer that cannot be read"))
}

/// The answer to what was done, or why it was not.
async fn taken(mut answer: Response) -> Result<Vec<u8>, Error> {
    let status = answer.status();
    let most = if status.is_success() { MOST_READ } else { MOST_TOLD };
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| unanswered(&error))? {
        body.extend_from_slice(&chunk);
        if body.len() > most {
            break;
        }
    }
    if status.is_success() {
        return if body.len() > most {
            Err(unavailable("ClickHouse gives an answer that is too long"))
        } else {
            Ok(body)
        };
    }
    let text = String::from_utf8_lossy(&body);
    tracing::warn!(%status, text = brief(&text), "ClickHouse refuses");
    // What it says besides may repeat what it was asked.
    let code = text.split_once("Code: ").and_then(|(_, text)| text.split(|char: char| !char.is_ascii_digit()).next());
    let code = code.map(|code| format!(", code {code}")).unwrap_or_default();
    Err(Error::unavailable("CLICKHOUSE_REFUSES", format!("ClickHouse answers {}{code}", status.as_u16())))
}

fn unanswered(error: &reqwest::Error) -> Error {
    unavailable(if error.is_timeout() {
        "ClickHouse does not answer in time"
    } else if error.is_connect() {
        "ClickHouse cannot be reached"
    } else {
        "ClickHouse has ended the connection"
    })
}

fn unavailable(text: &str) -> Error {
    Error::unavailable("CLICKHOUSE_UNAVAILABLE", text)
}
