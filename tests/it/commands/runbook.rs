//! The runbook's commands, run in its order against a shop with two orders in quarantine. Left out are those about a cluster, and
//! `tradewind up`, which takes the documented ports; what the SQL does is shown by the kit's tests.

use std::collections::BTreeMap;
use std::process::Command;

use contracts::tradewind::consumer::v1::{ListParkedStreamsRequest, ParkedStream};
use sea_orm::ConnectionTrait;
use supervisor::services;
use tempfile::TempDir;
use tradewind_testing::{Database, block_on, scratch};

use super::documents::{Typed, typed};
use crate::programs::{binary, project, run, tool};
use crate::shop::Shop;

#[test]
fn the_commands_of_the_runbook_run() {
    block_on(Box::pin(async {
        let shop = Shop::open(Database::sqlite).await;
        let [replayed, discarded] = two_in_quarantine(&shop).await;
        let order = replayed.stream.trim_start_matches("order-");
        let known = [
            ("<service>", "payment"),
            ("<consumer>", "payment"),
            ("<order>", order),
            ("<n>", &discarded.position.to_string()),
            ("<why>", "a test"),
            ("<file>", "payment.backup"),
            ("<workload>", "gateway"),
            ("<method>", "PlaceOrder"),
            ("<address>", "staff@example.com"),
        ];
        let mut folders = BTreeMap::new();
        let mut ran = Vec::new();
        let runbook = std::fs::read_to_string(project("docs/runbook.md")).unwrap();
        for Typed { place, words, .. } in typed("docs/runbook.md", &runbook) {
            let program = match words[0].as_str() {
                // Those go on until they are told to stop.
                "tradewind" if !["console", "top", "up"].contains(&words[1].as_str()) => binary("tradewind"),
                "grpcurl" => tool("grpcurl"),
                "rm" if words[1..].iter().all(|file| file.starts_with(".tradewind/")) => "rm".into(),
                _ => continue,
            };
            let stream = if words.contains(&"discard".to_owned()) { &discarded.stream } else { &replayed.stream };
            let filled = [known.as_slice(), &[("<stream>", stream)]].concat();
            let fill =
                |word: &String| filled.iter().fold(word.clone(), |word, (name, value)| word.replace(name, value));
            let arguments: Vec<String> = words[1..].iter().map(fill).map(|word| shop_address(&shop, word)).collect();
            // What a block does to the certificates, the next does not meet.
            if !folders.contains_key(&place) {
                folders.insert(place.clone(), folder_of(&shop).await);
            }
            let folder: &TempDir = &folders[&place];
            let mut command = Command::new(program);
            let addresses = ["TRADEWIND_PEERS", "TRADEWIND_NATS_URL"];
            let addresses =
                shop.variables("payment").into_iter().filter(|(name, _)| addresses.contains(&name.as_str()));
            command.args(&arguments).current_dir(folder.path()).envs(addresses);
            let done = tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap();
            assert!(done.is_ok(), "{place}: {words:?} as {arguments:?}: {done:?}");
            ran.push(words.join(" "));
        }
        assert!(ran.len() > 20, "{ran:#?}");
        assert!(parked(&shop).await.is_empty(), "one was replayed, the other given up");
        shop.close().await;
    }));
}

/// Two orders, for both of which payment has what ordering asked of it in quarantine.
async fn two_in_quarantine(shop: &Shop) -> [ParkedStream; 2] {
    let tea = shop.offer("tea", 450, 2).await;
    for _ in 0..2 {
        let placed = shop.operator.place(tea.order(1)).await;
        shop.operator.settled(&placed.order_id).await;
    }
    let payment = tradewind_sql::connect(&shop.database_url("payment")).await.unwrap();
    let ordering = shop.database_url("ordering");
    let file = tradewind_sql::sqlite_file(&ordering).unwrap();
    let file = file.display();
    payment.execute_unprepared(&format!("ATTACH DATABASE '{file}' AS ordering")).await.unwrap();
    payment.execute_unprepared(PARK).await.unwrap();
    // There each lies sealed under a key that is ordering's alone.
    for event in shop.operator.log_of("ordering").await {
        let payload: String = event.payload.iter().map(|byte| format!("{byte:02x}")).collect();
        let (stream, version) = (event.stream, event.version);
        let plain =
            format!("UPDATE parked SET payload = x'{payload}' WHERE stream = '{stream}' AND version = {version}");
        payment.execute_unprepared(&plain).await.unwrap();
    }
    payment.close().await.unwrap();
    parked(shop).await.try_into().unwrap()
}

const PARK: &str = "
    INSERT INTO parked (consumer, source, stream, position, partition, version, event_id, type, payload, time, partition_key,
        correlation, causation, traceparent, reason, error, attempts, parked_at)
    SELECT 'payment', 'ordering', stream, position, log.partition, version, id, type, payload, time, partition_key,
        correlation, causation, traceparent, 'INTERNAL', 'a fault that is mended by now', 1, time
    FROM ordering.event JOIN ordering.log USING (stream, version) WHERE type = 'tradewind.ordering.v1.OrderStockConfirmed'";

async fn parked(shop: &Shop) -> Vec<ParkedStream> {
    let all = shop.operator.consumers_of("payment").list_parked_streams(ListParkedStreamsRequest::default()).await;
    all.unwrap().into_inner().streams
}

/// A folder as `tradewind up` would have left it, with copies of the shop's certificates.
async fn folder_of(shop: &Shop) -> TempDir {
    let folder = scratch();
    let pki = folder.path().join(".tradewind/pki");
    std::fs::create_dir_all(&pki).unwrap();
    for file in std::fs::read_dir(shop.pki().path()).unwrap() {
        let file = file.unwrap().path();
        std::fs::copy(&file, pki.join(file.file_name().unwrap())).unwrap();
    }
    // Databases that nobody uses, as after a stop.
    let data = folder.path().join(".tradewind/data");
    std::fs::create_dir_all(&data).unwrap();
    tradewind_operate::back_up(&shop.database_url("payment"), "payment", &data.join("payment.db")).await.unwrap();
    folder
}

/// A documented address as it is in this shop.
fn shop_address(shop: &Shop, word: String) -> String {
    let documented = services::all().into_iter().find(|each| word == format!("localhost:{}", each.grpc_port()));
    documented.map_or(word, |service| shop.address(service.name()).to_string())
}
