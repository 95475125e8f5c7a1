//! What is about somebody is sealed, and erased by destroying its key.

use std::sync::LazyLock;
use std::time::Duration;

use sea_orm::{ConnectionTrait, EntityTrait};
use tradewind_sql::statement;
use tradewind_store::{Opened, Sealing, Store, Tx, Upsert, about, text_about};
use tradewind_testing::account::{Account, Bank, Command, options};
use tradewind_testing::{Database, both_stores, eventually};

/// As if how much was paid in were about whoever owns the account.
const SEALING: Sealing = Sealing { show: |_, _| Vec::new(), begins: false };

async fn open(database: &Database) -> Store {
    Store::open_sealing(options(database, "bank"), SEALING).await.unwrap()
}

async fn deposit(store: &Store, id: &str, amount: u64) {
    let deposit = async |tx: &mut Tx| tx.execute::<Account>(id, Command::Deposit(amount)).await;
    store.transact(deposit).await.unwrap();
}

async fn payloads(store: &Store) -> Vec<Vec<u8>> {
    let all = statement(store.backend(), "SELECT payload FROM event ORDER BY stream, version", []);
    store.read(all).await.unwrap().iter().map(|row| row.try_get("", "payload").unwrap()).collect()
}

async fn erase(store: &Store, id: &str) -> bool {
    store.transact(async |tx: &mut Tx| tx.erase(id).await).await.unwrap().0
}

async fn logged(store: &Store) -> Vec<Vec<u8>> {
    store.read_log(0, 0, 100).await.unwrap().events.into_iter().map(|event| event.payload).collect()
}

fn sealed(payload: &[u8]) -> bool {
    payload.starts_with(&[7, 1])
}

both_stores! {
    async fn events_are_sealed_and_read_as_they_were(database: Database) {
        let store = open(&database).await;
        deposit(&store, "a", 7).await;
        deposit(&store, "a", 8).await;
        deposit(&store, "b", 9).await;
        let kept = payloads(&store).await;
        assert!(kept.iter().all(|payload| sealed(payload)), "{kept:?}");
        // Another process knows no key yet.
        let other = open(&database).await;
        for store in [&store, &other] {
            assert_eq!(store.load::<Account>("a").await.unwrap().state.balance, 15);
        }
        let history = other.history(&tradewind_store::StreamName::of::<Account>("a")).await.unwrap();
        assert!(history.iter().all(|event| !sealed(&event.payload) && !event.payload.is_empty()));
    }
}

both_stores! {
    async fn of_whoever_is_erased_nothing_is_left_and_nothing_is_sealed_anew(database: Database) {
        let store = open(&database).await;
        for id in ["a", "b"] {
            deposit(&store, id, 7).await;
        }
        assert!(erase(&store, "a").await);
        assert!(!erase(&store, "a").await, "once");
        deposit(&store, "a", 5).await;
        let fresh = open(&database).await;
        assert_eq!(fresh.load::<Account>("b").await.unwrap().state.balance, 7);
        let key = statement(store.backend(), "SELECT COUNT(*) AS many FROM subject WHERE key IS NULL", []);
        assert_eq!(store.read(key).await.unwrap()[0].try_get::<i64>("", "many").unwrap(), 1);
        let mut tx = fresh.begin().await.unwrap();
        let nothing = tx.seal("a", b"Ada").await.unwrap();
        let text = tx.seal_text("a", "Ada").await.unwrap();
        assert!(!nothing.windows(3).any(|bytes| bytes == b"Ada") && !text.contains("Ada"));
        assert_eq!(fresh.open_sealed(vec![nothing]).await.unwrap(), [Opened::Erased(Vec::new())]);
        assert_eq!(fresh.open_text(&text).await.unwrap(), None);
    }
}

both_stores! {
    async fn an_erasure_that_is_undone_leaves_everything_as_it_was(database: Database) {
        let store = open(&database).await;
        deposit(&store, "a", 7).await;
        let mut tx = store.begin().await.unwrap();
        assert!(tx.erase("a").await.unwrap());
        let _ = tx.load::<Account>("a").await.unwrap();
        drop(tx);
        deposit(&store, "a", 8).await;
        let fresh = open(&database).await;
        assert_eq!(fresh.load::<Account>("a").await.unwrap().state.balance, 15);
    }
}

both_stores! {
    async fn what_a_service_seals_it_reads_again(database: Database) {
        let store = open(&database).await;
        let mut tx = store.begin().await.unwrap();
        let (bytes, text) = (tx.seal("a", b"Ada").await.unwrap(), tx.seal_text("a", "Ada").await.unwrap());
        tx.commit().await.unwrap();
        assert!(sealed(&bytes) && !text.contains("Ada"));
        let other = open(&database).await;
        let opened = other.open_sealed(vec![bytes, b"plain".to_vec()]).await.unwrap();
        assert_eq!(opened, [Opened::Whole(b"Ada".to_vec()), Opened::Whole(b"plain".to_vec())]);
        let texts = other.open_texts(vec![text, "plain".to_owned()]).await.unwrap();
        assert_eq!(texts, [Some("Ada".to_owned()), Some("plain".to_owned())]);
    }
}

both_stores! {
    async fn two_that_make_the_key_of_one_subject_agree(database: Database) {
        let (one, other) = (open(&database).await, open(&database).await);
        let sealing = async |store: &Store, text: &'static str| {
            let stores = async |tx: &mut Tx| {
                let sealed = tx.seal("a", text.as_bytes()).await?;
                tokio::task::yield_now().await;
                Ok(sealed)
            };
            store.transact(stores).await.unwrap().0
        };
        let both = tokio::join!(sealing(&one, "Ada"), sealing(&other, "Bob"));
        let opened = open(&database).await.open_sealed(vec![both.0, both.1]).await.unwrap();
        assert_eq!(opened, [Opened::Whole(b"Ada".to_vec()), Opened::Whole(b"Bob".to_vec())]);
    }
}

both_stores! {
    async fn what_was_written_before_there_were_seals_is_reduced_when_it_is_erased(database: Database) {
        let bank = Bank::open(&database).await;
        deposit(&bank.store, "a", 7).await;
        assert!(!sealed(&payloads(&bank.store).await[0]), "nobody says what of its events is about somebody");
        eventually(Duration::from_secs(30), "it has its place", async || logged(&bank.store).await.len() == 1).await;
        let store = open(&database).await;
        assert_eq!(store.load::<Account>("a").await.unwrap().state.balance, 7);
        assert!(erase(&store, "a").await);
        assert_eq!(payloads(&store).await, [Vec::<u8>::new()]);
        assert_eq!(logged(&store).await, [Vec::<u8>::new()]);
    }
}

mod person {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "person")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub name: String,
        pub face: Vec<u8>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

static PUT: LazyLock<Upsert<person::Entity>> = LazyLock::new(|| Upsert::replacing([person::Column::Id]));

both_stores! {
    async fn what_is_marked_in_a_row_is_sealed_with_the_commit(database: Database) {
        let store = open(&database).await;
        let bytes = if database.is_postgres() { "BYTEA" } else { "BLOB" };
        let table = format!("CREATE TABLE person (id TEXT PRIMARY KEY, name TEXT NOT NULL, face {bytes} NOT NULL)");
        let mut tx = store.begin().await.unwrap();
        tx.conn().execute_unprepared(&table).await.unwrap();
        let (name, face) = (text_about("a", "Ada"), about("a", b"a face", b"a smile"));
        tx.put(&PUT, person::Model { id: "1".to_owned(), name, face });
        tx.commit().await.unwrap();
        let other = open(&database).await;
        let row = person::Entity::find().one(other.reader()).await.unwrap().unwrap();
        assert!(sealed(&row.face) && !row.name.contains("Ada"), "{row:?}");
        assert_eq!(other.open_text(&row.name).await.unwrap().as_deref(), Some("Ada"));
        assert_eq!(other.open_sealed(vec![row.face.clone()]).await.unwrap(), [Opened::Whole(b"a smile".to_vec())]);
        assert!(erase(&other, "a").await);
        assert_eq!(other.open_text(&row.name).await.unwrap(), None);
        assert_eq!(other.open_sealed(vec![row.face]).await.unwrap(), [Opened::Erased(b"a face".to_vec())]);
    }
}

both_stores! {
    async fn what_is_tried_for_whoever_has_a_key_already_goes_well(database: Database) {
        let store = open(&database).await;
        store.transact(async |tx: &mut Tx| tx.seal("a", b"Ada").await).await.unwrap();
        let mut tx = open(&database).await.begin().await.unwrap();
        tx.execute::<Account>("a", Command::Deposit(7)).await.unwrap();
        tx.rehearse().await.unwrap();
        deposit(&open(&database).await, "a", 8).await;
        assert_eq!(open(&database).await.load::<Account>("a").await.unwrap().state.balance, 8);
    }
}

both_stores! {
    async fn an_event_whose_key_is_missing_stops_no_other(database: Database) {
        let bank = Bank::open(&database).await;
        let store = open(&database).await;
        for id in ["a", "b"] {
            deposit(&store, id, 7).await;
        }
        store.write(statement(store.backend(), "DELETE FROM subject WHERE name = 'a'", [])).await.unwrap();
        eventually(Duration::from_secs(30), "both have their places", async || {
            let heads = bank.store.heads().await.unwrap().positions;
            if heads.iter().sum::<u64>() == 2 { Ok(()) } else { Err(heads) }
        })
        .await;
        let fresh = open(&database).await;
        let mut payloads = Vec::new();
        for partition in 0..fresh.partitions() {
            payloads.extend(fresh.read_log(partition, 0, 100).await.unwrap().events.into_iter().map(|event| event.payload));
        }
        assert_eq!((payloads.len(), payloads.iter().filter(|payload| sealed(payload)).count()), (2, 1), "{payloads:?}");
        assert!(fresh.load::<Account>("a").await.is_err() && fresh.load::<Account>("b").await.is_ok());
    }
}

both_stores! {
    async fn of_whoever_is_erased_nothing_is_kept_where_nothing_is_sealed(database: Database) {
        drop(open(&database).await);
        tradewind_testing::unsealed(&database).await;
        let store = open(&database).await;
        assert!(!store.seals());
        deposit(&store, "a", 7).await;
        assert!(erase(&store, "a").await);
        deposit(&store, "a", 8).await;
        let mut tx = store.begin().await.unwrap();
        assert_eq!((tx.seal("a", b"Ada").await.unwrap(), tx.seal_text("a", "Ada").await.unwrap()), (vec![], String::new()));
        assert_eq!((tx.seal("b", b"Bob").await.unwrap(), tx.seal_text("b", "Bob").await.unwrap()), (b"Bob".to_vec(), "Bob".to_owned()));
        drop(tx);
        assert!(payloads(&store).await.iter().all(Vec::is_empty));
    }
}
