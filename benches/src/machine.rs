//! What this machine can do without us: the broker alone, the database alone.

use std::time::Instant;

use anyhow::{Context as _, Result};
use async_nats::jetstream::context::Context;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream;
use futures::{StreamExt as _, stream as streams};
use hdrhistogram::Histogram;
use sea_orm::{ConnectionTrait as _, DatabaseConnection};
use tradewind_testing::Nats;
use uuid::Uuid;

use crate::load::{For, per_second};

/// How many publications the relay has in flight.
const WINDOW: usize = 256;
/// An event with its headers, about.
const MESSAGE: usize = 900;
const INSERT: &str = "INSERT INTO ceiling (text) VALUES ('what one order line might hold, more or less')";

/// Connects to a database with one connection; SQLite with WAL and `synchronous=FULL`.
pub(crate) async fn connect(url: &str) -> Result<DatabaseConnection> {
    let database = tradewind_sql::connect(url).await?;
    if database.get_database_backend() == sea_orm::DbBackend::Sqlite {
        database.execute_unprepared("PRAGMA journal_mode=WAL").await?;
        database.execute_unprepared("PRAGMA synchronous=FULL").await?;
    }
    Ok(database)
}

/// Publications a second that the broker acknowledges, each with an id, as many in flight as the relay has.
pub(crate) async fn publications(nats: &Nats, time: For) -> Result<f64> {
    let broker = publisher(nats).await?;
    let (started, until) = (Instant::now(), time.end());
    let messages = streams::repeat(()).take_while(|()| std::future::ready(Instant::now() < until));
    let acknowledged = messages.map(|()| publish(&broker)).buffered(WINDOW);
    let count = acknowledged.fold(Ok(0), async |count: Result<u64>, done| Ok(count? + done.map(|()| 1)?)).await?;
    per_second(count, started.elapsed())
}

/// Commits of one inserted row each a second, one after the other.
pub(crate) async fn commits(url: &str, time: For) -> Result<f64> {
    let database = with_table(url).await?;
    let (started, until) = (Instant::now(), time.end());
    let mut count = 0;
    while Instant::now() < until {
        database.execute_unprepared(INSERT).await?;
        count += 1;
    }
    let rate = per_second(count, started.elapsed());
    database.close().await?;
    rate
}

/// Microseconds of one commit followed by one acknowledged publication, with nothing else going on.
pub(crate) async fn commit_and_publish(url: &str, nats: &Nats, time: For) -> Result<Histogram<u64>> {
    let (database, broker) = (with_table(url).await?, publisher(nats).await?);
    let mut micros = Histogram::new(3)?;
    let until = time.end();
    while Instant::now() < until {
        let started = Instant::now();
        database.execute_unprepared(INSERT).await?;
        publish(&broker).await?;
        micros.record(u64::try_from(started.elapsed().as_micros())?)?;
    }
    database.close().await?;
    Ok(micros)
}

async fn with_table(url: &str) -> Result<DatabaseConnection> {
    let database = connect(url).await?;
    let id = match database.get_database_backend() {
        sea_orm::DbBackend::Sqlite => "INTEGER",
        _ => "BIGINT GENERATED ALWAYS AS IDENTITY",
    };
    let table = format!("CREATE TABLE IF NOT EXISTS ceiling (id {id} PRIMARY KEY, text TEXT NOT NULL)");
    database.execute_unprepared(&table).await?;
    Ok(database)
}

async fn publisher(nats: &Nats) -> Result<Context> {
    let client = async_nats::connect(nats.url()).await.context("no connection to the broker")?;
    let broker = async_nats::jetstream::new(client);
    let config =
        stream::Config { name: "CEILING".to_owned(), subjects: vec!["ceiling".to_owned()], ..Default::default() };
    broker.get_or_create_stream(config).await.context("no stream")?;
    Ok(broker)
}

async fn publish(broker: &Context) -> Result<()> {
    let message = PublishMessage::build().message_id(Uuid::now_v7().to_string()).payload(vec![b'x'; MESSAGE].into());
    broker.send_publish("ceiling", message).await?.await?;
    Ok(())
}
