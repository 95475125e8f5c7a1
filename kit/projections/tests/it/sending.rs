//! Rows that are not in the database.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use futures::future::BoxFuture;
use tradewind_domain::Error;
use tradewind_projections::{Batch, Projection, Sink, Slot, Writer, standings};
use tradewind_store::{Recorded, Rows};
use tradewind_testing::account::Deposited;
use tradewind_testing::{Database, block_on, eventually};

use super::balances::{Bank, DEPOSITS, PATIENCE, deposits};

const SLIPS: &str = "bank.slips";

/// Takes lines, unless it is away, and knows one that it has.
#[derive(Default)]
struct Drawer {
    lines: Mutex<BTreeSet<(u8, &'static str, String)>>,
    away: AtomicBool,
}

impl Drawer {
    fn there(&self) -> Result<(), Error> {
        let is_away = self.away.load(Ordering::SeqCst);
        if is_away { Err(Error::unavailable("DRAWER_STUCK", "it does not open")) } else { Ok(()) }
    }

    fn of(&self, slot: Slot) -> Vec<String> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|(of, ..)| *of == slot as u8).map(|(.., line)| line.clone()).collect()
    }
}

impl Sink for Drawer {
    fn write(&self, slot: Slot, batch: Batch) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            self.there()?;
            for (table, lines) in batch {
                let lines = String::from_utf8(lines).unwrap();
                let lines = lines.lines().map(|line| (slot as u8, table, line.to_owned()));
                self.lines.lock().unwrap().extend(lines);
            }
            Ok(())
        })
    }

    fn clear(&self, slot: Slot) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            self.there()?;
            self.lines.lock().unwrap().retain(|(of, ..)| *of != slot as u8);
            Ok(())
        })
    }
}

/// A line for each deposit.
fn slips(drawer: &Arc<Drawer>) -> Projection {
    let sink: Arc<dyn Sink> = Arc::<Drawer>::clone(drawer);
    Projection::new(SLIPS, 1).sink(sink).on::<Deposited>("file_on_deposited", |writer, event| {
        writer.send("slip", &format!("{} {} {}", event.stream.id(), event.version, event.data.amount))
    })
}

/// What there has to be: of each account every deposit.
fn expected(accounts: u32, rounds: u64) -> usize {
    usize::try_from(u64::from(accounts) * rounds).unwrap()
}

async fn log(bank: &Bank) -> Vec<Recorded> {
    let mut events = Vec::new();
    for partition in 0..bank.store.partitions() {
        events.extend(bank.store.read_log(partition, 0, 1_000).await.unwrap().events);
    }
    events
}

tradewind_testing::both_stores! {
    async fn where_it_has_rows_besides_may_be_away_and_nobody_else_waits(database: Database) {
        let bank = Bank::open(&database).await;
        bank.trade(5, 5).await;
        bank.sequenced().await;
        let drawer = Arc::new(Drawer::default());
        drawer.away.store(true, Ordering::SeqCst);
        let process = bank.start([slips(&drawer), deposits(1)]);
        eventually(PATIENCE, "both are known", async || standings(&bank.store).await.unwrap().len() == 2).await;
        bank.ask(SLIPS).await;
        bank.ask(DEPOSITS).await;
        bank.read_from(DEPOSITS, Slot::Second).await;
        drawer.away.store(false, Ordering::SeqCst);
        // What could not be emptied is tried again.
        process.stop().await;
        let process = bank.start([slips(&drawer), deposits(1)]);
        bank.read_from(SLIPS, Slot::Second).await;
        assert_eq!((drawer.of(Slot::First).len(), drawer.of(Slot::Second).len()), (0, expected(5, 5)));
        bank.ask(SLIPS).await;
        bank.read_from(SLIPS, Slot::First).await;
        assert_eq!(drawer.of(Slot::First), drawer.of(Slot::Second));
        process.stop().await;
    }

    async fn lines_are_sent_ahead_of_the_transaction_and_again_come_to_the_same(database: Database) {
        let bank = Bank::open(&database).await;
        bank.trade(3, 4).await;
        bank.sequenced().await;
        let (drawer, events) = (Arc::new(Drawer::default()), log(&bank).await);
        let [first, _] = slips(&drawer).reactions();
        let events: Vec<_> = events.iter().collect();
        drawer.away.store(true, Ordering::SeqCst);
        assert_eq!(first.go_ahead(&events).await.unwrap_err().reason, "DRAWER_STUCK");
        drawer.away.store(false, Ordering::SeqCst);
        first.go_ahead(&events).await.unwrap();
        for few in events.chunks(2) {
            first.go_ahead(few).await.unwrap();
        }
        assert_eq!(drawer.of(Slot::First).len(), expected(3, 4));
        // Nothing more is sent in the transaction.
        drawer.away.store(true, Ordering::SeqCst);
        let mut tx = bank.store.begin().await.unwrap();
        for event in &events {
            first.react(&mut tx, event).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

#[test]
fn what_has_nowhere_to_go_is_not_lost_unseen() {
    block_on(async {
        let mut rows = Rows::default();
        let sent = Writer::new(&mut rows, Slot::First).send("slip", "a 1 10");
        assert_eq!(sent.unwrap_err().reason, "INTERNAL");
    });
}
