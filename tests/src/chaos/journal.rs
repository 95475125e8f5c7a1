//! The journals: every reader handled every event that it declares exactly once, in the order of its owner's log.

use std::collections::{BTreeMap, BTreeSet};

use contracts::reactions::REACTIONS;
use sea_orm::{ConnectionTrait, DatabaseConnection, QueryResult, Statement};
use supervisor::services;
use tradewind_testing::eventually;

use super::PATIENCE;
use crate::shop::Shop;

/// An event's place: partition and position in its owner's log.
type Place = (i64, i64);

/// One context's log and what its readers wrote down.
#[derive(Debug, Default)]
struct Book {
    /// Of each event in the log its type, stream and version.
    log: BTreeMap<Place, (String, String, i64)>,
    /// What each consumer handled, in the order in which it did: the event's type and place.
    handled: BTreeMap<String, Vec<(String, Place)>>,
    parked: i64,
}

/// Waits until every reader has handled everything, and fails at once where one handled something twice or out of order.
/// Returns how many events there are.
pub(super) async fn prove(shop: &Shop) -> u64 {
    let mut databases = Vec::new();
    for name in services::names() {
        databases
            .push((name, tradewind_sql::connect(&shop.database_url(name)).await.expect("the database of a service")));
    }
    eventually(PATIENCE, "every reader has handled every event", async || {
        let mut books = BTreeMap::new();
        for (name, database) in &databases {
            books.insert((*name).to_owned(), Book::read(database).await.map_err(|error| error.to_string())?);
        }
        check(&books, &declared()).map(|()| books.values().map(|book| book.log.len() as u64).sum())
    })
    .await
}

/// Of each service, the types of events that the contract has it react to.
fn declared() -> BTreeMap<String, BTreeSet<String>> {
    let types = |service: &str| {
        let declared = REACTIONS.iter().filter(|reaction| reaction.context == service);
        declared.map(|reaction| reaction.event.to_owned()).collect()
    };
    services::names().into_iter().map(|service| (service.to_owned(), types(service))).collect()
}

impl Book {
    async fn read(database: &DatabaseConnection) -> Result<Self, sea_orm::DbErr> {
        let log = "SELECT log.partition, log.position, log.stream, log.version, event.type FROM log \
             JOIN event ON event.stream = log.stream AND event.version = log.version";
        let mut book = Self::default();
        for row in rows(database, log).await? {
            let event = (row.try_get("", "type")?, row.try_get("", "stream")?, row.try_get("", "version")?);
            book.log.insert(place(&row)?, event);
        }
        for row in rows(database, "SELECT consumer, type, partition, position FROM journal ORDER BY number").await? {
            let handled = book.handled.entry(row.try_get("", "consumer")?).or_default();
            handled.push((row.try_get("", "type")?, place(&row)?));
        }
        for row in rows(database, "SELECT COUNT(*) AS parked FROM parked").await? {
            book.parked = row.try_get("", "parked")?;
        }
        Ok(book)
    }

    /// Positions follow one another without a hole, and so do the versions of each stream.
    fn check_log(&self, context: &str) {
        let (mut heads, mut versions) = (BTreeMap::<i64, i64>::new(), BTreeMap::<&str, i64>::new());
        for ((partition, position), (_, stream, version)) in &self.log {
            let head = heads.entry(*partition).or_default();
            assert_eq!(*position, *head + 1, "the log of {context} has a hole in partition {partition}");
            *head = *position;
            let last = versions.entry(stream).or_default();
            assert_eq!(*version, *last + 1, "{stream} of {context} is out of order");
            *last = *version;
        }
    }
}

/// Fails for what can never become right; returns what may still come.
fn check(books: &BTreeMap<String, Book>, declared: &BTreeMap<String, BTreeSet<String>>) -> Result<(), String> {
    for (service, book) in books {
        assert_eq!(book.parked, 0, "{service} has events in quarantine");
        book.check_log(service);
        for (consumer, handled) in &book.handled {
            check_order(consumer, handled);
        }
        for (consumer, handled) in &book.handled {
            // A projection of its own events declares them to nobody: whatever it handled once it must handle always.
            let types = handled.iter().map(|(event, _)| event.as_str()).collect();
            check_whole(consumer, handled, &types, books)?;
        }
        // Which of its consumers does that is the service's own business.
        let all: Vec<_> = book.handled.values().flatten().cloned().collect();
        check_whole(service, &all, &declared[service].iter().map(String::as_str).collect(), books)?;
    }
    Ok(())
}

/// In each partition of each source positions only grow.
fn check_order(consumer: &str, handled: &[(String, Place)]) {
    let mut reached = BTreeMap::new();
    for (event, (partition, position)) in handled {
        let before = reached.insert((context_of(event), partition), position);
        assert!(
            before.is_none_or(|before| before < position),
            "{consumer} handled {event} at {position} of partition {partition} after {before:?}: twice, or out of order"
        );
    }
}

fn check_whole(
    consumer: &str,
    handled: &[(String, Place)],
    types: &BTreeSet<&str>,
    books: &BTreeMap<String, Book>,
) -> Result<(), String> {
    let seen: BTreeSet<(&str, Place)> = handled.iter().map(|(event, place)| (event.as_str(), *place)).collect();
    for (event, places) in types.iter().map(|event| (*event, places_of(event, books))) {
        for place in places {
            if !seen.contains(&(event, place)) {
                return Err(format!("{consumer} has not handled {event} at {place:?}"));
            }
        }
    }
    Ok(())
}

fn places_of<'a>(event: &'a str, books: &'a BTreeMap<String, Book>) -> impl Iterator<Item = Place> + 'a {
    let log = &books[context_of(event)].log;
    log.iter().filter(move |(_, (of, ..))| of == event).map(|(place, _)| *place)
}

/// The second segment of `tradewind.<context>.v1.<Event>`.
fn context_of(event: &str) -> &str {
    event.split('.').nth(1).unwrap_or_default()
}

fn place(row: &QueryResult) -> Result<Place, sea_orm::DbErr> {
    Ok((row.try_get("", "partition")?, row.try_get("", "position")?))
}

async fn rows(database: &DatabaseConnection, query: &str) -> Result<Vec<QueryResult>, sea_orm::DbErr> {
    database.query_all_raw(Statement::from_string(database.get_database_backend(), query)).await
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = "tradewind.ordering.v1.OrderPlaced";

    /// Ordering has three events, each of which inventory has handled.
    fn right() -> (BTreeMap<String, Book>, BTreeMap<String, BTreeSet<String>>) {
        let entry = |version| (EVENT.to_owned(), "order-1".to_owned(), version);
        let log = (1..=3).map(|position| ((0, position), entry(position))).collect();
        let handled = (1..=3).map(|position| (EVENT.to_owned(), (0, position))).collect();
        let reader = Book { handled: [("inventory".to_owned(), handled)].into(), ..Book::default() };
        let books = [("ordering".to_owned(), Book { log, ..Book::default() }), ("inventory".to_owned(), reader)];
        let declared = [("ordering".to_owned(), BTreeSet::new()), ("inventory".to_owned(), [EVENT.to_owned()].into())];
        (books.into(), declared.into())
    }

    /// What the check says of journals that were changed like this; a failure for good is its text.
    fn verdict(distort: fn(&mut Book, &mut Vec<(String, Place)>)) -> Result<(), String> {
        let (mut books, declared) = right();
        let mut log = books.remove("ordering").unwrap();
        distort(&mut log, books.get_mut("inventory").unwrap().handled.get_mut("inventory").unwrap());
        books.insert("ordering".to_owned(), log);
        std::panic::catch_unwind(|| check(&books, &declared))
            .unwrap_or_else(|panic| Err(panic.downcast_ref::<String>().cloned().unwrap_or_default()))
    }

    #[test]
    fn journals_that_are_whole_are_found_right() {
        assert_eq!(verdict(|_, _| ()), Ok(()));
    }

    #[test]
    fn each_way_in_which_a_journal_may_be_wrong_is_found() {
        type Distortion = fn(&mut Book, &mut Vec<(String, Place)>);
        let wrongs: [(&str, Distortion); 6] = [
            ("twice, or out of order", |_, handled| handled.push(handled[2].clone())),
            ("twice, or out of order", |_, handled| handled.swap(0, 1)),
            ("has not handled", |_, handled| drop(handled.pop())),
            ("has a hole", |ordering, _| drop(ordering.log.remove(&(0, 2)))),
            ("is out of order", |ordering, _| ordering.log.get_mut(&(0, 2)).unwrap().2 = 3),
            ("in quarantine", |ordering, _| ordering.parked = 1),
        ];
        for (what, distort) in wrongs {
            let said = verdict(distort).unwrap_err();
            assert!(said.contains(what), "{what} was not found: {said}");
        }
    }
}
