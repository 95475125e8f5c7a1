//! Proves the books: what the outside world's own statements say must equal what the orders say,
//! and every unit of stock must be accounted for.

mod collect;
mod proof;

use std::time::Duration;

use anyhow::Result;

pub(crate) use collect::Facts;
pub(crate) use proof::{Proof, prove};

use crate::shop::Shop;

/// Collects and proves until everything holds, for the last consequences of an order arrive after
/// it is settled; gives up after `limit` and returns what still does not hold.
///
/// # Errors
/// When a service or the outside world cannot be asked.
pub(crate) async fn settle(shop: &Shop, outside_url: &str, limit: Duration) -> Result<Proof> {
    let give_up = tokio::time::Instant::now() + limit;
    loop {
        let proof = prove(&Facts::collect(shop, outside_url).await?);
        if proof.holds() || tokio::time::Instant::now() >= give_up {
            return Ok(proof);
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
