//! Looking at the quarantine and emptying it, with the program against a running service.

use contracts::tradewind::ordering::v1::{OrderPlaced, PricedLine};
use prost::Message;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, Value};
use serde_json::Value as Json;

use crate::stage::Stage;

const STREAM: &str = "order-0190163d-8694-739b-aea5-966c26f8ad91";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Inventory with one stream in quarantine, and nobody else.
fn set() -> Stage {
    let stage = Stage::set();
    stage.runtime.block_on(park(&stage.database()));
    stage
}

/// An order for something nobody sells, which inventory can answer by now, and behind it an event that nobody can read.
async fn park(url: &str) {
    let order_id = STREAM.trim_start_matches("order-").to_owned();
    let line = PricedLine { sku: "NONE".to_owned(), quantity: 1, ..PricedLine::default() };
    let placed =
        OrderPlaced { order_id, lines: vec![line], payment_token: "tok_secret".to_owned(), ..OrderPlaced::default() };
    let database = tables_of(url).await;
    let cursor = "INSERT INTO cursor (consumer, source, partition, position, incarnation, updated) VALUES ('inventory', 'ordering', 0, 7, 'x', 0)";
    database.execute_unprepared(cursor).await.unwrap();
    insert(&database, 5, "OrderPlaced", placed.encode_to_vec(), "INTERNAL", 2).await;
    insert(&database, 7, "OrderPlaced", vec![0xff; 3], "BEHIND_PARKED", 0).await;
    database.close().await.unwrap();
}

/// The service's database once its tables are there.
async fn tables_of(url: &str) -> DatabaseConnection {
    tradewind_testing::eventually(std::time::Duration::from_secs(20), "the tables are there", async || {
        let database = tradewind_sql::connect(url).await.map_err(|error| error.to_string())?;
        let migrated = database.execute_unprepared("SELECT * FROM stock").await;
        migrated.map(|_| database).map_err(|error| error.to_string())
    })
    .await
}

async fn insert(database: &DatabaseConnection, position: i64, event: &str, body: Vec<u8>, reason: &str, attempts: i64) {
    let insert = "INSERT INTO parked (consumer, source, stream, position, partition, version, event_id, type, payload, \
         time, partition_key, correlation, causation, traceparent, reason, error, attempts, parked_at) VALUES \
         ('inventory', 'ordering', $1, $2, 0, $2, $3, $4, $5, 0, '', 'the-order', '', $6, $7, '', $8, 0)";
    let values: [Value; 8] = [
        STREAM.into(),
        position.into(),
        uuid::Uuid::now_v7().into(),
        format!("tradewind.ordering.v1.{event}").into(),
        body.into(),
        format!("00-{TRACE}-b7ad6b7169203331-01").into(),
        reason.into(),
        attempts.into(),
    ];
    database
        .execute_raw(Statement::from_sql_and_values(database.get_database_backend(), insert, values))
        .await
        .unwrap();
}

#[test]
fn a_stream_in_quarantine_is_explained_replayed_and_at_last_given_up() {
    let stage = set();

    let everywhere: Json = serde_json::from_str(&stage.fails(&["--json", "quarantine", "list"], 1)).unwrap();
    assert_eq!(everywhere["streams"][0]["service"], "inventory");
    assert_eq!(everywhere["streams"][0]["queued"], "1");
    let others = supervisor::services::names().len() - 1;
    assert_eq!(everywhere["away"].as_object().unwrap().len(), others, "{everywhere:#}");
    let here = stage.succeeds(&["quarantine", "list", "inventory"]);
    assert!(here.contains(STREAM) && here.contains("INTERNAL, 1 behind it"), "{here}");

    let shown = stage.succeeds(&["quarantine", "show", "inventory", STREAM]);
    for expected in ["OrderPlaced", "\"paymentToken\": \"[redacted]\"", TRACE, "the-order", "position 7"] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let programs = stage.succeeds(&["--json", "quarantine", "show", "inventory", STREAM]);
    let events: Json = serde_json::from_str(&programs).unwrap();
    assert_eq!(events["events"][0]["event"]["payload"]["message"]["lines"][0]["sku"], "NONE");
    assert_eq!(events["events"][1]["event"]["payload"]["hex"], "ffffff");
    assert!(!shown.contains("tok_secret") && !programs.contains("tok_secret"), "{shown}{programs}");

    let foretold = stage.fails(&["quarantine", "replay", "inventory", STREAM, "--dry-run"], 1);
    assert!(foretold.contains("OrderPlaced  would be handled"), "{foretold}");
    assert!(foretold.contains("OrderPlaced  would fail: EVENT_UNDECODABLE"), "{foretold}");
    let replayed = stage.fails(&["quarantine", "replay", "inventory", STREAM], 1);
    assert!(replayed.contains("OrderPlaced  handled (the copy"), "{replayed}");
    assert!(replayed.contains("failed again: EVENT_UNDECODABLE") && replayed.contains("1 left"), "{replayed}");
    let shown = stage.succeeds(&["quarantine", "show", "inventory", STREAM]);
    assert!(shown.contains("3 bytes: ffffff") && shown.contains("attempts     1"), "{shown}");

    let discard = |position| ["quarantine", "discard", "inventory", STREAM, "--reason=broken", "--position", position];
    assert!(stage.fails(&discard("5"), 1).contains("POSITION_MISMATCH"));
    assert!(stage.succeeds(&discard("7")).contains("given up"));
    assert!(stage.succeeds(&["quarantine", "list", "inventory"]).contains("nothing is in quarantine"));
    assert!(stage.fails(&["quarantine", "show", "inventory", STREAM], 1).contains("nothing of"));
    assert!(stage.succeeds(&["quarantine", "replay", "inventory", "--all"]).is_empty());

    let log = stage.succeeds(&["quarantine", "log", "inventory"]);
    let acts: Vec<_> = log.lines().map(|line| line.split_whitespace().skip(2).take(2).collect::<Vec<_>>()).collect();
    let expected = [["DISCARD", "DONE"], ["DISCARD", "REFUSED"], ["REPLAY", "FAILED"], ["REPLAY", "DONE"]];
    assert_eq!(acts, expected, "{log}");
    assert!(log.lines().all(|line| line.contains("operator")) && log.contains("broken"), "{log}");
}

/// What a terminal would obey, and a line that claims to be another's.
const HOSTILE: &str = "\u{1b}[2Jgone\u{202e}\u{9b}31m\ninventory     all is well\r";

#[test]
fn what_others_wrote_is_shown_and_never_obeyed() {
    let stage = set();
    let tame = |text: &str| {
        let lines: Vec<_> = text.lines().collect();
        assert!(lines.iter().all(|line| tradewind_domain::is_printable(line)), "{text:?}");
        assert!(!lines.iter().any(|line| line.starts_with("inventory     all is well")), "{text:?}");
    };
    let reason = format!("--reason={HOSTILE}");
    tame(&stage.fails(&["consumer", "pause", "inventory", "inventory", &reason], 1));
    // Of a build that let it in.
    stage.runtime.block_on(async {
        let url = stage.database();
        let database = tables_of(&url).await;
        let pause = "INSERT INTO pause (consumer, since, principal, reason) VALUES ('inventory', 0, 'operator', $1)";
        let backend = database.get_database_backend();
        database.execute_raw(Statement::from_sql_and_values(backend, pause, [HOSTILE.into()])).await.unwrap();
        database.close().await.unwrap();
    });
    let paused = stage.succeeds(&["consumer", "list", "inventory"]);
    assert!(paused.contains("\\u{1b}[2Jgone\\u{202e}\\u{9b}31m\\ninventory     all is well"), "{paused}");
    for command in
        [["consumer", "list", "inventory"], ["quarantine", "log", "inventory"], ["quarantine", "list", "inventory"]]
    {
        tame(&stage.succeeds(&command));
        let json = stage.succeeds(&[&["--json"], command.as_slice()].concat());
        tame(&json);
        let read: Json = serde_json::from_str(&json).unwrap();
        let whole = read["consumers"][0]["pause"]["reason"].as_str().is_none_or(|reason| reason == HOSTILE);
        assert!(whole, "{read:#}");
    }
    let refused = stage.fails(&["quarantine", "show", "inventory", HOSTILE], 1);
    tame(&refused);
}

#[test]
fn consumers_are_listed_and_only_an_operator_may_ask() {
    let stage = set();
    let listed = stage.succeeds(&["consumer", "list", "inventory"]);
    assert!(listed.contains("reads ordering") && listed.contains("7 of ?"), "{listed}");
    assert!(listed.contains("1 streams, 2 events"), "{listed}");
    let paused = stage.fails(&["consumer", "pause", "inventory", "nobody", "--reason=why"], 1);
    assert!(paused.contains("CONSUMER_UNKNOWN"), "{paused}");
    for command in [["consumer", "list", "inventory"], ["quarantine", "list", "inventory"]] {
        let refused = stage.fails(&[&["--as=notification"], command.as_slice()].concat(), 1);
        assert!(refused.contains("PERMISSION_DENIED"), "{refused}");
    }
}
