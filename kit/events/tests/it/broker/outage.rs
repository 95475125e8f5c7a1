//! When the database is away while the engine has to end.

use sea_orm::ConnectionTrait;
use tradewind_testing::{Postgres, block_on};

use super::audit::Pair;
use super::loss::stored;

#[test]
fn an_engine_without_its_database_ends_cleanly() {
    block_on(async {
        let mut postgres = Postgres::start();
        let pair = Pair::between(postgres.database(), postgres.database()).await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a", "b"], 5).await;
        pair.noted(10).await;
        postgres.stop();
        tokio::join!(audit.stop(), bank.stop());
    });
}

#[test]
fn a_relay_that_cannot_save_its_cursor_publishes_and_ends_cleanly() {
    block_on(async {
        let pair = Pair::new().await;
        let bank = pair.start_bank().await;
        pair.deposit(&["a"], 1).await;
        stored(&pair, 1).await;
        let tx = pair.bank.begin().await.unwrap();
        tx.conn().execute_unprepared("ALTER TABLE cursor RENAME TO away").await.unwrap();
        tx.commit().await.unwrap();
        pair.deposit(&["a"], 9).await;
        stored(&pair, 10).await;
        bank.stop().await;
    });
}
