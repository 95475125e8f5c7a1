//! The log: every committed event has one place in it, without holes, and no reader ever misses one.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use tradewind_domain::ErrorKind;
use tradewind_store::{Recorded, Store, StreamName};
use tradewind_testing::{
    Database,
    account::{Account, AccountEvent, Bank, Command, Deposited},
    eventually,
};

use crate::appending::Large;

const PATIENCE: Duration = Duration::from_secs(20);

/// Reads all partitions to their ends, as a reader would, in small pages.
async fn read_all(store: &Store) -> Vec<Recorded> {
    let mut all = Vec::new();
    for partition in 0..store.partitions() {
        let mut after = 0;
        loop {
            let page = store.read_log(partition, after, 10).await.unwrap();
            let Some(last) = page.events.last() else { break };
            let expected: Vec<u64> = (after + 1..=last.position).collect();
            assert_eq!(page.events.iter().map(|event| event.position).collect::<Vec<_>>(), expected);
            assert!(page.head >= last.position);
            after = last.position;
            all.extend(page.events);
        }
    }
    all
}

tradewind_testing::both_stores! {
    async fn thirty_two_writers_fill_it_without_holes_and_in_each_streams_order(database: Database) {
        let bank = Arc::new(Bank::open(&database).await);
        let writers = (0..32).map(|writer| {
            let bank = Arc::clone(&bank);
            tokio::spawn(async move {
                for round in 0..8_u64 {
                    let id = format!("{}", (writer + round) % 20);
                    bank.execute(&id, if round % 3 == 0 { Command::DepositTwice(1) } else { Command::Deposit(1) }).await.unwrap();
                    if round % 4 == 1 {
                        // Given up half way: must leave no hole.
                        let mut tx = bank.store.begin().await.unwrap();
                        tx.execute::<Account>(&id, Command::Deposit(7)).await.unwrap();
                    }
                }
            })
        });
        for writer in join_all(writers).await {
            writer.unwrap();
        }
        let expected = 32 * (8 + 3);
        let all = eventually(PATIENCE, "the log has every event", async || {
            let all = read_all(&bank.store).await;
            if all.len() == expected { Ok(all) } else { Err(format!("{} of {expected}", all.len())) }
        }).await;
        let mut versions: HashMap<&StreamName, u64> = HashMap::new();
        for event in &all {
            let version = versions.entry(&event.stream).or_default();
            *version += 1;
            assert_eq!(event.version, *version, "{}", event.stream);
        }
        let heads = bank.store.heads().await.unwrap();
        assert_eq!(heads.positions.iter().sum::<u64>(), expected as u64);
        assert_eq!(heads.incarnation, bank.store.incarnation());
    }

    async fn a_token_is_reached_by_who_has_read_so_far(database: Database) {
        let bank = Bank::open(&database).await;
        let token = bank.store.token(&bank.execute("a", Command::Deposit(1)).await.unwrap()).await.unwrap();
        assert!(token.starts_with("bank:"), "{token}");
        let short = Duration::from_millis(50);
        let wait = async |after: &[&str]| {
            let after: Vec<String> = after.iter().map(|token| (*token).to_owned()).collect();
            bank.store.wait_for("reader", &after, short).await.map_err(|error| (error.kind, error.reason))
        };
        bank.store.will_read("reader", "bank");
        assert_eq!(wait(&[&token]).await, Err((ErrorKind::Unavailable, "POSITION_NOT_REACHED")));
        assert_eq!(wait(&["nonsense"]).await, Err((ErrorKind::Invalid, "POSITION_TOKEN_MALFORMED")));
        assert_eq!(wait(&vec![token.as_str(); 17]).await, Err((ErrorKind::Invalid, "TOO_MANY_POSITION_TOKENS")));
        assert_eq!((wait(&[""]).await, wait(&[]).await), (Ok(()), Ok(())));
    }

    async fn a_token_of_no_log_that_is_read_is_refused_at_once(database: Database) {
        let bank = Bank::open(&database).await;
        let token = bank.store.token(&bank.execute("a", Command::Deposit(1)).await.unwrap()).await.unwrap();
        bank.store.will_read("reader", "shop");
        let [_, log, partition, position] = *token.split(':').collect::<Vec<_>>() else { panic!("{token}") };
        let other = if log.starts_with('0') { "1" } else { "0" }.to_owned() + &log[1..];
        let head: u64 = position.parse().unwrap();
        let foreign = [
            format!("cellar:{log}:{partition}:{position}"),
            format!("bank:{other}:{partition}:{position}"),
            format!("bank:{log}:{}:{position}", bank.store.partitions()),
            format!("bank:{log}:{partition}:{}", head + 1),
            format!("shop:{log}:16:1"),
        ];
        for token in foreign {
            let error = bank.store.wait_for("reader", &[String::new(), token.clone()], PATIENCE).await.unwrap_err();
            assert_eq!((error.kind, error.reason), (ErrorKind::Invalid, "POSITION_TOKEN_FOREIGN"), "{token}");
            assert_eq!(error.violations[0].field, "after[1]");
        }
        // Nobody has told yet which log the shop has; what is in the own log the reader of the shop's does not wait for.
        let waited = bank.store.wait_for("reader", &[format!("shop:{log}:0:1"), token], Duration::from_millis(50)).await;
        assert_eq!(waited.unwrap_err().reason, "POSITION_NOT_REACHED");
    }

    async fn a_token_of_a_build_before_names_the_log_that_is_there(database: Database) {
        let bank = Bank::open(&database).await;
        let token = bank.store.token(&bank.execute("a", Command::Deposit(1)).await.unwrap()).await.unwrap();
        bank.store.will_read("reader", "bank");
        bank.store.will_read("reader", "shop");
        let [context, _, partition, position] = *token.split(':').collect::<Vec<_>>() else { panic!("{token}") };
        let wait = async |token: String| bank.store.wait_for("reader", &[token], Duration::from_millis(50)).await;
        for known in [format!("{context}:{partition}:{position}"), "shop:15:7".to_owned()] {
            // Nobody has read that yet.
            assert_eq!(wait(known.clone()).await.unwrap_err().reason, "POSITION_NOT_REACHED", "{known}");
        }
        let head: u64 = position.parse().unwrap();
        for foreign in [
            format!("cellar:{partition}:{position}"),
            format!("bank:{}:{position}", bank.store.partitions()),
            format!("bank:{partition}:{}", head + 1),
            "shop:16:1".to_owned(),
        ] {
            assert_eq!(wait(foreign.clone()).await.unwrap_err().reason, "POSITION_TOKEN_FOREIGN", "{foreign}");
        }
        for malformed in ["bank:0", "bank:0:0", "bank:00:1", "bank:0:+1", "bank:0:1:", "bank:0:9223372036854775808"] {
            assert_eq!(wait(malformed.to_owned()).await.unwrap_err().reason, "POSITION_TOKEN_MALFORMED", "{malformed}");
        }
    }

    async fn a_transaction_that_appended_nothing_has_a_token_that_covers_what_is_there(database: Database) {
        let bank = Bank::open(&database).await;
        let token = bank.store.token(&bank.execute("a", Command::Deposit(1)).await.unwrap()).await.unwrap();
        let nothing = bank.store.begin().await.unwrap().commit().await.unwrap();
        assert_eq!(bank.store.token(&nothing).await.unwrap(), token);
    }

    async fn a_page_of_large_events_is_short_and_the_next_goes_on(database: Database) {
        let bank = Bank::open(&database).await;
        for version in 0..7 {
            let mut tx = bank.store.begin().await.unwrap();
            tx.append(&StreamName::from("account-a"), version, "a", vec![Large(900_000)]).await.unwrap();
            bank.store.token(&tx.commit().await.unwrap()).await.unwrap();
        }
        let partition = bank.store.history(&StreamName::from("account-a")).await.unwrap()[0].partition;
        let (mut after, mut pages) = (0, Vec::new());
        while after < 7 {
            let page = bank.store.read_log(partition, after, 1_000).await.unwrap();
            assert_eq!(page.head, 7);
            after = page.events.last().unwrap().position;
            pages.push(page.events.len());
        }
        assert_eq!(pages, [2, 2, 2, 1]);
        let end = bank.store.read_log(partition, 7, 1_000).await.unwrap();
        assert_eq!((end.head, end.events.len(), end.after.is_some()), (7, 0, true));

        // What is larger than a page may be comes alone, and what follows it is not forgotten.
        let tx = bank.store.begin().await.unwrap();
        let giant = if bank.store.backend() == DbBackend::Sqlite { "zeroblob(5000000)" } else { "decode(repeat('00', 5000000), 'hex')" };
        let update = format!("UPDATE event SET payload = {giant} WHERE stream = 'account-a' AND version IN (1, 3)");
        tx.conn().execute_unprepared(&update).await.unwrap();
        tx.commit().await.unwrap();
        for after in [0, 2] {
            let page = bank.store.read_log(partition, after, 1_000).await.unwrap();
            assert_eq!((page.head, page.events.len()), (7, 1));
        }

        // Of what follows a page one is read, and no more.
        let (mut last, mut versions) = (None, Vec::new());
        loop {
            let found = bank.store.read_key("a", last, 1_000).await.unwrap();
            assert!(found.len() <= 3, "{}", found.len());
            let Some(event) = found.first() else { break };
            versions.push(event.version);
            last = Some((event.time, event.id));
        }
        assert_eq!(versions, [1, 2, 3, 4, 5, 6, 7]);
    }

    async fn an_event_that_says_nothing_is_read_and_so_is_what_follows_it(database: Database) {
        let bank = Bank::open(&database).await;
        let mut tx = bank.store.begin().await.unwrap();
        // 0 is not written, and so these have no bytes.
        let silent = vec![AccountEvent::from(Deposited { amount: 0 }); 3];
        tx.append(&StreamName::from("account-a"), 0, "a", silent).await.unwrap();
        bank.store.token(&tx.commit().await.unwrap()).await.unwrap();
        let partition = bank.store.history(&StreamName::from("account-a")).await.unwrap()[0].partition;
        for after in 0..=3 {
            let page = bank.store.read_log(partition, after, 10).await.unwrap();
            assert_eq!((page.events.len(), page.after.is_some()), (3 - usize::try_from(after).unwrap(), after > 0));
            assert!(page.events.iter().all(|event| event.payload.is_empty()));
        }
    }

    async fn an_empty_partition_has_head_zero(database: Database) {
        let bank = Bank::open(&database).await;
        let page = bank.store.read_log(0, 0, 10).await.unwrap();
        assert_eq!((page.head, page.events.len()), (0, 0));
        // Even for a reader that has read a log which is no more.
        assert_eq!(bank.store.read_log(0, 99, 10).await.unwrap().head, 0);
    }
}

/// PostgreSQL inserts in one order and commits in another; what commits late must come late.
#[test]
fn a_late_commit_is_not_missed() {
    tradewind_testing::block_on(async {
        let database = Database::postgres();
        let bank = Bank::of_one_partition(&database).await;
        let mut late = bank.store.begin().await.unwrap();
        late.execute::<Account>("late", Command::Deposit(1)).await.unwrap();
        // The insert happens now, the commit much later.
        write_without_commit(&late).await;
        let mut seen = Vec::new();
        for index in 0..20 {
            let mut tx = bank.store.begin().await.unwrap();
            tx.execute::<Account>(&format!("{index}"), Command::Deposit(1)).await.unwrap();
            bank.store.token(&tx.commit().await.unwrap()).await.unwrap();
            seen = read_all(&bank.store).await;
            assert_eq!(seen.len(), index + 1);
        }
        let token = bank.store.token(&late.commit().await.unwrap()).await.unwrap();
        let all = read_all(&bank.store).await;
        assert_eq!(all[..seen.len()], seen, "what was read has not changed");
        assert_eq!(all.last().unwrap().stream, StreamName::of::<Account>("late"));
        assert!(token.ends_with(":21"), "{token}");
    });
}

/// However many others were faster: what follows a late commit in its stream waits for it.
#[test]
fn a_version_never_precedes_its_predecessor_in_the_log() {
    tradewind_testing::block_on(async {
        let database = Database::postgres();
        let bank = Bank::of_one_partition(&database).await;
        for round in 0..3_u64 {
            let id = format!("late-{round}");
            let late = bank.store.begin().await.unwrap();
            late.conn().execute_unprepared(&format!("
                INSERT INTO event (stream, version, id, type, payload, partition_key, partition, time, correlation, causation, traceparent)
                VALUES ('account-{id}', 1, gen_random_uuid(), 'tradewind.bank.v1.Deposited', '', 'key', 0, 0, '', '', '');
                INSERT INTO outbox (partition, stream, version) VALUES (0, 'account-{id}', 1)")).await.unwrap();
            for index in 0..10 {
                let mut tx = bank.store.begin().await.unwrap();
                for account in 0..40 {
                    tx.execute::<Account>(&format!("{round}-{index}-{account}"), Command::Deposit(1)).await.unwrap();
                }
                bank.store.token(&tx.commit().await.unwrap()).await.unwrap();
            }
            late.commit().await.unwrap();
            let mut next = bank.store.begin().await.unwrap();
            next.execute::<Account>(&id, Command::Deposit(1)).await.unwrap();
            bank.store.token(&next.commit().await.unwrap()).await.unwrap();
            let stream = StreamName::of::<Account>(&id);
            let placed = read_all(&bank.store).await.into_iter().filter(|event| event.stream == stream);
            assert_eq!(placed.map(|event| event.version).collect::<Vec<_>>(), [1, 2]);
        }
    });
}

/// A row whose predecessor is nowhere, as no transaction leaves it, stays; it holds up nobody else.
#[test]
fn what_has_no_predecessor_waits_alone() {
    tradewind_testing::block_on(async {
        let database = Database::postgres();
        let bank = Bank::without_sequencer(&database).await;
        let tx = bank.store.begin().await.unwrap();
        tx.conn()
            .execute_unprepared("INSERT INTO outbox (partition, stream, version) SELECT 0, 'account-lost', 1 + n FROM generate_series(1, 600) n")
            .await
            .unwrap();
        tx.commit().await.unwrap();
        drop(bank);
        let bank = Bank::open(&database).await;
        for _ in 0..3 {
            bank.store.token(&bank.execute("a", Command::DepositTwice(1)).await.unwrap()).await.unwrap();
        }
        assert_eq!(read_all(&bank.store).await.len(), 6);
    });
}

/// Takes the next outbox id before everybody who commits earlier.
async fn write_without_commit(tx: &tradewind_store::Tx) {
    tx.conn()
        .execute_unprepared("INSERT INTO outbox (partition, stream, version) VALUES (0, 'placeholder', 1)")
        .await
        .unwrap();
    tx.conn().execute_unprepared("DELETE FROM outbox WHERE stream = 'placeholder'").await.unwrap();
}

/// Several processes offer to sequence; one does, and another takes over.
#[test]
fn sequencers_take_turns_and_lose_nothing() {
    tradewind_testing::block_on(async {
        let database = Database::postgres();
        let mut banks = Vec::new();
        for _ in 0..3 {
            banks.push(Bank::open(&database).await);
        }
        let mut expected = 0;
        while let Some(bank) = banks.pop() {
            for index in 0..10 {
                bank.execute(&format!("{index}"), Command::Deposit(1)).await.unwrap();
                expected += 1;
            }
            eventually(PATIENCE, "the log has every event", async || {
                let all = read_all(&bank.store).await;
                if all.len() == expected { Ok(()) } else { Err(format!("{} of {expected}", all.len())) }
            })
            .await;
            let left = "SELECT COUNT(*) FROM outbox".to_owned();
            let left = Statement::from_string(bank.store.backend(), left);
            let left = bank.store.reader().query_one_raw(left).await.unwrap().unwrap();
            assert_eq!(left.try_get_by_index::<i64>(0).unwrap(), 0, "what is in the log is in the outbox no more");
        }
    });
}

#[test]
fn a_sequencer_that_cannot_give_its_lease_back_ends_cleanly() {
    tradewind_testing::block_on(async {
        let database = Database::postgres();
        let bank = Bank::without_sequencer(&database).await;
        let stop = tokio_util::sync::CancellationToken::new();
        let (store, stopped) = (bank.store.clone(), stop.clone());
        let sequencer = tokio::spawn(async move { store.sequence(stopped).await });
        let token = bank.store.token(&bank.execute("a", Command::Deposit(1)).await.unwrap()).await.unwrap();
        assert!(token.ends_with(":1"), "{token}");
        bank.store.reader().execute_unprepared("ALTER TABLE lease RENAME TO away").await.unwrap();
        stop.cancel();
        sequencer.await.unwrap().unwrap();
    });
}
