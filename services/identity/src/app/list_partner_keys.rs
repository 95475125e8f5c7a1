//! The keys of partners, a page at a time.

use contracts::tradewind::identity::v1::{ListPartnerKeysResponse, PartnerKey};
use tradewind_domain::{Error, request};

use super::Means;
use crate::store::partner_keys;

/// Returns up to `size` keys that follow the id `after`; only those of a partner, where one is given.
///
/// # Errors
/// When the database fails.
pub async fn list_partner_keys(
    means: &Means,
    after: &str,
    partner_id: Option<&str>,
    size: usize,
) -> Result<ListPartnerKeysResponse, Error> {
    let found = partner_keys::page(means.store.reader(), after, partner_id, size + 1).await?;
    let found = found.into_iter().map(PartnerKey::from).collect();
    let (partner_keys, next_page_token) = request::page(found, size, |last: &PartnerKey| last.key_id.clone());
    Ok(ListPartnerKeysResponse { partner_keys, next_page_token })
}
