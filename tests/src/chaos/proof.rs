//! That nothing was lost, done twice or out of order: by the books, by what was received and said, and by the journals.

use tradewind_testing::eventually;

use super::orders::Settled;
use super::{PATIENCE, journal};
use crate::outside_world::Outside;
use crate::people::Person;
use crate::shop::Shop;

/// Whose orders `tradewind smoke` places, and what it orders.
const SMOKE: &str = "smoke-test";

/// Fails where what the shop, the outside and the readers say is not what has been settled; returns how many events there are.
pub(super) async fn prove(shop: &Shop, settled: &Settled) -> u64 {
    prove_from_outside(&shop.operator, &shop.outside, settled).await;
    journal::prove(shop).await
}

/// The same by what can be seen without the services' databases.
pub(crate) async fn prove_from_outside(operator: &Person, outside: &Outside, settled: &Settled) {
    settled.check_scarce();
    eventually(PATIENCE, "the shop has the orders that it acknowledged, and no others", async || {
        let listed = operator.orders().await;
        let listed =
            listed.into_iter().filter(|order| order.customer_id != SMOKE).map(|order| order.order_id).collect();
        let differing: Vec<_> = settled.ids().symmetric_difference(&listed).cloned().collect();
        if differing.is_empty() { Ok(()) } else { Err(differing) }
    })
    .await;
    operator.prove_books(outside).await;
    let deliveries = settled.deliveries();
    for level in operator.stock().await {
        if level.sku != SMOKE.to_uppercase() {
            assert_eq!(deliveries.get(&level.sku), Some(&level.received), "what was received of {}", level.sku);
        }
    }
    eventually(PATIENCE, "everybody was told what became of their order", async || {
        let mut mail = outside.mail().await;
        for (email, times) in settled.messages() {
            let told = mail.remove(&email).unwrap_or_default();
            assert!(told.len() <= *times.end(), "{email} was told twice: {told:?}");
            if !times.contains(&told.len()) {
                return Err(format!("{email} has {told:?}, not {times:?} messages"));
            }
        }
        Ok(())
    })
    .await;
}
