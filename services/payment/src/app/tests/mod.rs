//! The protocol with the card provider, over a real store and engine, against a provider that does as it is told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "in a test a panic is the verdict")]

mod script;

use std::sync::Arc;
use std::time::Duration;

use contracts::tradewind::{
    money::v1::Money,
    ordering::v1::{OrderCancelled, OrderStockConfirmed},
    payment::v1::PaymentStatus,
};
use futures::future::BoxFuture;
use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, BrokerOptions};
use tradewind_domain::{Error, Reason, Reference};
use tradewind_events::{LogSource, Reaction, Received};
use tradewind_runtime::Engine;
use tradewind_store::{Clock, LogPage, Metadata, Store, StoreOptions, StreamName, Tx};
use tradewind_testing::{Database, block_on, both_stores, eventually};
use uuid::Uuid;

use self::script::{Act, Script};
use super::{
    CallCardProvider, ChargeAnswer, NoAnswer, Receipt, charge_on_order_stock_confirmed, give_back_on_order_cancelled,
};
use crate::domain::Payment;
use crate::store::migrations;

const DEADLINE: Duration = Duration::from_secs(20);

fn captured() -> ChargeAnswer {
    ChargeAnswer::Captured(receipt(2_000, "ch_1"))
}

fn receipt(minor: i64, id: &str) -> Receipt {
    Receipt { amount: Money { currency: "GBP".to_owned(), minor }, id: Reference::read(id) }
}

fn declined() -> ChargeAnswer {
    ChargeAnswer::Declined { reason: Reason::told("CARD_DECLINED") }
}

fn refunded() -> Act {
    Act::Refund(Ok(receipt(2_000, "re_1")))
}

fn unknown() -> NoAnswer {
    NoAnswer::Unknown("no answer in time".to_owned())
}

fn refused() -> NoAnswer {
    NoAnswer::Refused(Reason::told("KEY_REUSED"))
}

fn answers(answer: ChargeAnswer) -> [Act; 1] {
    [Act::Charge(Ok(answer))]
}

/// Nobody's log is read here.
struct Nobody;

impl LogSource for Nobody {
    fn read_log(&self, context: &str, _: u16, _: u64, _: u32) -> BoxFuture<'_, Result<LogPage, Error>> {
        let error = Error::unavailable("NOBODY", format!("{context} is not there"));
        Box::pin(async { Err(error) })
    }
}

/// A store and an engine that makes the calls owed to the scripted provider. There is no broker.
struct Caller {
    store: Store,
    stop: CancellationToken,
    _database: Database,
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Caller {
    async fn with(database: Database, script: &Script) -> Self {
        let options = StoreOptions {
            url: database.url(),
            context: "payment",
            migrations: migrations(),
            clock: Clock::system(),
            partitions: None,
        };
        let store = Store::open(options).await.unwrap();
        let away = BrokerOptions { url: "nats://127.0.0.1:1".to_owned(), tls: None, name: "payment".to_owned() };
        let engine = Engine::new(store.clone(), Broker::connect(away).await.unwrap(), Arc::new(Nobody))
            .intents(CallCardProvider::new(script.clone()), 4);
        let stop = CancellationToken::new();
        tokio::spawn(engine.run(stop.clone()));
        Self { store, stop, _database: database }
    }

    fn order(&self) -> Order {
        Order { store: self.store.clone(), id: Uuid::new_v4().to_string() }
    }
}

/// An order, and what its payment makes of it.
struct Order {
    store: Store,
    id: String,
}

impl Order {
    async fn confirm_stock(&self) {
        let event = OrderStockConfirmed {
            order_id: self.id.clone(),
            total: Some(Money { currency: "GBP".to_owned(), minor: 2_000 }),
            payment_token: "tok_ok".to_owned(),
            ..OrderStockConfirmed::default()
        };
        self.hear(charge_on_order_stock_confirmed, event).await;
    }

    async fn cancel(&self) {
        let event = OrderCancelled { order_id: self.id.clone(), ..OrderCancelled::default() };
        self.hear(give_back_on_order_cancelled, event).await;
    }

    async fn hear<E: Send + Sync>(&self, reaction: impl Reaction<E>, data: E) {
        let event = Received {
            data,
            id: Uuid::new_v4(),
            stream: StreamName::from(format!("order-{}", self.id)),
            version: 1,
            partition: 0,
            position: 1,
            time: self.store.now(),
            metadata: Metadata::default(),
        };
        self.store.transact(async |tx: &mut Tx| reaction.react(tx, &event).await).await.unwrap();
    }

    async fn status(&self) -> PaymentStatus {
        self.store.load::<Payment>(&self.id).await.unwrap().state.status()
    }

    async fn becomes(&self, status: PaymentStatus) {
        let reached = async || Some(self.status().await).filter(|reached| *reached == status).ok_or("another");
        eventually(DEADLINE, &format!("the payment is {}", status.as_str_name()), reached).await;
    }

    /// Every event of the payment, by its short name.
    async fn story(&self) -> Vec<String> {
        let events = self.store.history(&StreamName::of::<Payment>(&self.id)).await.unwrap();
        events.iter().map(|event| event.type_name.rsplit('.').next().unwrap_or_default().to_owned()).collect()
    }
}

async fn called(script: &Script, action: &str, times: usize) {
    eventually(DEADLINE, &format!("{action} is called {times} times"), async || script.times(action) >= times).await;
}

both_stores! {
    async fn an_unknown_outcome_is_asked_for_again_until_there_is_one(database: Database) {
        let script = Script::default().charge([Act::Charge(Err(unknown())), Act::Charge(Err(unknown()))]).charge(answers(captured()));
        let caller = Caller::with(database, &script).await;
        let order = caller.order();
        order.confirm_stock().await;
        order.becomes(PaymentStatus::Captured).await;
        assert_eq!(script.times("charge"), 3);
        assert_eq!(order.story().await, ["PaymentRequested", "PaymentCaptured"]);
    }

    async fn a_capture_that_came_before_the_void_is_refunded(database: Database) {
        let script = Script::default()
            .charge([Act::Charge(Err(unknown()))])
            .void([Act::Charge(Err(unknown())), Act::Charge(Ok(captured()))])
            .refund([Act::Refund(Err(unknown())), refunded()]);
        let caller = Caller::with(database, &script).await;
        let order = caller.order();
        order.confirm_stock().await;
        called(&script, "charge", 1).await;
        order.cancel().await;
        order.becomes(PaymentStatus::Refunded).await;
        assert_eq!(
            order.story().await,
            ["PaymentRequested", "PaymentVoidRequested", "PaymentCaptured", "PaymentRefundRequested", "PaymentRefunded"],
        );
    }
}

#[test]
fn a_charge_that_has_the_id_of_another_orders_is_given_back() {
    block_on(async {
        let script = Script::default().charge(answers(captured())).refund([refunded()]);
        let caller = Caller::with(Database::sqlite(), &script).await;
        let (first, second) = (caller.order(), caller.order());
        first.confirm_stock().await;
        first.becomes(PaymentStatus::Captured).await;
        second.confirm_stock().await;
        second.becomes(PaymentStatus::Refunded).await;
        assert_eq!(first.status().await, PaymentStatus::Captured);
    });
}

#[test]
fn what_a_void_finds_taken_is_given_back_as_it_was_taken() {
    block_on(async {
        let other = Receipt { amount: Money { currency: "XBT".to_owned(), minor: 7 }, id: None };
        let script = Script::default()
            .charge([Act::Charge(Err(NoAnswer::Unreadable("an answer that cannot be read")))])
            .void(answers(ChargeAnswer::Captured(other.clone())))
            .refund([Act::Refund(Ok(other.clone()))]);
        let caller = Caller::with(Database::sqlite(), &script).await;
        let order = caller.order();
        order.confirm_stock().await;
        called(&script, "charge", 1).await;
        order.cancel().await;
        order.becomes(PaymentStatus::Refunded).await;
        assert_eq!(script.refunds(), [other.amount]);
    });
}

#[test]
fn a_refusal_of_the_request_is_never_a_decline() {
    block_on(async {
        let script = Script::default().charge([Act::Charge(Err(refused()))]).void(answers(ChargeAnswer::Voided));
        let caller = Caller::with(Database::sqlite(), &script).await;
        let order = caller.order();
        order.confirm_stock().await;
        called(&script, "charge", 3).await;
        assert_eq!(order.status().await, PaymentStatus::Pending);
        order.cancel().await;
        order.becomes(PaymentStatus::Voided).await;
    });
}

#[test]
fn a_charge_that_somebody_else_voided_waits_for_the_order_to_end() {
    block_on(async {
        let script = Script::default().charge(answers(ChargeAnswer::Voided)).void(answers(ChargeAnswer::Voided));
        let caller = Caller::with(Database::sqlite(), &script).await;
        let order = caller.order();
        order.confirm_stock().await;
        called(&script, "charge", 2).await;
        assert_eq!(order.status().await, PaymentStatus::Pending);
        order.cancel().await;
        order.becomes(PaymentStatus::Voided).await;
    });
}

#[test]
fn what_a_replaced_call_answers_is_dropped() {
    block_on(async {
        let next = ChargeAnswer::Captured(receipt(2_000, "ch_2"));
        let script = Script::default()
            .charge([Act::Held(captured()), Act::Held(next)])
            .void(answers(captured()))
            .refund([refunded()]);
        let caller = Caller::with(Database::sqlite(), &script).await;
        let order = caller.order();
        order.confirm_stock().await;
        called(&script, "charge", 1).await;
        order.cancel().await;
        order.becomes(PaymentStatus::Refunded).await;
        script.let_go();
        // The engine settles what has ended in the order in which it ended: this payment's dropped answer comes first.
        let second = caller.order();
        second.confirm_stock().await;
        called(&script, "charge", 2).await;
        script.let_go();
        second.becomes(PaymentStatus::Captured).await;
        assert_eq!(order.story().await.len(), 5, "{:?}", order.story().await);
    });
}

#[test]
fn a_decline_that_came_before_the_void_ends_it() {
    block_on(async {
        let script = Script::default().charge([Act::Charge(Err(unknown()))]).void(answers(declined()));
        let caller = Caller::with(Database::sqlite(), &script).await;
        let order = caller.order();
        order.confirm_stock().await;
        called(&script, "charge", 1).await;
        order.cancel().await;
        order.becomes(PaymentStatus::Declined).await;
        assert_eq!(order.story().await, ["PaymentRequested", "PaymentVoidRequested", "PaymentDeclined"]);
    });
}

#[test]
fn an_order_that_is_cancelled_before_it_asks_for_money_is_never_charged() {
    block_on(async {
        let script = Script::default();
        let caller = Caller::with(Database::sqlite(), &script).await;
        let order = caller.order();
        order.cancel().await;
        order.confirm_stock().await;
        assert_eq!(order.story().await, ["PaymentVoided"]);
    });
}
