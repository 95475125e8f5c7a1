//! As of each of its versions an order is what its events up to there make of it, kept in between or not.
#![allow(clippy::unwrap_used, reason = "in a test a panic is the verdict")]

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use prost::Message;
use tradewind_domain::{Aggregate, EventSet, Money, Snapshot};
use tradewind_store::{Clock, Loaded, StoreOptions, Tx};
use tradewind_testing::Database;

use super::*;
use crate::domain::{Command, Line, Order, OrderError, OrderEvent, Place};

const ORDERS: usize = 1_000;
/// How many orders are heard of in one transaction.
const TOGETHER: usize = 50;

/// An order that is kept after every second event, as the events that made it.
#[derive(Clone, Default)]
struct Kept {
    order: Order,
    events: Vec<OrderEvent>,
}

#[derive(Clone, PartialEq, Message)]
struct Events {
    #[prost(string, repeated, tag = "1")]
    types: Vec<String>,
    #[prost(bytes = "vec", repeated, tag = "2")]
    payloads: Vec<Vec<u8>>,
}

impl Aggregate for Kept {
    const NAME: &'static str = Order::NAME;
    type Command = Command;
    type Event = OrderEvent;
    type Error = OrderError;
    const SNAPSHOT: Option<Snapshot<Self>> = Some(Snapshot { every: 2, form: 1, encode, decode });

    fn decide(&self, command: Command) -> Result<Vec<OrderEvent>, OrderError> {
        self.order.decide(command)
    }

    fn evolve(&mut self, event: &OrderEvent) {
        self.order.evolve(event);
        self.events.push(event.clone());
    }
}

fn encode(kept: &Kept) -> Vec<u8> {
    let (types, payloads) = kept.events.iter().map(|event| (event.type_name(), event.encode())).unzip();
    Events { types, payloads }.encode_to_vec()
}

fn decode(bytes: &[u8]) -> Option<Kept> {
    let Events { types, payloads } = Events::decode(bytes).ok()?;
    let mut kept = Kept::default();
    for (name, payload) in types.iter().zip(&payloads) {
        kept.evolve(&OrderEvent::decode(name, payload).ok()?);
    }
    Some(kept)
}

fn place(id: OrderId, quantity: i32) -> Command {
    let unit_price = Money::new("GBP", 450).unwrap();
    let line =
        Line { product_id: "tea".to_owned(), sku: "TEA".to_owned(), name: "Tea".to_owned(), quantity, unit_price };
    Command::Place(Box::new(Place { order_id: id.to_string(), lines: vec![line], ..Place::default() }))
}

/// What is heard of an order: it is brought on so far, and then whatever may come does, in any order and more than once.
fn heard() -> impl Strategy<Value = Vec<Command>> {
    let forward = [
        Command::ConfirmStock,
        Command::RecordPayment,
        Command::ConfirmShipment { tracking: "T-1".to_owned() },
        Command::Ship { tracking: "T-1".to_owned() },
        Command::Deliver,
    ];
    let others = [
        Command::Cancel,
        Command::Expire,
        Command::RecordRelease,
        Command::RecordVoid,
        Command::RecordRefund { amount: None },
        Command::RecordShipmentCancelled,
        Command::RefuseCancellation,
        Command::RejectStock { short_lines: Vec::new(), reason: String::new() },
    ];
    let any: Vec<_> = forward.iter().chain(&others).cloned().collect();
    let rest = prop::collection::vec(prop::sample::select(any), 0..16);
    (0..=forward.len(), rest).prop_map(move |(far, rest)| [&forward[..far], &rest].concat())
}

async fn open(database: &Database) -> Store {
    let (url, clock) = (database.url(), Clock::system());
    let options = StoreOptions { url, context: "ordering", migrations: Vec::new(), clock, partitions: None };
    Store::open(options).await.unwrap()
}

async fn settle(store: &Store, orders: &[(OrderId, Vec<Command>)]) {
    let told = async |tx: &mut Tx| {
        for (id, commands) in orders {
            for command in commands {
                // What is refused changes nothing.
                let _ = tx.execute::<Kept>(&id.to_string(), command.clone()).await;
            }
        }
        Ok(())
    };
    store.transact(told).await.unwrap();
}

tradewind_testing::both_stores! {
    async fn as_of_each_version_an_order_is_the_fold_of_its_events_up_to_there(database: Database) {
        let (store, mut runner) = (open(&database).await, TestRunner::deterministic());
        let mut orders = Vec::new();
        for quantity in (1..).take(ORDERS) {
            let (id, mut commands) = (OrderId::generate(), heard().new_tree(&mut runner).unwrap().current());
            commands.insert(0, place(id, quantity));
            orders.push((id, commands));
        }
        for some in orders.chunks(TOGETHER) {
            settle(&store, some).await;
        }
        let (mut versions, mut kept) = (0, 0);
        for (id, _) in &orders {
            let history = store.history_of::<Order>(&id.to_string()).await.unwrap();
            let (mut fold, created) = (Order::default(), history[0].0.time);
            for (event, _) in &history {
                fold.evolve(&OrderEvent::decode(&event.type_name, &event.payload).unwrap());
                let (version, updated) = (event.version, event.time);
                let expected = view::resource(Loaded { state: fold.clone(), version, created, updated });
                let asked = Some(AsOf::Version(version));
                assert_eq!(get_order(&store, *id, asked).await.unwrap(), expected);
                let with = store.load_as_of::<Kept>(&id.to_string(), AsOf::Version(version)).await.unwrap();
                let Loaded { state, version, created, updated } = with;
                assert_eq!(view::resource(Loaded { state: state.order, version, created, updated }), expected);
                versions += 1;
            }
            kept += usize::from(history.len() >= 2);
        }
        assert!(versions > 4 * ORDERS && kept > ORDERS / 2, "{versions} versions, {kept} orders that are kept");
    }
}
