//! Draining the quarantine: in order, beside the reader that fills it, and the same rehearsed.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use prost::Message;
use sea_orm::ConnectionTrait;
use tradewind_domain::Error;
use tradewind_events::{Forward, Reaction, Reactions, Received};
use tradewind_operate::{self as operate, ActKind, ActOutcome, Drained, Outcome, ParkedStream, Quarantine};
use tradewind_runtime::Engine;
use tradewind_store::{Store, StreamName, Tx};
use tradewind_testing::account::{Account, Command, Deposited};
use tradewind_testing::{Database, block_on, eventually};
use tradewind_work::schedule;

use super::audit::{NoteDeposit, PATIENCE, Pair, Running, connect, count, deposit, note, notes, open, query};
use super::quarantine::{append, garble};

/// How often the reader and the replay race.
const ROUNDS: u64 = 8;

pub(super) fn parked(id: &str) -> ParkedStream {
    let stream = StreamName::from(format!("account-{id}"));
    ParkedStream { consumer: "audit".to_owned(), source: "bank".to_owned(), stream }
}

/// The quarantine as another process than the reader's sees it.
async fn quarantine_of(pair: &Pair, reactions: Reactions) -> Quarantine {
    let engine = Engine::new(pair.audit.clone(), connect(&pair.nats).await, Arc::new(pair.owner.clone()));
    engine.reactions(reactions).quarantine()
}

async fn quarantine(pair: &Pair) -> Quarantine {
    let reactions = Reactions::new("audit").on("note_on_deposited", NoteDeposit::new(&pair.audit));
    quarantine_of(pair, reactions).await
}

async fn pair(database: Database) -> (Pair, Running, Running) {
    let pair = Pair::between(Database::sqlite(), database).await;
    let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
    (pair, bank, audit)
}

pub(super) async fn is_parked(pair: &Pair, events: i64) {
    eventually(PATIENCE, &format!("{events} events are parked"), async || {
        let parked = count(&pair.audit, "SELECT COUNT(*) FROM parked").await;
        if parked == events { Ok(()) } else { Err(parked) }
    })
    .await;
}

/// Puts the payload of an event right in its owner's database.
async fn repair(pair: &Pair, id: &str, version: i64) {
    let tx = pair.bank.begin().await.unwrap();
    let update = "UPDATE event SET payload = $1 WHERE stream = $2 AND version = $3";
    let values = [Deposited { amount: 1 }.encode_to_vec().into(), format!("account-{id}").into(), version.into()];
    assert_eq!(tx.conn().execute_raw(query(&pair.bank, update, values)).await.unwrap().rows_affected(), 1);
    tx.commit().await.unwrap();
}

/// Version, reason where it failed, and where the payload was from.
fn story(drained: &Drained) -> Vec<(u64, &'static str, bool)> {
    let word = |outcome: &Outcome| match outcome {
        Outcome::Handled => "handled",
        Outcome::Discarded => "discarded",
        Outcome::Failed(error) => error.reason,
    };
    drained.events.iter().map(|tried| (tried.event.version, word(&tried.outcome), tried.from_owner)).collect()
}

/// Everything that a rehearsal must leave alone.
async fn everything(store: &Store) -> Vec<String> {
    let text = "SELECT 'seen ' || stream || ' ' || version AS text FROM seen \
         UNION ALL SELECT 'note ' || about || ' ' || text FROM note \
         UNION ALL SELECT 'parked ' || stream || ' ' || position || ' ' || reason || ' ' || attempts FROM parked \
         UNION ALL SELECT 'cursor ' || position || ' ' || updated FROM cursor \
         UNION ALL SELECT 'act ' || number FROM act ORDER BY text";
    let rows = store.reader().query_all_raw(query(store, text, [])).await.unwrap();
    rows.iter().map(|row| row.try_get("", "text").unwrap()).collect()
}

tradewind_testing::both_stores! {
    async fn a_stream_is_replayed_in_order_once_its_owner_is_put_right(database: Database) {
        let (pair, bank, audit) = pair(database).await;
        pair.deposit(&["a", "b"], 1).await;
        garble(&pair, "a", 1).await;
        append(&pair, "a", 2, 2).await;
        is_parked(&pair, 3).await;
        let quarantine = quarantine(&pair).await;
        let summary = quarantine.streams(None, 10).await.unwrap().remove(0);
        assert_eq!((&summary.stream, summary.queued, summary.first.attempts), (&parked("a"), 2, 2));
        assert_eq!((summary.first.reason.as_str(), summary.first.event.version), ("EVENT_UNDECODABLE", 2));
        assert!(quarantine.streams(Some(&parked("a")), 10).await.unwrap().is_empty());

        repair(&pair, "a", 2).await;
        let drained = quarantine.replay(&parked("a"), "operator").await.unwrap();
        assert_eq!(story(&drained), [(2, "handled", true), (3, "handled", true), (4, "handled", true)]);
        assert_eq!(drained.left, 0);
        append(&pair, "a", 4, 1).await;
        pair.noted(6).await;
        is_parked(&pair, 0).await;
        let acts = operate::acts(&pair.audit, None, 10).await.unwrap();
        let positions: Vec<_> = drained.events.iter().map(|tried| tried.event.position).rev().collect();
        assert_eq!(acts.iter().map(|act| act.position).collect::<Vec<_>>(), positions);
        assert!(acts.iter().all(|act| (act.kind, act.outcome) == (ActKind::Replay, ActOutcome::Done)));
        assert_eq!((acts[0].principal.as_str(), acts[0].stream.as_str()), ("operator", "account-a"));
        assert_eq!(operate::acts(&pair.audit, Some(acts[0].number), 1).await.unwrap(), acts[1..2]);
        audit.stop().await;
        bank.stop().await;
    }

    async fn a_replay_ends_at_the_first_event_that_fails_again(database: Database) {
        let (pair, bank, audit) = pair(database).await;
        garble(&pair, "a", 0).await;
        append(&pair, "a", 1, 1).await;
        garble(&pair, "a", 2).await;
        append(&pair, "a", 3, 1).await;
        is_parked(&pair, 4).await;
        repair(&pair, "a", 1).await;
        let quarantine = quarantine(&pair).await;
        let before = everything(&pair.audit).await;
        let foretold = quarantine.rehearse(&parked("a"), None).await.unwrap();
        assert_eq!(everything(&pair.audit).await, before);
        assert_eq!(story(&foretold), [(1, "handled", true), (2, "handled", true), (3, "EVENT_UNDECODABLE", true)]);

        assert_eq!(quarantine.replay(&parked("a"), "operator").await.unwrap(), foretold);
        assert_eq!(foretold.left, 2);
        let left = quarantine.events(&parked("a"), 0, 10).await.unwrap();
        let left: Vec<_> = left.iter().map(|parked| (parked.event.version, &*parked.reason, parked.attempts)).collect();
        assert_eq!(left, [(3, "EVENT_UNDECODABLE", 1), (4, "BEHIND_PARKED", 0)]);
        assert_eq!(operate::acts(&pair.audit, None, 1).await.unwrap()[0].outcome, ActOutcome::Failed);
        let again = quarantine.replay(&parked("a"), "operator").await.unwrap();
        assert_eq!(story(&again), [(3, "EVENT_UNDECODABLE", true)]);
        assert_eq!(quarantine.events(&parked("a"), 0, 1).await.unwrap()[0].attempts, 2);
        assert_eq!(count(&pair.audit, "SELECT COUNT(*) FROM seen").await, 2);
        audit.stop().await;
        bank.stop().await;
    }

    /// The reader parks what comes while the stream is drained, or handles it right after: never both, never neither.
    async fn a_replay_and_a_reader_that_adds_to_the_stream_keep_its_order(database: Database) {
        let (pair, bank, audit) = pair(database).await;
        let quarantine = quarantine(&pair).await;
        for round in 0..ROUNDS {
            let id = format!("a{round}");
            garble(&pair, &id, 0).await;
            eventually(PATIENCE, "it is parked", async || quarantine.count(&parked(&id)).await.unwrap() == 1).await;
            repair(&pair, &id, 1).await;
            let added = async {
                for version in 1..20 {
                    append(&pair, &id, version, 1).await;
                }
            };
            let drained = async {
                while quarantine.count(&parked(&id)).await.unwrap() > 0 {
                    quarantine.replay(&parked(&id), "operator").await.unwrap();
                }
            };
            futures::join!(added, drained);
            let noted = i64::try_from((round + 1) * 20).unwrap();
            eventually(PATIENCE, "everything is handled", async || {
                // What the reader parked after the last look is replayed, too.
                if quarantine.count(&parked(&id)).await.unwrap() > 0 {
                    let drained = quarantine.replay(&parked(&id), "operator").await.unwrap();
                    assert!(drained.events.iter().all(|tried| tried.outcome == Outcome::Handled), "{drained:?}");
                }
                let seen = count(&pair.audit, "SELECT COUNT(*) FROM seen").await;
                if seen == noted { Ok(()) } else { Err(seen) }
            })
            .await;
        }
        is_parked(&pair, 0).await;
        audit.stop().await;
        bank.stop().await;
    }

    async fn two_replays_at_once_handle_every_event_once(database: Database) {
        let (pair, bank, audit) = pair(database).await;
        garble(&pair, "a", 0).await;
        append(&pair, "a", 1, 30).await;
        is_parked(&pair, 31).await;
        repair(&pair, "a", 1).await;
        let quarantine = quarantine(&pair).await;
        let stream = parked("a");
        let replays = [(); 2].map(|()| quarantine.replay(&stream, "operator"));
        let drained = futures::future::try_join_all(replays).await.unwrap();
        let mut versions: Vec<_> = drained.iter().flat_map(story).collect();
        versions.sort_unstable();
        assert_eq!(versions, (1..=31).map(|version| (version, "handled", true)).collect::<Vec<_>>());
        pair.noted(31).await;
        assert_eq!(operate::acts(&pair.audit, None, 100).await.unwrap().len(), 31);
        audit.stop().await;
        bank.stop().await;
    }

    async fn a_discarded_event_makes_way_for_what_waits_behind_it(database: Database) {
        let pair = Pair::between(Database::sqlite(), database).await;
        let bank = pair.start_bank().await;
        let broker = connect(&pair.nats).await;
        let note = || NoteAmount(pair.audit.clone());
        let reactions =
            Reactions::new("audit").forward("note_on_deposited", Forward::new::<Account>(note(), give_back));
        let audit = Engine::new(pair.audit.clone(), broker, Arc::new(pair.owner.clone())).reactions(reactions);
        let quarantine = audit.quarantine();
        let audit = Running::start(audit);
        for amount in [13, 2, 3] {
            deposit(&pair.bank, "a", amount).await;
        }
        is_parked(&pair, 3).await;
        let (stream, position) = (parked("a"), 1);

        let before = everything(&pair.audit).await;
        let foretold = quarantine.rehearse(&stream, Some(position)).await.unwrap();
        assert_eq!(everything(&pair.audit).await, before);
        assert_eq!(story(&foretold), [(1, "discarded", false), (2, "handled", true), (3, "handled", true)]);
        for refused in [
            quarantine.discard(&stream, 2, "operator", "wrong").await,
            quarantine.rehearse(&stream, Some(2)).await,
        ] {
            assert_eq!(refused.unwrap_err().reason, "POSITION_MISMATCH");
        }
        let discarded = quarantine.discard(&stream, position, "operator", "a test deposit").await.unwrap();
        assert_eq!((story(&discarded), discarded.left), (vec![(1, "discarded", false)], 2));
        let replayed = quarantine.replay(&stream, "operator").await.unwrap();
        assert_eq!(story(&replayed), [(2, "handled", true), (3, "handled", true)]);
        deposit(&pair.bank, "a", 4).await;
        eventually(PATIENCE, "the rest is handled", async || notes(&pair.audit).await.len() == 3).await;
        assert_eq!(pair.audit.load::<Account>("a").await.unwrap().state.balance, GIVEN_BACK, "who waited was told");
        assert_eq!(count(&pair.audit, "SELECT COUNT(*) FROM timer WHERE name = 'regret'").await, 1, "in the service's way");

        deposit(&pair.bank, "owed", 13).await;
        is_parked(&pair, 1).await;
        let reactions = Reactions::new("audit").owed("note_on_deposited", note());
        let quarantine = quarantine_of(&pair, reactions).await;
        let owed = quarantine.events(&parked("owed"), 0, 1).await.unwrap().remove(0).event.position;
        for refused in [
            quarantine.discard(&parked("owed"), owed, "operator", "why not").await,
            quarantine.rehearse(&parked("owed"), Some(owed)).await,
        ] {
            assert_eq!(refused.unwrap_err().reason, "MUST_BE_REPLAYED");
        }
        is_parked(&pair, 1).await;

        let acts = operate::acts(&pair.audit, None, 10).await.unwrap();
        let acts: Vec<_> = acts.iter().rev().map(|act| (act.kind, act.outcome, act.position)).collect();
        let (replay, discard, done) = (ActKind::Replay, ActKind::Discard, ActOutcome::Done);
        assert_eq!(
            acts,
            [
                (discard, ActOutcome::Refused, 0),
                (discard, done, 1),
                (replay, done, 2),
                (replay, done, 3),
                (discard, ActOutcome::Refused, 0)
            ]
        );
        audit.stop().await;
        bank.stop().await;
    }
}

/// What somebody gets whose deposit is given up.
const GIVEN_BACK: u64 = 13;

/// What is written beside the command belongs to it.
async fn give_back(tx: &mut Tx, id: &str) -> Result<(), Error> {
    tx.execute::<Account>(id, Command::Deposit(GIVEN_BACK)).await?;
    schedule(tx, "regret", id, tx.now(), Vec::new());
    Ok(())
}

/// Notes the amount of a deposit in whatever order; refuses one of 13.
struct NoteAmount(Store);

impl Reaction<Deposited> for NoteAmount {
    async fn react(&self, tx: &mut Tx, event: &Received<Deposited>) -> Result<(), Error> {
        if event.data.amount == 13 {
            return Err(Error::invalid("amount", "UNLUCKY", "no"));
        }
        note(tx, &self.0, event.stream.as_str(), &event.data.amount.to_string()).await
    }
}

#[test]
fn the_copy_is_replayed_while_the_owner_is_away() {
    block_on(async {
        let (pair, bank, audit) = pair(Database::sqlite()).await;
        garble(&pair, "a", 0).await;
        is_parked(&pair, 1).await;
        pair.owner.away.store(true, Ordering::SeqCst);
        let quarantine = quarantine(&pair).await;
        let drained = quarantine.replay(&parked("a"), "operator").await.unwrap();
        assert_eq!(story(&drained), [(1, "EVENT_UNDECODABLE", false)]);
        let tx = pair.audit.begin().await.unwrap();
        let payload = [Deposited { amount: 1 }.encode_to_vec().into()];
        tx.conn().execute_raw(query(&pair.audit, "UPDATE parked SET payload = $1", payload)).await.unwrap();
        tx.commit().await.unwrap();
        let drained = quarantine.replay(&parked("a"), "operator").await.unwrap();
        assert_eq!(story(&drained), [(1, "handled", false)]);
        pair.noted(1).await;
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn an_event_that_its_owner_does_not_have_is_not_replayed() {
    block_on(async {
        let (pair, bank, audit) = pair(Database::sqlite()).await;
        deposit(&pair.bank, "a", 13).await;
        is_parked(&pair, 1).await;
        let another = Database::sqlite();
        pair.owner.replace(&open(&another, "bank").await);
        let quarantine = quarantine(&pair).await;
        assert_eq!(story(&quarantine.rehearse(&parked("a"), None).await.unwrap()), [(1, "EVENT_CHANGED", false)]);
        assert_eq!(story(&quarantine.replay(&parked("a"), "operator").await.unwrap()), [(1, "EVENT_CHANGED", false)]);
        audit.stop().await;
        bank.stop().await;
    });
}

#[test]
fn what_is_not_there_is_refused_and_written_down() {
    block_on(async {
        let pair = Pair::new().await;
        let quarantine = quarantine(&pair).await;
        let stranger = ParkedStream { consumer: "nobody".to_owned(), ..parked("a") };
        let refused = [
            (quarantine.replay(&parked("a"), "operator").await.unwrap_err(), "NOT_PARKED"),
            (quarantine.replay(&stranger, "operator").await.unwrap_err(), "CONSUMER_UNKNOWN"),
            (quarantine.discard(&parked("a"), 1, "operator", "why").await.unwrap_err(), "NOT_PARKED"),
        ];
        let acts = operate::acts(&pair.audit, None, 10).await.unwrap();
        assert_eq!(acts.len(), refused.len());
        for ((error, reason), act) in refused.iter().zip(acts.iter().rev()) {
            assert_eq!((error.reason, act.outcome), (*reason, ActOutcome::Refused));
            assert!(act.detail.starts_with(reason), "{act:?}");
        }
        assert_eq!(quarantine.rehearse(&parked("a"), None).await.unwrap_err().reason, "NOT_PARKED");
        assert_eq!(quarantine.rehearse(&stranger, None).await.unwrap_err().reason, "CONSUMER_UNKNOWN");
        assert_eq!(quarantine.events(&parked("a"), 0, 1).await.unwrap_err().reason, "NOT_PARKED");
        assert_eq!(operate::acts(&pair.audit, None, 10).await.unwrap().len(), refused.len());
    });
}

#[test]
fn consumers_tell_how_far_they_are_and_whether_they_are_paused() {
    block_on(async {
        let (pair, bank, audit) = pair(Database::sqlite()).await;
        pair.deposit(&["b"], 2).await;
        deposit(&pair.bank, "a", 13).await;
        is_parked(&pair, 1).await;
        let engine = Engine::new(pair.audit.clone(), connect(&pair.nats).await, Arc::new(pair.owner.clone()));
        let consumers = engine
            .reactions(Reactions::new("audit").on("note_on_deposited", NoteDeposit::new(&pair.audit)))
            .consumers();
        let consumer = consumers.list().await.unwrap().remove(0);
        let source = &consumer.sources[0];
        assert_eq!((consumer.name.as_str(), source.name.as_str()), ("audit", "bank"));
        assert_eq!((source.parked_streams, source.parked_events, source.partitions.len()), (1, 1, 1));
        assert_eq!((source.partitions[0].position, source.partitions[0].head), (3, Some(3)));
        assert_eq!(consumer.pause, None);

        let pause = consumers.pause("audit", "operator", "a look inside").await.unwrap();
        assert_eq!(consumers.pause("audit", "another", "me too").await.unwrap(), pause);
        assert_eq!(consumers.list().await.unwrap()[0].pause.as_ref(), Some(&pause));
        consumers.resume("audit", "operator").await.unwrap();
        assert_eq!(consumers.list().await.unwrap()[0].pause, None);
        assert_eq!(consumers.resume("audit", "operator").await.unwrap_err().reason, "NOT_PAUSED");
        assert_eq!(consumers.pause("nobody", "operator", "why").await.unwrap_err().reason, "CONSUMER_UNKNOWN");
        let acts = operate::acts(&pair.audit, None, 10).await.unwrap();
        let acts: Vec<_> = acts.iter().rev().map(|act| (act.kind, act.outcome, act.detail.as_str())).collect();
        let (pause, resume, done) = (ActKind::Pause, ActKind::Resume, ActOutcome::Done);
        assert_eq!(acts[..3], [(pause, done, "a look inside"), (pause, done, "me too"), (resume, done, "")]);
        assert_eq!((acts[3].0, acts[3].1, acts[4].1), (resume, ActOutcome::Refused, ActOutcome::Refused));

        pair.owner.away.store(true, Ordering::SeqCst);
        assert_eq!(consumers.list().await.unwrap()[0].sources[0].partitions[0].head, None);
        audit.stop().await;
        bank.stop().await;
    });
}
