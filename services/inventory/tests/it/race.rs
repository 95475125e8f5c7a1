//! One unit, an order that holds it, and everything that can happen to both orders, in every order of arrival.

use contracts::tradewind::inventory::v1::ReservationStatus::{Rejected, Released, Reserved, Shipped};
use tradewind_testing::{Database, both_stores};

use crate::warehouse::{Warehouse, order};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Arrival {
    FirstCancelled,
    SecondPlaced,
    FirstDispatched,
}
use Arrival::{FirstCancelled, FirstDispatched, SecondPlaced};

const EVERY_ORDER: [[Arrival; 3]; 6] = [
    [FirstCancelled, SecondPlaced, FirstDispatched],
    [FirstCancelled, FirstDispatched, SecondPlaced],
    [SecondPlaced, FirstCancelled, FirstDispatched],
    [SecondPlaced, FirstDispatched, FirstCancelled],
    [FirstDispatched, FirstCancelled, SecondPlaced],
    [FirstDispatched, SecondPlaced, FirstCancelled],
];

both_stores! {
    async fn the_last_unit_is_never_given_twice(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        for (number, arrivals) in EVERY_ORDER.into_iter().enumerate() {
            let sku = format!("TEA-{number}");
            let (first, second) = (order(), order());
            warehouse.receive(&sku, "hull", 1).await;
            warehouse.place(&first, &[(&sku, 1)]).await.unwrap();

            let at = |arrival| arrivals.iter().position(|other| *other == arrival).unwrap();
            let released = at(FirstCancelled) < at(FirstDispatched);
            let free_in_time = released && at(FirstCancelled) < at(SecondPlaced);
            for arrival in arrivals {
                let outcome = match arrival {
                    FirstCancelled => warehouse.cancel(&first).await,
                    FirstDispatched => warehouse.dispatch(&first).await,
                    SecondPlaced => warehouse.place(&second, &[(&sku, 1)]).await,
                };
                // Whichever of the two comes second contradicts the first, for good.
                let expected = match arrival {
                    FirstCancelled if !released => Some(("CONTRADICTS_SHIPMENT", false)),
                    FirstDispatched if released => Some(("CONTRADICTS_RELEASE", false)),
                    _ => None,
                };
                let refused = outcome.err().map(|error| (error.reason, error.kind.is_transient()));
                assert_eq!(refused, expected, "{arrival:?} of {arrivals:?}");
                warehouse.assert_balanced().await;
            }

            let statuses = (warehouse.reservation(&first).await.status(), warehouse.reservation(&second).await.status());
            let expected = (if released { Released } else { Shipped }, if free_in_time { Reserved } else { Rejected });
            assert_eq!(statuses, expected, "{arrivals:?}");
            let level = warehouse.level(&sku).await;
            let expected = (i64::from(!released), i64::from(free_in_time), i64::from(released && !free_in_time));
            assert_eq!((level.shipped, level.reserved, level.available), expected, "{arrivals:?}");
        }
    }
}
