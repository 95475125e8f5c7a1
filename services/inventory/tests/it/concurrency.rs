//! Many at once: the last units are sold once, and transactions never wait for each other in a circle.

use contracts::tradewind::inventory::v1::ReservationStatus;
use futures::future::join_all;
use inventory::store::level::{Column, Entity};
use sea_orm::EntityTrait;
use sea_orm::sea_query::Expr;
use tradewind_testing::{Database, both_stores};

use crate::warehouse::{Warehouse, order};

const SKUS: [&str; 5] = ["CUP", "JAM", "MUG", "POT", "TEA"];

both_stores! {
    async fn the_last_units_are_never_oversold(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        warehouse.receive("TEA", "hull", 4).await;
        warehouse.receive("TEA", "york", 3).await;
        let orders: Vec<String> = (0..40).map(|_| order()).collect();
        let placing = orders.iter().map(|order| {
            let (warehouse, order) = (warehouse.clone(), order.clone());
            tokio::spawn(async move { warehouse.place(&order, &[("TEA", 1)]).await })
        });
        for placed in join_all(placing.collect::<Vec<_>>()).await {
            placed.unwrap().unwrap();
        }
        let mut reserved = 0;
        for order in &orders {
            reserved += i32::from(warehouse.reservation(order).await.status() == ReservationStatus::Reserved);
        }
        assert_eq!(reserved, 7);
        assert_eq!(warehouse.open_reservations().await.len(), 7);
        warehouse.assert_balanced().await;
    }

    /// Each transaction takes units for several orders, in another order of SKUs than its neighbours; none is run again.
    async fn transactions_of_many_orders_do_not_deadlock(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        for sku in SKUS {
            warehouse.receive(sku, "hull", 1000).await;
        }
        let placing = (0..12_usize).map(|worker| {
            let warehouse = warehouse.clone();
            tokio::spawn(async move {
                for round in 0..5_usize {
                    let lines = |step: usize| vec![(SKUS[(worker * step + round) % SKUS.len()], 1)];
                    let batch: Vec<_> = (1..=5).map(|step| (order(), lines(step))).collect();
                    warehouse.place_batch(&batch).await?;
                }
                Ok::<(), tradewind_domain::Error>(())
            })
        });
        for placed in join_all(placing.collect::<Vec<_>>()).await {
            placed.unwrap().unwrap();
        }
        let reserved: i64 = warehouse.levels().await.iter().map(|level| level.reserved).sum();
        assert_eq!(reserved, 12 * 5 * 5);
        warehouse.assert_balanced().await;
    }

    /// Orders come, go and leave from several tasks at once, among receipts.
    async fn counters_are_the_sum_of_open_reservations_after_a_busy_day(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        let busy = (0..8_usize).map(|worker| {
            let warehouse = warehouse.clone();
            tokio::spawn(async move {
                for round in 0..12_usize {
                    let sku = |offset: usize| SKUS[(worker * 7 + round * 3 + offset) % SKUS.len()];
                    let location = ["hull", "york"][(worker + round) % 2];
                    warehouse.receive(sku(0), location, 2).await;
                    let order = order();
                    warehouse.place(&order, &[(sku(0), 1), (sku(1), 2), (sku(3), 1)]).await.unwrap();
                    let reserved = warehouse.reservation(&order).await.status() == ReservationStatus::Reserved;
                    match (worker + round) % 3 {
                        0 => warehouse.cancel(&order).await.unwrap(),
                        1 if reserved => warehouse.dispatch(&order).await.unwrap(),
                        _ => {}
                    }
                }
            })
        });
        for done in join_all(busy.collect::<Vec<_>>()).await {
            done.unwrap();
        }
        let levels = warehouse.levels().await;
        assert_eq!(levels.iter().map(|level| level.received).sum::<i64>(), 8 * 12 * 2);
        assert!(levels.iter().any(|level| level.shipped > 0) && levels.iter().any(|level| level.reserved > 0));
        warehouse.assert_balanced().await;
    }

    async fn the_database_itself_refuses_negative_stock(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        warehouse.receive("TEA", "hull", 1).await;
        let (reserved, shipped) = (Column::Reserved, Column::Shipped);
        let wrongs: [&[_]; 5] =
            [&[(reserved, 2)], &[(reserved, -1)], &[(shipped, 2)], &[(shipped, -1)], &[(reserved, 1), (shipped, 1)]];
        for wrong in wrongs {
            let tx = warehouse.store.begin().await.unwrap();
            let set = |update: sea_orm::UpdateMany<Entity>, (column, to): &(Column, i64)| {
                update.col_expr(*column, Expr::value(*to))
            };
            let update = wrong.iter().fold(Entity::update_many(), set);
            let error = update.exec(tx.conn()).await.unwrap_err();
            assert!(error.to_string().to_lowercase().contains("check constraint"), "{wrong:?}: {error}");
        }
        assert_eq!(warehouse.level("TEA").await.available, 1);
    }
}
