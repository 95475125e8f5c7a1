use contracts::tradewind::payment::v1::{Difference as Resource, ResolveDifferenceResponse};
use tradewind_domain::{Error, request::RequestKey};
use tradewind_store::{Store, Tx};

use crate::domain::{Difference, DifferenceCommand};
use crate::store;

/// Records that whoever asks has settled a difference, and how, once for each `request`, and returns it.
///
/// # Errors
/// `NotFound` with reason `DIFFERENCE_NOT_FOUND`; `Rejected` with reason `DIFFERENCE_RESOLVED`; `Invalid` with reason
/// `REQUEST_ID_REUSED` when the request's id was used for something else.
pub async fn resolve_difference(
    store: &Store,
    request: &RequestKey,
    difference_id: &str,
    note: &str,
) -> Result<ResolveDifferenceResponse, Error> {
    let resolving = async |tx: &mut Tx| resolve(tx, difference_id, note, &request.principal).await;
    let (response, _) = store.once(Some(request), resolving).await?;
    Ok(response)
}

async fn resolve(tx: &mut Tx, id: &str, note: &str, by: &str) -> Result<ResolveDifferenceResponse, Error> {
    let (difference_id, note, resolved_by) = (id.to_owned(), note.to_owned(), by.to_owned());
    let (said, who) = (note.clone().into(), resolved_by.clone().into());
    let command = DifferenceCommand::Resolve { difference_id, note: said, resolved_by: who };
    tx.execute::<Difference>(id, command).await.map_err(|error| error.of::<Resource>(id))?;
    let difference = store::put_resolved(tx, id, note, resolved_by).await?;
    Ok(ResolveDifferenceResponse { difference })
}
