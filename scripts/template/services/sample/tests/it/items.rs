//! Items and their events, over both stores.

use contracts::tradewind::sample::v1::CreateItemRequest;
use futures::future::join_all;
use sample::app;
use sample::domain::{Item, NewItem};
use tokio_util::sync::{CancellationToken, DropGuard};
use tradewind_domain::request::RequestKey;
use tradewind_store::{Clock, Store, StoreOptions, StreamName};
use tradewind_testing::{Database, both_stores};

/// The context without servers; on PostgreSQL its sequencer runs, for the tokens.
struct Kept {
    store: Store,
    _sequencing: DropGuard,
}

impl Kept {
    async fn open(database: &Database) -> Self {
        let store = Store::open(StoreOptions {
            url: database.url(),
            context: "sample",
            migrations: sample::store::migrations(),
            clock: Clock::system(),
            partitions: None,
        });
        let (store, stop) = (store.await.expect("the database opens"), CancellationToken::new());
        let (sequenced, stopped) = (store.clone(), stop.clone());
        tokio::spawn(async move { sequenced.sequence(stopped).await });
        Self { store, _sequencing: stop.drop_guard() }
    }

    async fn events(&self, item_id: &str) -> Vec<String> {
        let history = self.store.history(&StreamName::of::<Item>(item_id)).await.unwrap();
        history.into_iter().map(|event| event.type_name.rsplit('.').next().unwrap_or_default().to_owned()).collect()
    }
}

fn item(item_id: &str) -> NewItem {
    NewItem { item_id: item_id.to_owned(), name: "The first".to_owned() }
}

/// The key of a creating request with this id and item.
fn key(request_id: &str, item_id: &str) -> RequestKey {
    let (request_id, item_id, name) = (request_id.to_owned(), item_id.to_owned(), "The first".to_owned());
    let request = CreateItemRequest { request_id: request_id.clone(), item_id, name };
    RequestKey::new("operator", "CreateItem", &request_id, &request, &request).unwrap().unwrap()
}

both_stores! {
    async fn an_item_is_kept_as_it_was_added(database: Database) {
        let kept = Kept::open(&database).await;
        let created = app::create_item(&kept.store, None, &item("one")).await.unwrap();
        let item = created.item.unwrap();

        assert!(created.position.starts_with("sample:"), "{}", created.position);
        assert_eq!((item.item_id.as_str(), item.name.as_str()), ("one", "The first"));
        assert!(item.create_time.is_some());
        assert_eq!(app::get_item(&kept.store, "one").await.unwrap().item, Some(item));
        assert_eq!(kept.events("one").await, ["ItemCreated"]);
        assert_eq!(app::get_item(&kept.store, "two").await.unwrap_err().reason, "ITEM_NOT_FOUND");
    }

    async fn an_id_is_taken_once_however_many_ask(database: Database) {
        let kept = Kept::open(&database).await;
        let asking = (0..8).map(|_| {
            let store = kept.store.clone();
            tokio::spawn(async move { app::create_item(&store, None, &item("one")).await })
        });
        let answers = join_all(asking.collect::<Vec<_>>()).await;
        let refused: Vec<_> = answers.into_iter().filter_map(|answer| answer.unwrap().err()).collect();
        assert_eq!(refused.len(), 7);
        assert!(refused.iter().all(|error| error.reason == "ITEM_EXISTS"), "{refused:?}");
        assert_eq!(kept.events("one").await, ["ItemCreated"]);
    }

    async fn a_repeated_request_adds_once(database: Database) {
        let kept = Kept::open(&database).await;
        let store = &kept.store;
        let first = app::create_item(store, Some(&key("r-1", "one")), &item("one")).await.unwrap();
        let again = app::create_item(store, Some(&key("r-1", "one")), &item("one")).await.unwrap();

        assert_eq!(again.item, first.item);
        assert_eq!(kept.events("one").await, ["ItemCreated"]);
        let other = app::create_item(store, Some(&key("r-1", "two")), &item("two")).await;
        assert_eq!(other.unwrap_err().reason, "REQUEST_ID_REUSED");
    }
}
