//! That nothing was lost, done twice or out of order: by the books, by what was received and said, and by the journals.

use tradewind_testing::eventually;

use super::orders::Settled;
use super::{PATIENCE, journal};
use crate::books;
use crate::shop::Shop;

/// Fails where what the shop, the outside and the readers say is not what has been settled; returns how many events there are.
pub(super) async fn prove(shop: &Shop, settled: &Settled) -> u64 {
    settled.check_scarce();
    eventually(PATIENCE, "the shop has the orders that it acknowledged, and no others", async || {
        let listed = shop.operator.orders().await;
        let listed = listed.into_iter().map(|order| order.order_id).collect();
        let differing: Vec<_> = settled.ids().symmetric_difference(&listed).cloned().collect();
        if differing.is_empty() { Ok(()) } else { Err(differing) }
    })
    .await;
    books::prove(shop).await;
    let deliveries = settled.deliveries();
    for level in shop.operator.stock().await {
        assert_eq!(deliveries.get(&level.sku), Some(&level.received), "what was received of {}", level.sku);
    }
    for (email, times) in settled.messages() {
        eventually(PATIENCE, &format!("{email} has {times:?} messages"), async || {
            let mail = shop.outside.mail_to(&email).await;
            assert!(mail.len() <= *times.end(), "{email} was told twice: {mail:?}");
            times.contains(&mail.len()).then_some(()).ok_or(mail)
        })
        .await;
    }
    journal::prove(shop).await
}
