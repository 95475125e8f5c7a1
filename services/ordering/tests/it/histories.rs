//! Orders as they were: at every version, the fold of that many of their events, whether snapshots of them are kept or not.

use ordering::domain::{Command, Line, Order, OrderError, OrderEvent, Place};
use ordering::migrations;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use prost::Message;
use prost_types::{Any, Timestamp};
use tradewind_domain::{Aggregate, EventSet, Money, OrderId, Snapshot};
use tradewind_store::{AsOf, Clock, Store, StoreOptions};
use tradewind_testing::Database;

const ORDERS: usize = 1_000;
/// Orders that are written together.
const AT_ONCE: usize = 20;

/// An order with the events that led to it, of which every second state is kept.
#[derive(Clone, Debug, Default)]
struct Kept(Order, Vec<OrderEvent>);

impl Aggregate for Kept {
    const NAME: &'static str = Order::NAME;
    type Command = Command;
    type Event = OrderEvent;
    type Error = OrderError;
    const SNAPSHOT: Option<Snapshot<Self>> = Some(Snapshot { every: 2, form: 1, encode: written, decode: read });

    fn decide(&self, command: Command) -> Result<Vec<OrderEvent>, OrderError> {
        self.0.decide(command)
    }

    fn evolve(&mut self, event: &OrderEvent) {
        self.0.evolve(event);
        self.1.push(event.clone());
    }
}

fn written(Kept(_, events): &Kept) -> Vec<u8> {
    let any = |event: &OrderEvent| Any { type_url: event.type_name(), value: event.encode() };
    events.iter().flat_map(|event| any(event).encode_length_delimited_to_vec()).collect()
}

fn read(mut bytes: &[u8]) -> Option<Kept> {
    let mut kept = Kept::default();
    while !bytes.is_empty() {
        let Any { type_url, value } = Any::decode_length_delimited(&mut bytes).ok()?;
        kept.evolve(&OrderEvent::decode(&type_url, &value).ok()?);
    }
    Some(kept)
}

fn place(order_id: &str) -> Command {
    let (product_id, sku, unit_price) = ("tea".to_owned(), "SKU-TEA".to_owned(), Money::new("GBP", 300).unwrap());
    let deadline = Timestamp { seconds: 4_000_000_000, nanos: 0 };
    Command::Place(Box::new(Place {
        order_id: order_id.to_owned(),
        customer_id: "c-1".to_owned(),
        lines: vec![Line { product_id, sku, name: String::new(), quantity: 2, unit_price }],
        payment_token: "tok_ok".to_owned().into(),
        deadline,
        ..Place::default()
    }))
}

/// What may happen to an order that was placed; what brings it forward is likelier.
fn answers() -> impl Strategy<Value = Vec<Command>> {
    let tracking = || "T-1".to_owned();
    let answer = prop_oneof![
        4 => Just(Command::ConfirmStock),
        4 => Just(Command::RecordPayment),
        4 => Just(Command::ConfirmShipment { tracking: tracking() }),
        2 => Just(Command::Ship { tracking: tracking() }),
        2 => Just(Command::RecordRelease),
        2 => Just(Command::RecordVoid),
        2 => Just(Command::RecordShipmentCancelled),
        2 => Just(Command::RefuseCancellation),
        1 => Just(Command::DeclinePayment { reason: "no".to_owned() }),
        1 => Just(Command::RejectShipment { reason: "no".to_owned() }),
        1 => Just(Command::Deliver),
        1 => Just(Command::Cancel),
        1 => Just(Command::Expire),
    ];
    prop::collection::vec(answer, 0..32)
}

tradewind_testing::both_stores! {
    async fn as_of_every_version_an_order_is_the_fold_of_that_many_events(database: Database) {
        let options = StoreOptions {
            url: database.url(),
            context: "ordering",
            migrations: migrations(),
            clock: Clock::system(),
            partitions: None,
        };
        let store = Store::open(options).await.unwrap();
        let (mut runner, mut stories) = (TestRunner::default(), Vec::new());
        while stories.len() < ORDERS {
            let mut tx = store.begin().await.unwrap();
            for _ in 0..AT_ONCE {
                let (id, mut events) = (OrderId::generate().to_string(), Vec::new());
                for command in [place(&id)].into_iter().chain(answers().new_tree(&mut runner).unwrap().current()) {
                    // What an order refuses changes nothing.
                    if let Ok(executed) = tx.execute::<Kept>(&id, command).await {
                        events.extend(executed.events);
                    }
                }
                stories.push((id, events));
            }
            tx.commit().await.unwrap();
        }
        for (id, events) in &stories {
            let mut fold = Order::default();
            for version in 0..=events.len() {
                if let Some(event) = version.checked_sub(1).and_then(|last| events.get(last)) {
                    fold.evolve(event);
                }
                let point = AsOf::Version(version as u64);
                let with = store.load_as_of::<Kept>(id, point).await.unwrap();
                let without = store.load_as_of::<Order>(id, point).await.unwrap();
                let expected = format!("{fold:?}");
                assert_eq!((with.version, without.version), (version as u64, version as u64), "{id}");
                assert_eq!(format!("{:?}", with.state.0), expected, "{id} at {version} with snapshots: {events:?}");
                assert_eq!(format!("{:?}", without.state), expected, "{id} at {version} without: {events:?}");
            }
        }
        // Some were confirmed, and something came of it.
        let longest = stories.iter().map(|(_, events)| events.len()).max();
        assert!(longest > Some(4), "the longest has {longest:?} events");
    }
}
