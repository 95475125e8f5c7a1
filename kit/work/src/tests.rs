//! What workers rely on, over both databases.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]

use std::sync::Arc;
use std::time::Duration;

use tradewind_testing::{Database, Stopped, at};

use super::queue::{self, Intent};
use super::{NewIntent, attempts, open, owed};

fn charge(key: &str, action: &str) -> NewIntent {
    let (key, subject) = (key.to_owned(), key.to_owned());
    NewIntent { kind: "charge", key, action: action.to_owned(), payload: vec![1, 2, 3], subject }
}

async fn intend(bank: &Stopped, key: &str, action: &str) {
    let mut tx = bank.store.begin().await.unwrap();
    owed::intend(&mut tx, charge(key, action));
    tx.commit().await.unwrap();
}

async fn claim(bank: &Stopped, holder: &str, limit: usize) -> Vec<Intent> {
    let until = bank.store.now() + Duration::from_secs(30);
    queue::claim_intents(&bank.store, "charge", holder, limit, until).await.unwrap().intents
}

async fn settle(bank: &Stopped, intent: &Intent) -> bool {
    let tx = bank.store.begin().await.unwrap();
    let ours = owed::delete_intent(&tx, "charge", intent).await.unwrap();
    tx.commit().await.unwrap();
    ours
}

tradewind_testing::both_stores! {
    async fn an_intent_is_one_workers_until_its_claim_lapses(database: Database) {
        let bank = Stopped::open(&database).await;
        intend(&bank, "o1", "charge").await;
        let claimed = claim(&bank, "one", 10).await;
        assert_eq!(claimed.len(), 1);
        assert_eq!((claimed[0].key.as_str(), claimed[0].action.as_str(), claimed[0].attempt), ("o1", "charge", 0));
        assert_eq!(claimed[0].payload, [1, 2, 3]);
        assert_eq!(claimed[0].cause.correlation, "o1");
        assert!(claim(&bank, "two", 10).await.is_empty());
        bank.pass(29);
        assert!(claim(&bank, "two", 10).await.is_empty());
        bank.pass(1);
        assert_eq!(claim(&bank, "two", 10).await, claimed);
        assert!(settle(&bank, &claimed[0]).await);
        assert!(!settle(&bank, &claimed[0]).await, "settled once");
        assert_eq!(queue::open_intents(&bank.store, "charge").await.unwrap(), 0);
    }

    async fn an_intent_about_somebody_who_is_erased_is_known_for_that(database: Database) {
        let bank = Stopped::open(&database).await;
        intend(&bank, "o1", "charge").await;
        intend(&bank, "o2", "charge").await;
        let mut tx = bank.store.begin().await.unwrap();
        tx.erase("o1").await.unwrap();
        tx.commit().await.unwrap();
        let until = bank.store.now() + Duration::from_secs(30);
        let found = queue::claim_intents(&bank.store, "charge", "one", 10, until).await.unwrap();
        let keys = |intents: &[Intent]| intents.iter().map(|intent| intent.key.clone()).collect::<Vec<_>>();
        assert_eq!((keys(&found.intents), keys(&found.erased)), (vec!["o2".to_owned()], vec!["o1".to_owned()]));
        assert!(found.erased[0].payload.is_empty());
    }

    async fn what_comes_of_a_replaced_intent_is_dropped(database: Database) {
        let bank = Stopped::open(&database).await;
        intend(&bank, "o1", "charge").await;
        let charging = claim(&bank, "one", 1).await.remove(0);
        intend(&bank, "o1", "void").await;
        assert!(!settle(&bank, &charging).await);
        let later = bank.store.now();
        assert!(!attempts::release_intent(&bank.store, "charge", &charging, later, "timeout").await.unwrap());
        let voiding = claim(&bank, "one", 1).await.remove(0);
        assert_eq!((voiding.action.as_str(), voiding.attempt), ("void", 0));
        assert!(settle(&bank, &voiding).await);
        // Even when it was gone in between.
        intend(&bank, "o1", "charge").await;
        assert!(!settle(&bank, &charging).await && !settle(&bank, &voiding).await);
    }

    async fn a_failed_attempt_is_due_later(database: Database) {
        let bank = Stopped::open(&database).await;
        intend(&bank, "o1", "charge").await;
        let claimed = claim(&bank, "one", 1).await.remove(0);
        let due = bank.store.now() + Duration::from_secs(5);
        assert!(attempts::release_intent(&bank.store, "charge", &claimed, due, "timeout").await.unwrap());
        assert!(claim(&bank, "one", 1).await.is_empty());
        bank.pass(5);
        assert_eq!(claim(&bank, "one", 1).await[0].attempt, 1);
    }

    async fn failed_attempts_are_told_of_after_the_call_is_settled_until_they_are_old(database: Database) {
        let bank = Stopped::open(&database).await;
        intend(&bank, "o1", "charge").await;
        for (number, error) in ["no route", "timeout"].into_iter().enumerate() {
            let claimed = claim(&bank, "one", 1).await.remove(0);
            let due = bank.store.now() + Duration::from_secs(5);
            assert!(attempts::release_intent(&bank.store, "charge", &claimed, due, error).await.unwrap());
            let owed = open(&bank.store, "o1").await.unwrap().intents.remove(0);
            assert_eq!((owed.action.as_str(), owed.attempt as usize, owed.due), ("charge", number + 1, due));
            assert_eq!((owed.last_error.as_deref(), owed.claim), (Some(error), None));
            bank.pass(5);
        }
        let claimed = claim(&bank, "one", 1).await.remove(0);
        assert_eq!(open(&bank.store, "o1").await.unwrap().intents[0].claim.as_ref().unwrap().0, "one");
        assert!(settle(&bank, &claimed).await);
        let open = async |key: &str| open(&bank.store, key).await.unwrap();
        let told = open("o1").await;
        let failed: Vec<_> = told.attempts.iter().map(|one| (one.attempt, one.time, one.error.as_str())).collect();
        assert_eq!(failed, [(1, at(1_000), "no route"), (2, at(1_005), "timeout")]);
        assert_eq!(told.intents, []);
        assert_eq!(open("o2").await, crate::Open::default());
        assert_eq!(attempts::forget(&bank.store, Duration::from_secs(5)).await.unwrap(), 1);
        assert_eq!(open("o1").await.attempts, told.attempts[1..]);
    }

    async fn an_attempt_at_a_replaced_intent_leaves_nothing_and_many_take_each_others_place(database: Database) {
        let bank = Stopped::open(&database).await;
        intend(&bank, "o1", "charge").await;
        let charging = claim(&bank, "one", 1).await.remove(0);
        intend(&bank, "o1", "void").await;
        let now = bank.store.now();
        assert!(!attempts::release_intent(&bank.store, "charge", &charging, now, "timeout").await.unwrap());
        assert_eq!(open(&bank.store, "o1").await.unwrap().attempts, []);
        let mut voiding = claim(&bank, "one", 1).await.remove(0);
        for attempt in 0..130 {
            voiding.attempt = attempt;
            assert!(attempts::release_intent(&bank.store, "charge", &voiding, now, "timeout").await.unwrap());
        }
        let kept: Vec<u32> = open(&bank.store, "o1").await.unwrap().attempts.iter().map(|one| one.attempt).collect();
        assert_eq!(kept, Vec::from_iter(31..=130));
    }

    async fn a_deadline_is_told_of_by_its_key(database: Database) {
        let bank = Stopped::open(&database).await;
        let mut tx = bank.store.begin().await.unwrap();
        owed::schedule(&mut tx, "deadline", "o1", at(1_010), Vec::new());
        tx.commit().await.unwrap();
        let timer = open(&bank.store, "o1").await.unwrap().timers.remove(0);
        assert_eq!((timer.name.as_str(), timer.key.as_str(), timer.due), ("deadline", "o1", at(1_010)));
    }

    async fn an_intent_can_be_withdrawn_written_or_not(database: Database) {
        let bank = Stopped::open(&database).await;
        intend(&bank, "o1", "charge").await;
        let mut tx = bank.store.begin().await.unwrap();
        owed::intend(&mut tx, charge("o2", "charge"));
        assert!(owed::withdraw(&mut tx, "charge", "o1").await.unwrap());
        assert!(owed::withdraw(&mut tx, "charge", "o2").await.unwrap());
        assert!(!owed::withdraw(&mut tx, "charge", "o3").await.unwrap());
        tx.commit().await.unwrap();
        assert!(claim(&bank, "one", 10).await.is_empty());
    }

    async fn workers_at_the_same_time_share_the_intents(database: Database) {
        let bank = Arc::new(Stopped::open(&database).await);
        let mut tx = bank.store.begin().await.unwrap();
        for index in 0..100 {
            owed::intend(&mut tx, charge(&format!("o{index}"), "charge"));
        }
        tx.commit().await.unwrap();
        let workers = (0..8).map(|worker| {
            let bank = Arc::clone(&bank);
            tokio::spawn(async move {
                let mut keys = Vec::new();
                loop {
                    let claimed = claim(&bank, &worker.to_string(), 7).await;
                    if claimed.is_empty() {
                        return keys;
                    }
                    keys.extend(claimed.into_iter().map(|intent| intent.key));
                }
            })
        });
        let mut keys: Vec<String> =
            futures::future::join_all(workers).await.into_iter().flat_map(Result::unwrap).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), 100);
    }

    async fn a_timer_fires_once_at_the_time_it_was_last_set_to(database: Database) {
        let bank = Stopped::open(&database).await;
        let schedule = async |key: &str, due: i64| {
            let mut tx = bank.store.begin().await.unwrap();
            owed::schedule(&mut tx, "deadline", key, at(due), vec![7]);
            tx.commit().await.unwrap();
        };
        let fire = async |key: &str, due: i64| {
            let tx = bank.store.begin().await.unwrap();
            let ours = owed::delete_timer(&tx, "deadline", key, at(due)).await.unwrap();
            tx.commit().await.unwrap();
            ours
        };
        let mut changed = bank.store.subscribe(&owed::timers("deadline"));
        schedule("o1", 1_010).await;
        assert!(changed.has_changed().unwrap());
        changed.mark_unchanged();
        schedule("o2", 1_005).await;
        assert_eq!(queue::next_timer(&bank.store, "deadline").await.unwrap(), Some(at(1_005)));
        assert!(queue::due_timers(&bank.store, "deadline", 10).await.unwrap().is_empty());
        bank.pass(10);
        let due = queue::due_timers(&bank.store, "deadline", 10).await.unwrap();
        assert_eq!(due.iter().map(|timer| timer.key.as_str()).collect::<Vec<_>>(), ["o2", "o1"]);
        assert_eq!((due[0].due, due[0].payload.as_slice()), (at(1_005), [7].as_slice()));
        schedule("o2", 1_020).await;
        assert!(!fire("o2", 1_005).await, "it was set to another time");
        assert!(fire("o1", 1_010).await);
        assert!(!fire("o1", 1_010).await, "it has fired");
        let mut tx = bank.store.begin().await.unwrap();
        owed::cancel_timer(&mut tx, "deadline", "o2");
        owed::cancel_timer(&mut tx, "deadline", "unknown");
        tx.commit().await.unwrap();
        assert_eq!(queue::next_timer(&bank.store, "deadline").await.unwrap(), None);
    }
}
