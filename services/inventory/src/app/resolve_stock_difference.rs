use contracts::tradewind::inventory::v1::{
    ResolveStockDifferenceResponse, StockCount, StockDifference as Resource, StockDifferenceResolved,
};
use tradewind_domain::{Error, ErrorKind, Sensitive, request::RequestKey};
use tradewind_store::{Store, Tx};

use super::audit_stock::compare_now;
use crate::domain::{Difference, DifferenceCommand, DifferenceEvent, is_possible, minus, plus};
use crate::store::{self, Of, StockRow};

/// How somebody settles a difference.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolving {
    /// Its id.
    pub difference_id: String,
    /// What there is to say.
    pub note: Sensitive<String>,
    /// Whether the counters are set to what the movements come to.
    pub correct_counters: bool,
}

/// Records that whoever asks has settled a difference, and how, once for each `request`, and returns it.
///
/// The counters are changed by what lay between the two sides when it was found, as long as that still lies between them.
///
/// # Errors
/// `NotFound` with reason `DIFFERENCE_NOT_FOUND`; `Rejected` with reason `DIFFERENCE_RESOLVED`, or `DIFFERENCE_CHANGED` when something else lies between the
/// two sides now, or `COUNTERS_NOT_CORRECTABLE` when more would be set aside than is there; `Invalid` with reason `REQUEST_ID_REUSED` when the request's id was used for something else.
pub async fn resolve_stock_difference(
    store: &Store,
    request: &RequestKey,
    resolving: &Resolving,
) -> Result<ResolveStockDifferenceResponse, Error> {
    let resolve = async |tx: &mut Tx| resolve(store, tx, resolving, &request.principal).await;
    let (response, _) = store.once(Some(request), resolve).await?;
    Ok(response)
}

async fn resolve(
    store: &Store,
    tx: &mut Tx,
    resolving: &Resolving,
    by: &str,
) -> Result<ResolveStockDifferenceResponse, Error> {
    let Resolving { difference_id: id, note, correct_counters } = resolving.clone();
    let command = DifferenceCommand::Resolve { correct_counters, note, resolved_by: by.to_owned().into() };
    let decided = tx.execute::<Difference>(&id, command).await.map_err(|error| error.of::<Resource>(&id))?;
    let mut difference = None;
    for event in decided.events {
        if let DifferenceEvent::Resolved(resolved) = event {
            correct(store, tx, &resolved).await?;
            difference = store::put_resolved(tx, resolved).await?;
        }
    }
    Ok(ResolveStockDifferenceResponse { difference })
}

/// Changes the counters by what the resolution says.
async fn correct(store: &Store, tx: &mut Tx, resolved: &StockDifferenceResolved) -> Result<(), Error> {
    let Some(change) = resolved.change else { return Ok(()) };
    let level = store::lock_level(tx.conn(), &resolved.sku, &resolved.location).await?;
    // Nobody moves the level now, so that what is seen of both sides stays. A level that is gone is told of below.
    let of = Of { sku: Some(resolved.sku.clone()), location: Some(resolved.location.clone()) };
    let (now, _) = compare_now(store, &of, None, 1).await?;
    if level.is_some() && now.first().is_none_or(|now| minus(now.balance, now.counters) != change) {
        let text = "something else lies between the counters and the movements by now: audit the level again";
        return Err(Error::new(ErrorKind::Rejected, "DIFFERENCE_CHANGED", text));
    }
    let corrected = level.map(|row| {
        let StockCount { received, shipped, reserved } = plus(StockCount::from(&row), change);
        StockRow { received, shipped, reserved, ..row }
    });
    match corrected.filter(|row| is_possible(row.into())) {
        Some(row) => store::set_counters(tx.conn(), &row).await,
        None => {
            let text = "the counters of the level cannot be set to what the movements come to: it is gone, or more would be set aside \
                 than is there";
            Err(Error::new(ErrorKind::Rejected, "COUNTERS_NOT_CORRECTABLE", text))
        }
    }
}
