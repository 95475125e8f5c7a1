//! Idempotent requests: a repeated one gets the first one's response, whatever runs at the same time.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use prost::Message;
use sea_orm::{ConnectionTrait, Statement};
use tokio_util::sync::CancellationToken;
use tradewind_domain::{Error, ErrorKind, request::RequestKey};
use tradewind_store::{Store, StreamName, Tx};
use tradewind_testing::{
    Database, Stopped,
    account::{Account, Bank, Command, Deposited, options},
    block_on, eventually,
};
use uuid::Uuid;

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, PartialEq, Message)]
struct Response {
    #[prost(string, tag = "1")]
    account: String,
}

fn key(principal: &str, request_id: &str, amount: u64) -> RequestKey {
    let request = Deposited { amount };
    RequestKey::new(principal, "/bank/OpenAccount", request_id, &request, &request).unwrap().unwrap()
}

/// Opens an account under a new id, once a request.
async fn open_account(bank: &Bank, request: &RequestKey) -> Result<String, Error> {
    let open = async |tx: &mut Tx| {
        let account = Uuid::new_v4().to_string();
        tx.execute::<Account>(&account, Command::Deposit(1)).await?;
        Ok::<_, Error>(Response { account })
    };
    Ok(bank.store.once(Some(request), open).await?.0.account)
}

tradewind_testing::both_stores! {
    async fn a_repeated_request_gets_the_first_response(database: Database) {
        let bank = Bank::open(&database).await;
        let first = open_account(&bank, &key("ann", "r1", 1)).await.unwrap();
        assert_eq!(open_account(&bank, &key("ann", "r1", 1)).await.unwrap(), first);
        assert_ne!(open_account(&bank, &key("ben", "r1", 1)).await.unwrap(), first);
        assert_ne!(open_account(&bank, &key("ann", "r2", 1)).await.unwrap(), first);
        assert_eq!(bank.store.history(&StreamName::of::<Account>(&first)).await.unwrap().len(), 1);
    }

    async fn an_id_names_one_request_only(database: Database) {
        let bank = Bank::open(&database).await;
        open_account(&bank, &key("ann", "r1", 1)).await.unwrap();
        let error = open_account(&bank, &key("ann", "r1", 2)).await.unwrap_err();
        assert_eq!((error.kind, error.reason), (ErrorKind::Invalid, "REQUEST_ID_REUSED"));
        assert_eq!(error.violations[0].field, "request_id");
    }

    async fn a_repetition_may_differ_in_what_it_does_not_ask(database: Database) {
        let bank = Bank::open(&database).await;
        let key = |said: u64, asked: u64| {
            let (said, asked) = (Deposited { amount: said }, Deposited { amount: asked });
            RequestKey::new("ann", "/bank/OpenAccount", "r1", &said, &asked).unwrap().unwrap()
        };
        let first = open_account(&bank, &key(1, 0)).await.unwrap();
        assert_eq!(open_account(&bank, &key(2, 0)).await.unwrap(), first);
        assert_eq!(open_account(&bank, &key(2, 7)).await.unwrap_err().reason, "REQUEST_ID_REUSED");

        // What a build before has kept is the whole request.
        let tx = bank.store.begin().await.unwrap();
        tx.conn().execute_unprepared("UPDATE request SET asked = NULL").await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(open_account(&bank, &key(1, 0)).await.unwrap(), first);
        assert_eq!(open_account(&bank, &key(2, 0)).await.unwrap_err().reason, "REQUEST_ID_REUSED");
    }

    async fn repetitions_at_the_same_time_are_one(database: Database) {
        let bank = Arc::new(Bank::open(&database).await);
        let all = (0..16).map(|_| {
            let bank = Arc::clone(&bank);
            tokio::spawn(async move { open_account(&bank, &key("ann", "r1", 1)).await.unwrap() })
        });
        let accounts: Vec<String> = join_all(all).await.into_iter().map(Result::unwrap).collect();
        assert!(accounts.iter().all(|account| *account == accounts[0]), "{accounts:?}");
        let appended: u64 = tradewind_testing::eventually(std::time::Duration::from_secs(20), "the log has the event", async || {
            let sum = bank.store.heads().await.unwrap().positions.iter().sum();
            if sum > 0 { Ok(sum) } else { Err("nothing yet".to_owned()) }
        }).await;
        assert_eq!(appended, 1);
    }

    async fn a_refusal_is_not_stored(database: Database) {
        let bank = Bank::open(&database).await;
        let request = key("ann", "r1", 1);
        let refused = bank.store.once(Some(&request), async |tx: &mut Tx| {
            tx.execute::<Account>("a", Command::Withdraw(1)).await.map(|_| Response::default())
        });
        refused.await.unwrap_err();
        open_account(&bank, &request).await.unwrap();
    }

    async fn a_request_of_a_build_before_is_known_by_its_methods_name(database: Database) {
        let bank = Bank::open(&database).await;
        let first = open_account(&bank, &key("ann", "r1", 1)).await.unwrap();
        let tx = bank.store.begin().await.unwrap();
        let kept = Statement::from_string(tx.backend(), "SELECT method FROM request");
        let kept = tx.conn().query_one_raw(kept).await.unwrap().unwrap();
        assert_eq!(kept.try_get::<String>("", "method").unwrap(), "OpenAccount");
        drop(tx);
        assert_eq!(open_account(&bank, &key("ann", "r1", 1)).await.unwrap(), first);
    }
    async fn only_responses_beyond_their_retention_are_forgotten_a_step_at_a_time(database: Database) {
        let bank = Stopped::open(&database).await;
        let ask = async |id: u32, answer: u64| {
            let request = key("ann", &id.to_string(), 1);
            bank.store.once(Some(&request), async |_: &mut Tx| Ok::<_, Error>(answer)).await.unwrap().0
        };
        for id in 0..5 {
            ask(id, 1).await;
        }
        bank.pass(60);
        ask(5, 1).await;
        let forget = async |seconds| bank.store.forget_requests(Duration::from_secs(seconds), 3).await.unwrap();
        assert_eq!(forget(u64::MAX).await, 0);
        assert_eq!(forget(61).await, 0);
        assert_eq!(forget(30).await, 3);
        assert_eq!(forget(30).await, 2);
        assert_eq!(forget(30).await, 0);
        assert_eq!((ask(0, 2).await, ask(5, 2).await), (2, 1), "what is forgotten is asked anew");
    }
}

/// Who committed it died before it had its place in the log, and so did the sequencer.
#[test]
fn a_repeated_request_has_a_token_that_covers_what_the_first_one_wrote() {
    block_on(async {
        let database = Database::postgres();
        let store = Store::open(options(&database, "bank")).await.unwrap();
        let open = async |store: Store| {
            let open = async |tx: &mut Tx| {
                tx.execute::<Account>("a", Command::Deposit(1)).await?;
                Ok::<_, Error>(Response { account: "a".to_owned() })
            };
            store.once(Some(&key("ann", "r1", 1)), open).await
        };
        let first = tokio::spawn(open(store.clone()));
        let stream = StreamName::from("account-a");
        eventually(PATIENCE, "it is committed", async || store.history(&stream).await.unwrap().len() == 1).await;
        first.abort();
        let repeated = tokio::spawn(open(store.clone()));
        let (sequencing, stop) = (store.clone(), CancellationToken::new());
        let end = stop.clone();
        let sequencer = tokio::spawn(async move { sequencing.sequence(end).await });
        let (_, token) = repeated.await.unwrap().unwrap();
        assert!(token.ends_with(":1"), "{token:?}");
        stop.cancel();
        sequencer.await.unwrap().unwrap();
    });
}
