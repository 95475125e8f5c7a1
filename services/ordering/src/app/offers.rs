use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};
use tradewind_domain::Error;
use tradewind_store::{Store, Topic, changed};

use crate::{
    domain::{Assortment, Wanted},
    store::price_list,
};

/// A product was put on the price list.
pub(super) static LISTED: Topic = Topic::all("price_list");

/// How long an order waits for products that ordering has not heard of.
const PATIENCE: Duration = Duration::from_secs(2);
/// How many orders wait so at once: half of the calls that a server works on at the least, so that orders for what never was keep
/// nobody else out. One more is answered at once.
const WAITING: usize = 16;
/// What is left of the caller's time, so that the answer is heard.
const MARGIN: Duration = Duration::from_millis(100);
/// How often those who wait look at a list that other processes keep as well.
const NET: Duration = Duration::from_millis(100);

/// What is offered, as the price list has it. An order may come before the news of a product that was listed a moment ago: it waits
/// for it.
pub(crate) struct Offers {
    store: Store,
    places: Semaphore,
    patience: Duration,
}

impl Offers {
    /// Those of the price list in `store`.
    pub(crate) fn of(store: &Store) -> Self {
        Self { store: store.clone(), places: Semaphore::new(WAITING), patience: PATIENCE }
    }

    /// The offers for what is wanted, once there are all of them, or 2 s have passed, or the call is over soon that `ends` then.
    /// What is unknown even so is left out.
    ///
    /// # Errors
    /// Whatever the database says.
    pub(super) async fn find(&self, wanted: &[Wanted], ends: Option<Instant>) -> Result<Assortment, Error> {
        let offers = self.look(wanted).await?;
        if offers.has_all(wanted) {
            return Ok(offers);
        }
        let Ok(_place) = self.places.try_acquire() else { return Ok(offers) };
        self.wait(wanted, ends).await
    }

    async fn wait(&self, wanted: &[Wanted], ends: Option<Instant>) -> Result<Assortment, Error> {
        let until = Instant::now() + self.patience;
        let until = ends.map_or(until, |ends| until.min(ends.checked_sub(MARGIN).unwrap_or(ends)));
        let mut listed = self.store.subscribe(&LISTED);
        loop {
            let offers = self.look(wanted).await?;
            let now = Instant::now();
            if offers.has_all(wanted) || now >= until {
                return Ok(offers);
            }
            let next = if self.store.is_shared() { until.min(now + NET) } else { until };
            // Whether it was told or the time has come, the list is looked at.
            let _ = timeout_at(next, changed(&mut listed)).await;
        }
    }

    async fn look(&self, wanted: &[Wanted]) -> Result<Assortment, Error> {
        price_list::find(self.store.command_reader(), wanted.iter().map(|line| line.product_id.as_str())).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the verdict")]
    use std::sync::Arc;

    use tokio::time::timeout;
    use tradewind_domain::Money;
    use tradewind_store::{Clock, StoreOptions, Tx};
    use tradewind_testing::{Database, both_stores, eventually};

    use super::*;

    const DEADLINE: Duration = Duration::from_secs(30);
    /// Longer than any test.
    const LONG: Duration = Duration::from_secs(3_600);

    async fn open(database: &Database) -> Store {
        let (url, clock, migrations) = (database.url(), Clock::system(), crate::store::migrations());
        Store::open(StoreOptions { url, context: "ordering", migrations, clock, partitions: None }).await.unwrap()
    }

    fn offers(store: &Store, patience: Duration) -> Arc<Offers> {
        Arc::new(Offers { patience, ..Offers::of(store) })
    }

    fn wanted(product_id: &str) -> Vec<Wanted> {
        vec![Wanted { product_id: product_id.to_owned(), quantity: 1 }]
    }

    async fn list(store: &Store, product_id: &str) {
        let put = async |tx: &mut Tx| {
            tx.wakes(&LISTED);
            price_list::put(tx.conn(), product_id, "SKU", "A thing", Money::new("GBP", 1).unwrap()).await
        };
        store.transact(put).await.unwrap();
    }

    both_stores! {
        async fn an_order_that_waits_is_woken_when_its_product_is_listed(database: Database) {
            let store = open(&database).await;
            let offers = offers(&store, LONG);
            let waits = {
                let offers = Arc::clone(&offers);
                tokio::spawn(async move { offers.find(&wanted("tea"), None).await.unwrap().has_all(&wanted("tea")) })
            };
            eventually(DEADLINE, "it waits", async || offers.places.available_permits() < WAITING).await;
            list(&store, "tea").await;
            assert!(timeout(DEADLINE, waits).await.unwrap().unwrap());
            assert_eq!(offers.places.available_permits(), WAITING);
        }

        async fn where_too_many_wait_one_more_is_answered_at_once_and_what_is_known_never_waits(database: Database) {
            let store = open(&database).await;
            list(&store, "tea").await;
            let offers = offers(&store, LONG);
            let _places = offers.places.try_acquire_many(u32::try_from(WAITING).unwrap()).unwrap();
            let find = async |product_id: &str| {
                let found = timeout(DEADLINE, offers.find(&wanted(product_id), None)).await.unwrap().unwrap();
                found.has_all(&wanted(product_id))
            };
            assert_eq!((find("milk").await, find("tea").await), (false, true));
        }

        async fn nobody_waits_longer_than_their_call_lasts_or_than_they_may(database: Database) {
            let store = open(&database).await;
            for (patience, ends) in [(LONG, Some(Instant::now() + MARGIN)), (Duration::from_millis(1), None)] {
                let found = timeout(DEADLINE, offers(&store, patience).find(&wanted("milk"), ends)).await.unwrap();
                assert!(!found.unwrap().has_all(&wanted("milk")));
            }
        }
    }
}
