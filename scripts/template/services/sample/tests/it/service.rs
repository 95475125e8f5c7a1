//! The whole service over mTLS gRPC, a real broker and a database.

use std::path::Path;
use std::time::Duration;

use contracts::tradewind::sample::v1::sample_service_client::SampleServiceClient;
use contracts::tradewind::sample::v1::{CreateItemRequest, GetItemRequest, Item};
use tonic::{Code, Status};
use tradewind_mesh::{Channel, IdentityFiles, missing, pki, reason, violations};
use tradewind_runtime::{Running, Settings};
use tradewind_testing::{Database, Nats, both_stores, channel, scratch};

const DEADLINE: Duration = Duration::from_secs(20);

/// What the service is told: where its credentials, its database and the broker are.
fn settings(folder: &Path, database: &Database, nats: &Nats) -> Settings {
    pki::init(folder, &["sample", "operator", "ordering"], "tradewind.local").unwrap();
    Settings::in_process(IdentityFiles::in_dir(folder, "sample"), database.url(), nats.url())
}

/// Starts the service and waits until it is ready.
async fn start(settings: Settings) -> Running {
    let mut running = sample::service().start(settings).await.unwrap();
    running.ready(DEADLINE).await.unwrap();
    running
}

fn client(folder: &Path, who: &str, running: &Running) -> SampleServiceClient<Channel> {
    SampleServiceClient::new(channel(folder, who, "sample", running.grpc_addr()))
}

fn creation(request_id: &str, item_id: &str) -> CreateItemRequest {
    let name = "The first".to_owned();
    CreateItemRequest { request_id: request_id.to_owned(), item_id: item_id.to_owned(), name }
}

async fn get(client: &mut SampleServiceClient<Channel>, item_id: &str) -> Result<Item, Status> {
    let found = client.get_item(GetItemRequest { item_id: item_id.to_owned() }).await?;
    Ok(found.into_inner().item.unwrap())
}

fn what(refused: &Status) -> (Code, String, String) {
    let field = violations(refused).into_iter().next().map(|violation| violation.field);
    let missing = missing(refused).into_iter().next().map(|missing| missing.name);
    (refused.code(), reason(refused).unwrap_or_default(), field.or(missing).unwrap_or_default())
}

fn is(code: Code, reason: &str, field: &str) -> (Code, String, String) {
    (code, reason.to_owned(), field.to_owned())
}

both_stores! {
    async fn an_item_is_added_and_found(database: Database) {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let running = start(settings(folder.path(), &database, &nats)).await;
        let mut operator = client(folder.path(), "operator", &running);

        let created = operator.create_item(creation("r-1", "one")).await.unwrap().into_inner();
        let again = operator.create_item(creation("r-1", "one")).await.unwrap().into_inner();
        assert!(created.position.starts_with("sample:"), "{}", created.position);
        assert_eq!(again.item, created.item);
        assert_eq!(get(&mut operator, "one").await.unwrap(), created.item.unwrap());
        let refused = operator.create_item(creation("r-1", "two")).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "REQUEST_ID_REUSED", "request_id"));
        let refused = operator.create_item(creation("r-2", "one")).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::AlreadyExists, "ITEM_EXISTS", "item_id"));
    }

    async fn malformed_requests_name_their_field_and_strangers_are_turned_away(database: Database) {
        let (folder, nats) = (scratch(), Nats::start_for_services());
        let running = start(settings(folder.path(), &database, &nats)).await;
        let mut operator = client(folder.path(), "operator", &running);

        let refused = operator.create_item(creation("r-1", "One")).await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "INVALID_ITEM_ID", "item_id"));
        let refused = get(&mut operator, "One").await.unwrap_err();
        assert_eq!(what(&refused), is(Code::InvalidArgument, "INVALID_ITEM_ID", "item_id"));
        let refused = get(&mut operator, "one").await.unwrap_err();
        assert_eq!(what(&refused), is(Code::NotFound, "ITEM_NOT_FOUND", "one"));

        let mut stranger = client(folder.path(), "ordering", &running);
        let refused = stranger.create_item(creation("r-1", "one")).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
}
