//! The counters against the movements. Both are read at one moment, and what is committed then and not among the movements yet is added
//! to them: so nothing differs that is only late, and nothing is overlooked.

use contracts::tradewind::inventory::v1::{AuditStockResponse, StockDifference, StockDifferenceFound};
use tradewind_domain::{DecodeError, Error, EventSet as _};
use tradewind_store::{Recorded, Store, Tx};

use super::movements::slot_at;
use crate::domain::{
    Compared, Difference, DifferenceCommand, DifferenceEvent, Levels, Moving, compare, level_id, minus, plus,
};
use crate::store::{self, Of};

/// How many differences are recorded in one transaction.
const BATCH: usize = 100;

/// Compares up to `size` levels that follow the SKU and location `after`, records what differs and was not known to, and resolves what
/// agrees again.
///
/// # Errors
/// `Unavailable` when the database is, and with reason `PROJECTION_BEHIND` when too much is committed that the movements do not show.
pub async fn audit_stock(
    store: &Store,
    of: &Of,
    after: Option<(&str, &str)>,
    size: usize,
) -> Result<AuditStockResponse, Error> {
    let (levels, more) = compare_now(store, of, after, size).await?;
    let known = store::known(store.reader(), levels.iter().map(Compared::difference_id)).await?;
    let known = |level: &Compared| known.get(&level.difference_id()).copied();
    let is_news = |level: &&Compared| level.differs() && known(level) != Some(minus(level.counters, level.balance));
    let is_over = |level: &&Compared| !level.differs() && known(level).is_some();
    let news: Vec<_> = levels.iter().filter(is_news).map(StockDifferenceFound::from).collect();
    let over: Vec<_> = levels.iter().filter(is_over).map(Compared::difference_id).collect();

    let mut response =
        AuditStockResponse { levels: i32::try_from(levels.len()).unwrap_or(i32::MAX), ..Default::default() };
    for batch in news.chunks(BATCH) {
        let (found, _) = store.transact(async |tx: &mut Tx| find(tx, batch).await).await?;
        response.found.extend(found);
    }
    for batch in over.chunks(BATCH) {
        let (settled, _) = store.transact(async |tx: &mut Tx| agree(tx, batch).await).await?;
        response.settled += settled;
    }
    if let Some(last) = levels.last().filter(|_| more) {
        response.next_page_token = level_id(&last.sku, &last.location);
    }
    Ok(response)
}

/// What both sides say at this moment, and whether there are more levels.
pub(super) async fn compare_now(
    store: &Store,
    of: &Of,
    after: Option<(&str, &str)>,
    size: usize,
) -> Result<(Vec<Compared>, bool), Error> {
    let moment = store.reader().moment().await?;
    let (slot, unseen) = slot_at(store, &moment).await?;
    let counters = store::counters(&moment, of, after, size + 1).await?;
    let mut balances = store::balances(&moment, slot, of, after, size + 1).await?;
    drop(moment);
    for event in &unseen {
        add(&mut balances, event, |sku, location| {
            of.is(sku, location) && after.is_none_or(|last| (sku, location) > last)
        })?;
    }
    Ok(compare(&counters, &balances, size))
}

/// Adds what an event does to those levels that are asked for.
fn add(balances: &mut Levels, event: &Recorded, is_asked_for: impl Fn(&str, &str) -> bool) -> Result<(), Error> {
    let moving = match Moving::decode(&event.type_name, &event.payload) {
        Ok(moving) => moving,
        Err(DecodeError::UnknownType(_)) => return Ok(()),
        Err(malformed) => return Err(Error::internal(malformed)),
    };
    for moved in moving.movements().into_iter().filter(|moved| is_asked_for(&moved.sku, &moved.location)) {
        let balance = balances.entry((moved.sku, moved.location)).or_default();
        *balance = plus(*balance, moved.by);
    }
    Ok(())
}

async fn find(tx: &mut Tx, differences: &[StockDifferenceFound]) -> Result<Vec<StockDifference>, Error> {
    let mut all = Vec::new();
    for found in differences {
        let decided = tx.execute::<Difference>(&found.difference_id, DifferenceCommand::Find(found.clone())).await?;
        // Somebody else may have found it meanwhile.
        if !decided.events.is_empty() {
            all.push(store::put_found(tx, found.clone()));
        }
    }
    Ok(all)
}

async fn agree(tx: &mut Tx, ids: &[String]) -> Result<i32, Error> {
    let mut settled = 0;
    for id in ids {
        for event in tx.execute::<Difference>(id, DifferenceCommand::Agree).await?.events {
            if let DifferenceEvent::Resolved(resolved) = event {
                store::put_resolved(tx, resolved).await?;
                settled += 1;
            }
        }
    }
    Ok(settled)
}
