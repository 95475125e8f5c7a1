//! What is left of faults without the feature: nothing.

use sea_orm::DatabaseConnection;
use tradewind_domain::Error;

use super::Point;
use crate::broker::Broker;
use crate::wire::Envelope;
use crate::{Recorded, Tx};

#[inline]
pub(crate) fn hit(_: Point, _: &str) {}

#[inline]
pub(crate) fn takes(_: &Broker, _: &Envelope) -> bool {
    false
}

#[expect(clippy::unused_async, reason = "with the feature it writes")]
#[inline]
pub(crate) async fn note(_: &mut Tx, _: &str, _: &Recorded) -> Result<(), Error> {
    Ok(())
}

#[expect(clippy::unused_async, reason = "with the feature it writes")]
#[inline]
pub(crate) async fn create_journal(_: &DatabaseConnection) -> Result<(), Error> {
    Ok(())
}
