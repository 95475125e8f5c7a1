//! What a key is good for that somebody has shown at the edge.

use std::time::Duration;

use contracts::tradewind::identity::v1::{FindPartnerKeyResponse, PartnerKey};
use tradewind_domain::Error;
use tradewind_sql::{from_micros, timestamp};
use tradewind_store::Tx;

use super::Means;
use crate::domain::partner_key::customer_of;
use crate::metrics;
use crate::store::partner_keys;

/// How exactly it is known when a key was used: not every call writes.
const COARSE: Duration = Duration::from_secs(3_600);

/// Finds a key by its hash, and writes down that it was used.
///
/// # Errors
/// `NotFound` with reason `KEY_UNKNOWN`.
pub async fn find_partner_key(means: &Means, digest: &str) -> Result<FindPartnerKeyResponse, Error> {
    let now = means.store.now();
    let Some(found) = partner_keys::by_digest(means.store.command_reader(), digest, now).await? else {
        metrics::key_shown("unknown");
        let text = "there is no such key, or it is good no longer";
        return Err(Error::not_found::<PartnerKey>(digest, "KEY_UNKNOWN", text));
    };
    metrics::key_shown("known");
    if found.used.is_none_or(|used| now - from_micros(used) >= COARSE) {
        means.store.transact(async |tx: &mut Tx| partner_keys::meet(tx.conn(), &found.key_id, now).await).await?;
    }
    Ok(FindPartnerKeyResponse {
        customer_id: customer_of(&found.partner_id),
        scopes: partner_keys::scopes(&found),
        expire_time: found.expires.map(|expires| timestamp(from_micros(expires))),
        key_id: found.key_id,
    })
}
