//! `tradewind order explain` on an order that shipping keeps waiting, and on the same order once it is settled.

use std::collections::BTreeMap;
use std::process::Command;
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;
use tradewind_testing::{Database, eventually, scratch};

use crate::programs::{binary, run};
use crate::shop::{Shop, in_a_shop};
use system_tests::PATIENCE;

#[test]
fn an_order_that_waits_says_for_whom_and_shows_the_gap_once_it_is_settled() {
    in_a_shop(Database::sqlite, waits_for_shipping);
}

async fn waits_for_shipping(shop: &mut Shop) {
    let tradewind = Program::of(shop);
    let tea = shop.offer("tea", 450, 5).await;
    shop.stop("shipping").await;
    let order = shop.operator.place(tea.order(1)).await.order_id;
    let told = eventually(PATIENCE, "it is paid and awaits shipping", async || {
        let told = tradewind.explained(&order).await;
        let awaited = told["awaited"].as_array().unwrap();
        let waits = awaited.iter().any(|one| one["after"] == "OrderPaid" && one["from"] == "shipping");
        if waits { Ok(told) } else { Err(told) }
    })
    .await;
    let paid = Instant::now();
    let awaited = &told["awaited"][0];
    assert_eq!(awaited["any_of"], serde_json::json!(["OrderConfirmed", "OrderCancelled"]), "{told:#}");
    assert_eq!(awaited["command"], "tradewind status", "{told:#}");
    assert!(told["away"]["shipping"].is_string(), "{told:#}");
    assert_eq!(
        told["open"].as_array().unwrap().iter().map(|open| open["timers"].as_array().unwrap().len()).sum::<usize>(),
        1
    );
    let text = tradewind.says(&["order", "explain", &order]).await.unwrap();
    assert!(text.contains("shipping cannot be asked"), "{text}");
    assert!(text.contains("Awaited: OrderConfirmed or OrderCancelled after OrderPaid, from shipping until "), "{text}");

    let waited = paid.elapsed().as_millis();
    shop.start(&["shipping"]).await;
    shop.operator.settled(&order).await;
    // Who was told last has to have said that it was.
    let told = eventually(PATIENCE, "nothing is awaited any more, and everything is handled", async || {
        let told = tradewind.explained(&order).await;
        let settled = told["awaited"] == serde_json::json!([]) && told["status"] == "CONFIRMED";
        if settled && reached(&told).iter().all(|(_, reached)| reached == "handled") { Ok(told) } else { Err(told) }
    })
    .await;
    let steps = told["steps"].as_array().unwrap();
    let offset = |name: &str| {
        let step = steps.iter().find(|step| step["event"]["name"] == name).unwrap();
        step["offset_ms"].as_u64().unwrap()
    };
    let gap = u128::from(offset("ShipmentRequested") - offset("OrderPaid"));
    assert!(gap >= waited, "shipping was away for {waited} ms of it: {told:#}");
    let versions: Vec<_> = steps.iter().filter(|step| step["service"] == "ordering").collect();
    let versions: Vec<_> = versions.iter().map(|step| step["event"]["version"].as_u64().unwrap()).collect();
    assert_eq!(versions, [1, 2, 3, 4], "{told:#}");
    assert!(steps.iter().all(|step| step["event"]["position"].as_u64().unwrap() > 0), "{told:#}");
    assert_eq!(told["traces"].as_array().unwrap().len(), 1, "{told:#}");
    let text = tradewind.says(&["order", "explain", &order]).await.unwrap();
    assert!(text.trim_end().ends_with("Nothing is awaited."), "{text}");

    let unknown = "0190163d-8694-739b-aea5-966c26f8ad91";
    let refused = tradewind.says(&["order", "explain", unknown]).await.unwrap_err();
    assert!(refused.contains("NOT_FOUND") && refused.contains(unknown), "{refused}");
    let refused = tradewind.says(&["order", "explain", "no id"]).await.unwrap_err();
    assert!(refused.starts_with("tradewind: ") && refused.contains("must be a UUID"), "{refused}");
}

/// Each event with each of those who react to it, and how far that one is.
fn reached(told: &Value) -> Vec<(String, String)> {
    let events = told["steps"].as_array().unwrap().iter().filter_map(|step| step.get("event"));
    let readers = events.flat_map(|event| {
        let readers = event["readers"].as_array().unwrap().iter();
        readers.map(|reader| (event["name"].to_string(), reader["reached"].as_str().unwrap().to_owned()))
    });
    readers.collect()
}

/// The command line, with the operator's certificate and the addresses of a shop.
pub(crate) struct Program {
    folder: TempDir,
    variables: BTreeMap<String, String>,
}

impl Program {
    pub(crate) fn of(shop: &Shop) -> Self {
        let folder = scratch();
        let pki = folder.path().join("pki");
        std::fs::create_dir(&pki).unwrap();
        for file in ["ca.pem", "operator.pem", "operator.key"] {
            std::fs::write(pki.join(file), shop.credential(file)).unwrap();
        }
        let mut variables = shop.variables("payment");
        variables.retain(|name, _| name == "TRADEWIND_PEERS");
        Self { folder, variables }
    }

    /// What it writes on standard output, or on standard error where it fails.
    pub(crate) async fn says(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(binary("tradewind"));
        command.arg("--dir").arg(self.folder.path()).args(arguments).envs(&self.variables);
        tokio::task::spawn_blocking(move || run(&mut command)).await.unwrap()
    }

    /// The timeline of an order.
    pub(crate) async fn explained(&self, order_id: &str) -> Value {
        let text = self.says(&["order", "explain", order_id, "--json"]).await.unwrap();
        serde_json::from_str(&text).unwrap()
    }
}
