//! What is left of faults without the feature: nothing.

use std::borrow::Cow;

use tradewind_broker::Broker;
use tradewind_broker::wire::Envelope;
use tradewind_domain::Error;
use tradewind_store::{Recorded, Store, Tx};

#[inline]
pub(crate) fn takes(_: &Broker, _: &Envelope) -> bool {
    false
}

#[inline]
pub(crate) fn seen<'a>(_: &str, payload: &'a [u8]) -> Cow<'a, [u8]> {
    Cow::Borrowed(payload)
}

#[inline]
pub(crate) async fn note(_: &mut Tx, _: &str, _: &Recorded) -> Result<(), Error> {
    Ok(())
}

/// Makes no table.
///
/// # Errors
/// None.
#[inline]
pub async fn create_journal(_: &Store) -> Result<(), Error> {
    Ok(())
}
