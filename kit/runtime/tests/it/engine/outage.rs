//! When the database is away while the engine has to end, and when there is no broker.

use std::time::Duration;

use sea_orm::ConnectionTrait;
use tradewind_broker::{Broker, BrokerOptions};
use tradewind_testing::{Postgres, block_on, eventually, free_port};

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

#[test]
fn a_broker_that_cannot_be_reached_is_named_with_the_reason() {
    block_on(async {
        let port = free_port();
        let nobody = format!("127.0.0.1:{port}");
        let refused = format!("{nobody}: IO error: Connection refused");
        for (server, why) in [(nobody.as_str(), refused.as_str()), ("nowhere.invalid:4222", "name cannot be looked up")]
        {
            let options = BrokerOptions { url: format!("nats://{server}"), tls: None, name: "bank".to_owned() };
            let broker = Broker::connect(options).await.unwrap();
            eventually(Duration::from_secs(20), "the reason is told", async || {
                let error = broker.ready().unwrap_err();
                assert_eq!(error.reason, "BROKER_DISCONNECTED");
                if error.message.contains(why) { Ok(()) } else { Err(error.message) }
            })
            .await;
        }
    });
}
