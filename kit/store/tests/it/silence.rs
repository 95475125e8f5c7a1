//! A PostgreSQL server that falls silent in the middle: nobody waits for it for ever, and it is taken for away.

use std::time::Duration;

use futures::future::join3;
use tokio::time::timeout;
use tradewind_domain::{Error, ErrorKind};
use tradewind_testing::{
    Postgres,
    account::{Account, Bank, Command, query},
};

/// Longer than anybody waits; the clock of the test jumps to whatever is waited for next.
const AGES: Duration = Duration::from_secs(24 * 60 * 60);

fn is_away<T>(said: Result<T, Error>) -> bool {
    said.is_err_and(|error| (error.kind, error.reason) == (ErrorKind::Unavailable, "DATABASE_UNAVAILABLE"))
}

#[tokio::test]
async fn a_server_that_falls_silent_in_the_middle_is_away() {
    let server = Postgres::start();
    let database = server.database();
    let Bank { store, .. } = &Bank::without_sequencer(&database).await;
    // Who only looks finds a connection that was at work a moment ago.
    for tx in [store.begin().await.unwrap(), store.begin().await.unwrap()] {
        tx.read(query(store, "SELECT 1")).await.unwrap();
        tx.commit().await.unwrap();
    }
    let (reading, mut writing) = (store.begin().await.unwrap(), store.begin().await.unwrap());
    writing.execute::<Account>("a", Command::Deposit(1)).await.unwrap();
    let (known, mut epoch) = (*store.epoch().borrow(), store.epoch());

    let silent = server.pause();
    tokio::time::pause();
    let (read, written, looked) =
        timeout(AGES, join3(reading.read(query(store, "SELECT 1")), writing.commit(), store.load::<Account>("a")))
            .await
            .expect("somebody waits for ever");
    assert!(is_away(read) && is_away(written) && is_away(looked));
    assert!(*epoch.borrow_and_update() > known, "what was remembered of it is forgotten");
    tokio::time::resume();
    drop(silent);
    drop(reading);
}
