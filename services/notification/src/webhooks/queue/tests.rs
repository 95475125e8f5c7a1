#![allow(clippy::unwrap_used, reason = "in a test a panic is the verdict")]
use sea_orm::PaginatorTrait;
use tradewind_store::{Clock, StoreOptions};
use tradewind_testing::{Database, both_stores};

use super::*;
use crate::webhooks::table::{Hidden, endpoint};
use crate::webhooks::{keep, remove};

async fn open(database: &Database) -> Store {
    let (url, context, clock) = (database.url(), "notification", Clock::system());
    let migrations = crate::table::migrations();
    Store::open(StoreOptions { url, context, migrations, clock, partitions: None }).await.unwrap()
}

/// Puts events down for an endpoint: of each its id, what it is about, and its place.
async fn put_down(store: &Store, endpoint_id: &str, events: &[(&str, &str, i64)]) {
    let mut tx = store.begin().await.unwrap();
    for (id, subject, place) in events {
        let time = tx.now();
        let event = Event { type_name: "tradewind.ordering.v1.OrderPlaced", id, subject, time, payload: &[] };
        put(&mut tx, endpoint_id, &event, "{}", *place);
    }
    tx.commit().await.unwrap();
}

async fn came(store: &Store, endpoint_id: &str, event_id: &str, came: Came) {
    let made = Made { event_id: event_id.to_owned(), attempts: 1, status: 200, failure: String::new(), came };
    let tx = store.begin().await.unwrap();
    settle(&tx, endpoint_id, &made).await.unwrap();
    tx.commit().await.unwrap();
}

async fn are_due(store: &Store, limit: usize) -> Vec<String> {
    let mut due: Vec<_> = due(store, "e", limit).await.unwrap().into_iter().map(|due| due.event_id).collect();
    due.sort();
    due
}

async fn count(store: &Store) -> u64 {
    Entity::find().count(store.command_reader()).await.unwrap()
}

both_stores! {
    async fn of_each_thing_the_first_that_waits_is_due(database: Database) {
        let store = open(&database).await;
        put_down(&store, "e", &[("1", "a", 1), ("2", "a", 2), ("3", "b", 3), ("4", "a", 2)]).await;
        put_down(&store, "another", &[("0", "a", 0)]).await;
        assert_eq!(are_due(&store, 9).await, ["1", "3"]);
        assert_eq!(are_due(&store, 1).await.len(), 1);
        came(&store, "e", "1", Came::Delivered).await;
        assert_eq!(are_due(&store, 9).await, ["2", "3"], "of one place, by its id");
        came(&store, "e", "2", Came::Again(store.now() + time::Duration::HOUR)).await;
        assert_eq!(are_due(&store, 9).await, ["3"], "nothing overtakes what is told again");
        came(&store, "e", "2", Came::GivenUp).await;
        assert_eq!(are_due(&store, 9).await, ["3", "4"]);
        // What comes again was put down before, and what is settled stays so.
        put_down(&store, "e", &[("1", "a", 9)]).await;
        came(&store, "e", "1", Came::Again(store.now())).await;
        assert_eq!(are_due(&store, 9).await, ["3", "4"]);

        let tx = store.begin().await.unwrap();
        assert_eq!(replay_failed(&tx, "e", 0).await.unwrap(), 1);
        assert!(replay(&tx, "e", "1").await.unwrap() && !replay(&tx, "e", "7").await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(are_due(&store, 9).await, ["1", "3"], "what is told again comes before what follows it");
    }

    async fn what_is_old_or_nobodys_or_too_much_is_removed(database: Database) {
        let store = open(&database).await;
        let ids: Vec<_> = (0..1200).map(|number| format!("{number:04}")).collect();
        let events: Vec<_> = ids.iter().map(|id| (id.as_str(), "a", 1)).collect();
        put_down(&store, "nobody", &events).await;
        put_down(&store, "e", &[("1", "a", 1), ("2", "a", 2), ("3", "a", 3), ("4", "a", 4)]).await;
        let tx = store.begin().await.unwrap();
        keep::insert(tx.conn(), endpoint("e")).await.unwrap();
        tx.commit().await.unwrap();

        assert!(remove::orphans(&store).await.unwrap(), "some at a time");
        assert_eq!(count(&store).await, 704);
        while remove::orphans(&store).await.unwrap() {}
        assert_eq!(count(&store).await, 4);
        for event in ["1", "2"] {
            came(&store, "e", event, Came::Delivered).await;
        }
        while remove::beyond(&store, "e", 3).await.unwrap() {}
        assert_eq!(count(&store).await, 3, "the first, which is settled");
        while remove::beyond(&store, "e", 1).await.unwrap() {}
        assert_eq!(count(&store).await, 2, "what waits is left");
        let [backlog] = backlogs(&store).await.unwrap().try_into().unwrap_or_else(|_| unreachable!("one endpoint"));
        assert!(backlog.endpoint_id == "e" && backlog.waiting == 2 && backlog.oldest.is_some());
        assert!(!remove::old(&store, store.now() - time::Duration::HOUR).await.unwrap());
        assert_eq!(count(&store).await, 2);
        while remove::old(&store, store.now() + time::Duration::HOUR).await.unwrap() {}
        assert_eq!(count(&store).await, 0);
    }
}

fn endpoint(id: &str) -> endpoint::Model {
    endpoint::Model {
        endpoint_id: id.to_owned(),
        url: Hidden("https://a.example/".to_owned()),
        event_types: String::new(),
        description: String::new(),
        secret: Hidden(String::new()),
        previous_secret: None,
        previous_until: None,
        enabled: true,
        disabled_reason: String::new(),
        created: 0,
        updated: 0,
        failing_since: None,
    }
}
