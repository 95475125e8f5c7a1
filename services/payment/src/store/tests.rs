//! The ledger's table over both stores.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "in a test a panic is the verdict")]

use contracts::tradewind::payment::v1::{Account, Balance};
use sea_orm::{EntityTrait, IntoActiveModel, PaginatorTrait};
use tradewind_projections::{Slot, Writer};
use tradewind_store::{Clock, Store, StoreOptions, Tx};
use tradewind_testing::{Database, both_stores};

use super::ledger_entry::{Entity, Model};
use super::{balances, migrations, number, put_entry};

async fn open(database: &Database) -> Store {
    let (url, clock) = (database.url(), Clock::system());
    let options = StoreOptions { url, context: "payment", migrations: migrations(), clock, partitions: None };
    Store::open(options).await.unwrap()
}

/// An entry of the event `e` that moves so much from what was sold to the customer.
fn entry(leg: i64, minor: i64) -> Model {
    Model {
        event_id: "e".to_owned(),
        leg,
        order_id: "o".to_owned(),
        debit: number(Account::Customer),
        credit: number(Account::Revenue),
        currency: "GBP".to_owned(),
        minor,
        reference: String::new(),
        partition: 0,
        position: 1,
        time: 1,
    }
}

async fn book(store: &Store, entries: &[Model]) {
    let booking = async |tx: &mut Tx| {
        entries.iter().for_each(|entry| put_entry(&mut Writer::new(tx.rows(), Slot::First), entry.clone()));
        Ok(())
    };
    store.transact(booking).await.unwrap();
}

fn minors(balances: Vec<Balance>) -> Vec<(Account, i64)> {
    balances.into_iter().map(|balance| (balance.account(), balance.amount.unwrap().minor)).collect()
}

both_stores! {
    async fn an_event_is_booked_once_however_often_it_is_read(database: Database) {
        let store = open(&database).await;
        for _ in 0..2 {
            book(&store, &[entry(1, 900), entry(2, 100)]).await;
        }
        assert_eq!(Entity::find().count(store.reader()).await.unwrap(), 2);
        let expected = [(Account::Customer, 1_000), (Account::Revenue, -1_000)];
        assert_eq!(minors(balances(store.reader(), Slot::First).await.unwrap()), expected);
    }

    async fn the_database_takes_no_entry_that_would_unbalance_the_ledger(database: Database) {
        let store = open(&database).await;
        let sound = entry(1, 900);
        for odd in [
            Model { minor: 0, ..sound.clone() },
            Model { minor: -900, ..sound.clone() },
            Model { credit: sound.debit, ..sound.clone() },
        ] {
            let put = async |tx: &mut Tx| {
                let odd = odd.clone();
                Entity::insert(odd.into_active_model()).exec_without_returning(tx.conn()).await.map_err(tradewind_sql::db)
            };
            assert!(store.transact(put).await.is_err(), "{odd:?}");
        }
        assert_eq!(Entity::find().count(store.reader()).await.unwrap(), 0);
    }

    async fn amounts_beyond_all_reason_can_be_summed_and_a_balance_without_room_is_refused(database: Database) {
        let store = open(&database).await;
        book(&store, &[entry(1, i64::MAX - 5), entry(2, 5)]).await;
        let expected = [(Account::Customer, i64::MAX), (Account::Revenue, -i64::MAX)];
        assert_eq!(minors(balances(store.reader(), Slot::First).await.unwrap()), expected);
        book(&store, &[entry(3, i64::MAX)]).await;
        assert_eq!(balances(store.reader(), Slot::First).await.unwrap_err().reason, "BALANCE_TOO_LARGE");
    }
}
