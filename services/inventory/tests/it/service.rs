//! The whole service over mTLS gRPC, a real broker and a database.

use std::path::Path;
use std::time::Duration;

use contracts::tradewind::inventory::v1::inventory_service_client::InventoryServiceClient;
use contracts::tradewind::inventory::v1::{
    GetReservationRequest, GetStockRequest, ListOpenReservationsRequest, ListStockRequest, ReceiveStockRequest,
};
use tonic::Code;
use tradewind_mesh::{Channel, IdentityFiles, pki, reason, violations};
use tradewind_runtime::{Running, Settings};
use tradewind_testing::{Database, Nats, block_on, both_stores, channel, scratch};

const DEADLINE: Duration = Duration::from_secs(20);

/// Starts the service and waits until it is ready.
async fn start(folder: &Path, database: &Database, nats: &Nats) -> Running {
    pki::init(folder, &["inventory", "operator", "shipping"], "tradewind.local").unwrap();
    let files = IdentityFiles::in_dir(folder, "inventory");
    let settings = Settings::in_process(files, database.url(), nats.url());
    let mut running = inventory::service().start(settings).await.unwrap();
    running.ready(DEADLINE).await.unwrap();
    running
}

fn client(folder: &Path, who: &str, running: &Running) -> InventoryServiceClient<Channel> {
    InventoryServiceClient::new(channel(folder, who, "inventory", running.grpc_addr()))
}

fn delivery(request_id: &str, quantity: i64) -> ReceiveStockRequest {
    ReceiveStockRequest {
        request_id: request_id.to_owned(),
        sku: "TEA".to_owned(),
        location: "hull".to_owned(),
        quantity,
    }
}

both_stores! {
    async fn stock_is_received_and_shown(database: Database) {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let running = start(folder.path(), &database, &nats).await;
        let mut operator = client(folder.path(), "operator", &running);

        let first = operator.receive_stock(delivery("d-1", 5)).await.unwrap().into_inner();
        let again = operator.receive_stock(delivery("d-1", 5)).await.unwrap().into_inner();
        assert!(first.position.starts_with("inventory:"), "{}", first.position);
        assert_eq!(again.level, first.level);
        let reused = operator.receive_stock(delivery("d-1", 6)).await.unwrap_err();
        assert_eq!((reused.code(), reason(&reused).as_deref()), (Code::InvalidArgument, Some("REQUEST_ID_REUSED")));

        for quantity in [0, -1, 1_000_000_001] {
            let refused = operator.receive_stock(delivery("d-2", quantity)).await.unwrap_err();
            assert_eq!(refused.code(), Code::InvalidArgument);
            assert_eq!(reason(&refused).as_deref(), Some("QUANTITY_OUT_OF_RANGE"));
            assert_eq!(violations(&refused)[0].field, "quantity");
        }
        let levels = operator.get_stock(GetStockRequest { sku: "TEA".into() }).await.unwrap().into_inner().levels;
        assert_eq!(levels, [first.level.unwrap()]);
        let unknown = operator.get_stock(GetStockRequest { sku: "CUP".into() }).await.unwrap_err();
        assert_eq!((unknown.code(), reason(&unknown).as_deref()), (Code::NotFound, Some("STOCK_NOT_FOUND")));
        let listed = operator.list_stock(ListStockRequest::default()).await.unwrap().into_inner();
        assert_eq!((listed.levels, listed.next_page_token), (levels, String::new()));
    }
}

#[test]
fn malformed_requests_name_their_field_and_strangers_are_turned_away() {
    block_on(async {
        let (folder, nats, database) = (scratch(), Nats::start_for_services(), Database::sqlite());
        let running = start(folder.path(), &database, &nats).await;
        let mut operator = client(folder.path(), "operator", &running);

        let order = |id: &str| GetReservationRequest { order_id: id.to_owned() };
        let refused = operator.get_reservation(order("1")).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::InvalidArgument, Some("INVALID_ORDER_ID")));
        let refused = operator.get_reservation(order("0190163d-8694-739b-aea5-966c26f8ad91")).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::NotFound, Some("RESERVATION_NOT_FOUND")));
        for (page_size, page_token, field) in [(-1, "", "page_size"), (0, "x", "page_token")] {
            let page_token = page_token.to_owned();
            let levels = ListStockRequest { page_size, page_token: page_token.clone() };
            let refused = operator.list_stock(levels).await.unwrap_err();
            assert_eq!((refused.code(), violations(&refused)[0].field.as_str()), (Code::InvalidArgument, field));
            let open = ListOpenReservationsRequest { page_size, page_token };
            let refused = operator.list_open_reservations(open).await.unwrap_err();
            assert_eq!((refused.code(), violations(&refused)[0].field.as_str()), (Code::InvalidArgument, field));
        }

        let mut stranger = client(folder.path(), "shipping", &running);
        let refused = stranger.receive_stock(delivery("d-1", 5)).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    });
}
