//! The end of a partner's key.

use contracts::tradewind::identity::v1::RevokePartnerKeyResponse;
use tradewind_domain::Error;
use tradewind_store::Tx;

use super::Means;
use super::means::hold_staff;
use crate::domain::partner_key::{Command, KeyError, PartnerKey};
use crate::store::partner_keys;

/// Makes a key good for nothing; `by` is who asks, if it is somebody.
///
/// # Errors
/// `NotFound`; `Denied` with reason `ROLE_MISSING`.
pub async fn revoke_partner_key(
    means: &Means,
    key_id: &str,
    by: Option<&str>,
) -> Result<RevokePartnerKeyResponse, Error> {
    means.store.transact(async |tx: &mut Tx| revoke(tx, key_id, by).await).await?;
    Ok(RevokePartnerKeyResponse {})
}

async fn revoke(tx: &mut Tx, key_id: &str, by: Option<&str>) -> Result<(), Error> {
    hold_staff(tx, by).await?;
    if !partner_keys::remove(tx.conn(), key_id).await? {
        return Err(KeyError::NotFound.into());
    }
    tx.execute::<PartnerKey>(key_id, Command::Revoke(by.unwrap_or_default().to_owned())).await?;
    let key_id = key_id.to_owned();
    tx.after(move || tracing::info!(key_id, "a partner's key is revoked"));
    Ok(())
}
