#![allow(clippy::unwrap_used, reason = "in a test a panic is the verdict")]
use sea_orm::PaginatorTrait;
use tradewind_store::{Clock, StoreOptions};
use tradewind_testing::{Database, both_stores};

use super::*;
use crate::webhooks::endpoints::Endpoints;
use crate::webhooks::table::{Hidden, endpoint};
use crate::webhooks::{keep, remove};

async fn open(database: &Database) -> Store {
    let (url, context, clock) = (database.url(), "notification", Clock::system());
    let migrations = crate::table::migrations();
    Store::open(StoreOptions { url, context, migrations, clock, partitions: None }).await.unwrap()
}

/// An event that is told of.
struct Said<'a> {
    id: &'a str,
    subject: &'a str,
    type_name: &'a str,
    position: u64,
    place: i64,
}

/// One of ordering's, which is read in the order of its log.
const fn said<'a>(id: &'a str, subject: &'a str, position: u64) -> Said<'a> {
    Said { id, subject, type_name: "tradewind.ordering.v1.OrderPlaced", position, place: 1 }
}

/// Puts events down for endpoints.
async fn put_down(store: &Store, endpoints: &[&str], events: &[Said<'_>]) {
    let mut tx = store.begin().await.unwrap();
    for Said { id, subject, type_name, position, place } in events {
        let (time, position) = (tx.now(), *position);
        let event = Event { type_name, id, subject, position, time, traceparent: "", payload: &[] };
        put(&mut tx, endpoints.iter().copied(), &event, format!("{{\"id\":\"{id}\"}}"), *place);
    }
    tx.commit().await.unwrap();
}

/// Writes down what came of a request after so many; whether it was.
async fn came(store: &Store, endpoint_id: &str, event_id: &str, before: i64, came: Came) -> bool {
    let (event_id, event_type, failure) = (event_id.to_owned(), String::new(), String::new());
    let made = Made { event_id, event_type, attempts: before + 1, status: 200, failure, came };
    let tx = store.begin().await.unwrap();
    let written = settle(&tx, endpoint_id, &made).await.unwrap();
    tx.commit().await.unwrap();
    written
}

async fn are_due(store: &Store, limit: usize, but: &[&str]) -> Vec<String> {
    let but = but.iter().map(|id| (*id).to_owned()).collect();
    let due = due(store, "e", limit, &but).await.unwrap();
    assert!(due.iter().all(|due| due.body.contains(&due.event_id)));
    let mut due: Vec<_> = due.into_iter().map(|due| due.event_id).collect();
    due.sort();
    due
}

async fn count(store: &Store) -> u64 {
    Entity::find().count(store.command_reader()).await.unwrap()
}

async fn bodies(store: &Store) -> u64 {
    event::Entity::find().count(store.command_reader()).await.unwrap()
}

async fn register(store: &Store, id: &str, failing_since: Option<i64>) {
    let tx = store.begin().await.unwrap();
    keep::insert(tx.conn(), endpoint::Model { failing_since, ..endpoint(id) }).await.unwrap();
    tx.commit().await.unwrap();
}

both_stores! {
    async fn of_each_thing_the_first_that_waits_is_due(database: Database) {
        let store = open(&database).await;
        put_down(&store, &["e"], &[said("1", "a", 1), said("2", "a", 2), said("3", "b", 3), said("4", "a", 4)]).await;
        put_down(&store, &["another"], &[said("0", "a", 0)]).await;
        assert_eq!(are_due(&store, 9, &[]).await, ["1", "3"]);
        assert_eq!(are_due(&store, 9, &["3"]).await, ["1"], "what is under way is not begun again");
        assert_eq!(are_due(&store, 1, &[]).await.len(), 1);
        assert!(came(&store, "e", "1", 0, Came::Delivered).await);
        assert_eq!(are_due(&store, 9, &[]).await, ["2", "3"]);
        assert!(came(&store, "e", "2", 0, Came::Again(store.now() + time::Duration::HOUR)).await);
        assert_eq!(are_due(&store, 9, &[]).await, ["3"], "nothing overtakes what is told again");
        assert!(came(&store, "e", "2", 1, Came::GivenUp).await);
        assert_eq!(are_due(&store, 9, &[]).await, ["3", "4"]);
        // What comes again was put down before, and what is settled stays so.
        put_down(&store, &["e"], &[said("1", "a", 1)]).await;
        assert!(!came(&store, "e", "1", 0, Came::Again(store.now())).await);
        assert_eq!(are_due(&store, 9, &[]).await, ["3", "4"]);

        let tx = store.begin().await.unwrap();
        assert_eq!(replay_failed(&tx, "e", 0, 9).await.unwrap(), 1);
        assert!(replay(&tx, "e", "1").await.unwrap() && !replay(&tx, "e", "7").await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(are_due(&store, 9, &[]).await, ["1", "3"], "what is told again comes before what follows it");
    }

    async fn a_context_is_told_in_the_order_of_its_log_whatever_the_clocks_say(database: Database) {
        let store = open(&database).await;
        // Who has read the second has a clock that is behind; and what payment says of it was read in between.
        let captured = Said { type_name: "tradewind.payment.v1.PaymentCaptured", place: 7, ..said("p", "a", 1) };
        put_down(&store, &["e"], &[Said { place: 10, ..said("1", "a", 8) }]).await;
        put_down(&store, &["e"], &[captured, Said { place: 5, ..said("2", "a", 9) }]).await;
        assert_eq!(are_due(&store, 9, &[]).await, ["1", "p"]);
        assert!(came(&store, "e", "1", 0, Came::Delivered).await);
        assert_eq!(are_due(&store, 9, &[]).await, ["2", "p"]);
    }

    async fn who_has_not_looked_yet_looks_before_an_event_passes(database: Database) {
        let (store, endpoints) = (open(&database).await, Endpoints::default());
        let tx = store.begin().await.unwrap();
        let wants = endpoint::Model { event_types: "x y".to_owned(), ..endpoint("e") };
        keep::insert(tx.conn(), wants).await.unwrap();
        tx.commit().await.unwrap();
        let tx = store.begin().await.unwrap();
        assert_eq!(endpoints.wanting(&tx.reading(), "x").await.unwrap().len(), 1);
        assert!(endpoints.wanting(&tx.reading(), "z").await.unwrap().is_empty());
    }

    async fn what_waits_is_due_at_once_where_somebody_wants_it(database: Database) {
        let store = open(&database).await;
        put_down(&store, &["e"], &[said("1", "a", 1)]).await;
        let later = || Came::Again(store.now() + time::Duration::HOUR);
        assert!(came(&store, "e", "1", 0, later()).await && came(&store, "e", "1", 1, later()).await);
        assert_eq!(are_due(&store, 9, &[]).await, [""; 0]);
        let tx = store.begin().await.unwrap();
        hurry(&tx, "e").await.unwrap();
        tx.commit().await.unwrap();
        let [again] = due(&store, "e", 9, &BTreeSet::new()).await.unwrap().try_into().ok().unwrap();
        assert_eq!(again.attempts, 0);
        assert!(!came(&store, "e", "1", 2, later()).await, "what was under way meanwhile does not put it off");
        assert_eq!(are_due(&store, 9, &[]).await, ["1"]);
    }

    async fn what_was_given_up_is_told_again_some_at_a_time(database: Database) {
        let store = open(&database).await;
        put_down(&store, &["e"], &[said("1", "a", 1), said("2", "b", 2), said("3", "c", 3)]).await;
        for event in ["1", "2", "3"] {
            assert!(came(&store, "e", event, 0, Came::GivenUp).await);
        }
        for (replayed, are) in [(2, vec!["1", "2"]), (1, vec!["1", "2", "3"]), (0, vec!["1", "2", "3"])] {
            let tx = store.begin().await.unwrap();
            assert_eq!(replay_failed(&tx, "e", 0, 2).await.unwrap(), replayed);
            tx.commit().await.unwrap();
            assert_eq!(are_due(&store, 9, &[]).await, are);
        }
    }

    async fn a_body_is_kept_once_and_as_long_as_somebody_is_told_of_it(database: Database) {
        let store = open(&database).await;
        put_down(&store, &["e", "f", "g"], &[said("1", "a", 1), said("2", "a", 2)]).await;
        assert_eq!((count(&store).await, bodies(&store).await), (6, 2));
        while remove::all(&store, "f").await.unwrap() {}
        assert_eq!((count(&store).await, bodies(&store).await), (4, 2));
        assert!(came(&store, "e", "1", 0, Came::Delivered).await);
        let soon = store.now() + time::Duration::HOUR;
        while remove::old(&store, "e", soon).await.unwrap() {}
        while remove::all(&store, "g").await.unwrap() {}
        assert_eq!((count(&store).await, bodies(&store).await), (1, 1));
        assert_eq!(are_due(&store, 9, &[]).await, ["2"]);
    }

    async fn what_is_old_or_nobodys_or_too_much_is_removed(database: Database) {
        let store = open(&database).await;
        let ids: Vec<_> = (0..1200).map(|number| format!("{number:04}")).collect();
        let events: Vec<_> = ids.iter().map(|id| said(id, "a", 1)).collect();
        put_down(&store, &["nobody"], &events).await;
        let places = [("1", 1), ("2", 2), ("3", 3), ("4", 4)];
        let events: Vec<_> = places.iter().map(|(id, place)| Said { place: *place, ..said(id, "a", 1) }).collect();
        put_down(&store, &["e"], &events).await;
        register(&store, "e", None).await;

        let mut of_whom = Vec::new();
        while let Some(next) = remove::next(&store, of_whom.last().map_or("", String::as_str)).await.unwrap() {
            of_whom.push(next);
        }
        assert_eq!(of_whom, ["e", "nobody"]);
        let reader = store.command_reader();
        assert!(keep::is_there(reader, "e").await.unwrap() && !keep::is_there(reader, "nobody").await.unwrap());
        assert!(remove::all(&store, "nobody").await.unwrap(), "some at a time");
        assert_eq!(count(&store).await, 704);
        while remove::all(&store, "nobody").await.unwrap() {}
        assert_eq!((count(&store).await, bodies(&store).await), (4, 4));
        for event in ["1", "2"] {
            assert!(came(&store, "e", event, 0, Came::Delivered).await);
        }
        while remove::beyond(&store, "e", 3).await.unwrap() {}
        assert_eq!(count(&store).await, 3, "the first, which is settled");
        while remove::beyond(&store, "e", 1).await.unwrap() {}
        assert_eq!(count(&store).await, 2, "what waits is left");
        assert_eq!((waiting(reader, "e", 9).await.unwrap(), waiting(reader, "e", 1).await.unwrap()), (2, 1));
        assert!(oldest(reader, "e").await.unwrap().is_some() && oldest(reader, "f").await.unwrap().is_none());
    }

    async fn what_waits_for_too_long_is_given_up_before_it_goes(database: Database) {
        let store = open(&database).await;
        register(&store, "e", Some(1)).await;
        put_down(&store, &["e"], &[said("1", "a", 1), said("2", "a", 2)]).await;
        let (reader, hour) = (store.command_reader(), time::Duration::HOUR);
        while remove::old(&store, "e", store.now() + hour).await.unwrap() {}
        assert_eq!(remove::expire(&store, "e", store.now() - hour).await.unwrap(), 0);
        assert_eq!(count(&store).await, 2, "what waits does not go");
        assert_eq!(remove::expire(&store, "e", store.now() + hour).await.unwrap(), 2);
        let given_up = page(reader, "e", Some(FAILED), None, 9).await.unwrap();
        assert!(given_up.len() == 2 && given_up.iter().all(|row| row.failure == "EXPIRED"));
        assert_eq!(keep::find(reader, "e").await.unwrap().failing_since, None, "nothing is left to fail at");
        while remove::old(&store, "e", store.now() + hour).await.unwrap() {}
        assert_eq!((count(&store).await, bodies(&store).await), (0, 0));
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
