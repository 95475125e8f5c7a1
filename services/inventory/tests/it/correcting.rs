//! What was counted otherwise: never below what is set aside, once a request, and as an event.

use contracts::tradewind::inventory::v1::{CorrectStockRequest, StockCorrected, correct_stock_request};
use inventory::app;
use inventory::domain::{Correction, To};
use prost::Message;
use tradewind_domain::{ErrorKind, request::RequestKey};
use tradewind_store::StreamName;
use tradewind_testing::{Database, both_stores};

use crate::warehouse::{Warehouse, order};

both_stores! {
    async fn a_level_is_what_was_counted_and_never_less_than_is_set_aside(database: Database) {
        let warehouse = Warehouse::open(&database).await;
        warehouse.receive("TEA", "hull", 9).await;
        warehouse.place(&order(), &[("TEA", 4)]).await.unwrap();
        warehouse.correct("TEA", "hull", -5).await.unwrap();
        let level = warehouse.level("TEA").await;
        assert_eq!((level.on_hand, level.reserved, level.available), (4, 4, 0));

        let refused = warehouse.correct("TEA", "hull", -1).await.unwrap_err();
        assert_eq!((refused.kind, refused.reason), (ErrorKind::Rejected, "LEVEL_BELOW_RESERVED"));
        assert_eq!((refused.metadata["on_hand"].as_str(), refused.metadata["reserved"].as_str()), ("4", "4"));
        let refused = warehouse.correct("TEA", "york", 1).await.unwrap_err();
        assert_eq!((refused.kind, refused.reason), (ErrorKind::NotFound, "STOCK_NOT_FOUND"));
        assert_eq!(warehouse.level("TEA").await, level);

        warehouse.receive("TEA", "hull", 1).await;
        let history = warehouse.store.history(&StreamName::from("stock-TEA@hull")).await.unwrap();
        assert_eq!(history.iter().map(|event| event.version).collect::<Vec<_>>(), [1, 2, 3]);
        let corrected = StockCorrected::decode(history[1].payload.as_slice()).unwrap();
        assert_eq!((corrected.change, corrected.on_hand, corrected.corrected_by.as_str()), (-5, 4, "operator"));
        warehouse.assert_balanced().await;
    }
}

/// On SQLite, where the token of a write needs no sequencer.
#[test]
fn a_repeated_request_corrects_once() {
    tradewind_testing::block_on(async {
        let database = Database::sqlite();
        let warehouse = Warehouse::open(&database).await;
        warehouse.receive("TEA", "hull", 9).await;
        let correct = async |id: &str, counted| {
            let request = CorrectStockRequest {
                request_id: id.to_owned(),
                to: Some(correct_stock_request::To::Counted(counted)),
                ..CorrectStockRequest::default()
            };
            let key = RequestKey::new("operator", "CorrectStock", id, &request, &request).unwrap().unwrap();
            let (sku, location, reason) = ("TEA".to_owned(), "hull".to_owned(), "stocktaking".to_owned().into());
            let correction = Correction { sku, location, to: To::Counted(counted), reason };
            app::correct_stock(&warehouse.store, &key, &correction).await
        };
        let first = correct("c-1", 7).await.unwrap();
        assert_eq!((first.change, first.level.as_ref().map(|level| level.on_hand)), (-2, Some(7)));
        warehouse.receive("TEA", "hull", 1).await;
        let again = correct("c-1", 7).await.unwrap();
        assert_eq!((again.change, again.level), (first.change, first.level));
        assert_eq!(warehouse.level("TEA").await.on_hand, 8);
        assert_eq!(correct("c-1", 6).await.unwrap_err().reason, "REQUEST_ID_REUSED");

        let right = correct("c-2", 8).await.unwrap();
        assert_eq!(right.change, 0);
        let history = warehouse.store.history(&StreamName::from("stock-TEA@hull")).await.unwrap();
        assert_eq!(history.len(), 3, "what is as it was said is no event");
    });
}
