//! Plain SQL that writes what the bank's append and the audit's reader write, in transactions of the same size, with as many
//! rows a statement, and nothing else: no decision, no broker, no reader. Both databases are written at the same time, by one
//! connection each.

use std::time::Instant;

use anyhow::Result;
use sea_orm::{ConnectionTrait as _, DatabaseTransaction, DbBackend, Statement, TransactionTrait as _, Value};
use uuid::Uuid;

use crate::load::{For, per_second};
use crate::machine::connect;
use crate::toy::MEMO;

const EVENT: &str = "INSERT INTO event (stream, version, id, type, payload, partition_key, partition, time, correlation, \
     causation, traceparent) VALUES ";
const LOG: &str = "INSERT INTO log (partition, position, stream, version) VALUES ";
const CURSOR: &str = "INSERT INTO cursor (consumer, source, partition, position, incarnation, updated) \
     VALUES ('plain', 'plain', 0, $1, 'plain', $1) ON CONFLICT (consumer, source, partition) DO UPDATE SET position = $1";
/// Rows a statement, at most.
const ROWS: usize = 32;
/// Events that a reader handles in one transaction, at most.
const READ: usize = 64;

/// Events a second that both sides can write, in transactions of `batch`; the tables of `bank` and `audit` are there.
pub(crate) async fn events_per_second(bank: &str, audit: &str, batch: usize, time: For) -> Result<f64> {
    let (appended, noted) = tokio::try_join!(
        tokio::spawn(run(bank.to_owned(), batch, time, Side::Append)),
        tokio::spawn(run(audit.to_owned(), batch.min(READ), time, Side::Note))
    )?;
    Ok(appended?.min(noted?))
}

#[derive(Clone, Copy)]
enum Side {
    Append,
    Note,
}

async fn run(url: String, batch: usize, time: For, side: Side) -> Result<f64> {
    let database = connect(&url).await?;
    let stream = Uuid::now_v7();
    let (started, until) = (Instant::now(), time.end());
    let mut version = 0_i64;
    while Instant::now() < until {
        let transaction = database.begin().await?;
        let mut left = batch;
        while left > 0 {
            let rows = left.min(ROWS);
            side.write(&transaction, &format!("account-{stream}"), version, i64::try_from(rows)?).await?;
            version += i64::try_from(rows)?;
            left -= rows;
        }
        if let Side::Note = side {
            let cursor = Statement::from_sql_and_values(database.get_database_backend(), CURSOR, [version.into()]);
            transaction.execute_raw(cursor).await?;
        }
        tradewind_sql::commit(&database, transaction).await?;
    }
    let rate = per_second(u64::try_from(version)?, started.elapsed());
    database.close().await?;
    rate
}

impl Side {
    /// Writes rows for `rows` events of a stream that follow `version`.
    async fn write(self, transaction: &DatabaseTransaction, stream: &str, version: i64, rows: i64) -> Result<()> {
        let versions = version + 1..=version + rows;
        match self {
            Self::Append => {
                insert(transaction, EVENT, versions.clone().map(|version| event(stream, version))).await?;
                // On SQLite a trigger does it.
                if transaction.get_database_backend() == DbBackend::Postgres {
                    let log = versions.map(|version| -> [Value; 4] {
                        [0_i64.into(), (i64::MAX / 2 + version).into(), stream.into(), version.into()]
                    });
                    insert(transaction, LOG, log).await?;
                }
            }
            Self::Note => {
                let effect = "INSERT INTO effect (stream, version) VALUES ";
                insert(transaction, effect, versions.map(|version| -> [Value; 2] { [stream.into(), version.into()] }))
                    .await?;
            }
        }
        Ok(())
    }
}

fn event(stream: &str, version: i64) -> [Value; 11] {
    [
        stream.into(),
        version.into(),
        Uuid::now_v7().into(),
        "tradewind.bank.v1.Deposited".into(),
        MEMO.as_bytes().to_vec().into(),
        stream.into(),
        0_i64.into(),
        version.into(),
        stream.into(),
        "".into(),
        "".into(),
    ]
}

/// Inserts rows with one statement.
async fn insert<const N: usize>(
    transaction: &DatabaseTransaction,
    text: &str,
    rows: impl Iterator<Item = [Value; N]>,
) -> Result<()> {
    let mut values = Vec::new();
    let mut texts = Vec::new();
    for row in rows {
        let places: Vec<String> = (1..=N).map(|place| format!("${}", values.len() + place)).collect();
        texts.push(format!("({})", places.join(", ")));
        values.extend(row);
    }
    let text = format!("{text}{}", texts.join(", "));
    transaction.execute_raw(Statement::from_sql_and_values(transaction.get_database_backend(), text, values)).await?;
    Ok(())
}
