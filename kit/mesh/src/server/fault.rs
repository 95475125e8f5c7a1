//! What an operator has asked to go wrong, for those who may call at all.

use contracts::tables::Method;
use tokio::time::Instant;
use tonic::Status;

use crate::deadline;
use crate::faults::Faults;
use crate::observe::Side;

/// Has a call wait until `end` at most, or end, if a fault says so. What is not in the contract has none.
pub(super) async fn put_in(
    faults: &Faults,
    method: Option<&'static Method>,
    end: Option<Instant>,
) -> Result<(), Status> {
    let Some(fault) = method.and_then(|method| faults.served(method)) else { return Ok(()) };
    deadline::within(end, Side::Server, fault.put_in()).await?.map_or(Ok(()), Err)
}
