//! The log of a service as others read it.

use contracts::tradewind::{
    catalog::v1::ProductRetired,
    eventlog::v1::{ReadKeyRequest, ReadLogRequest, event_log_service_client::EventLogServiceClient},
};
use prost::Message;
use tonic::Code;
use tradewind_domain::events;
use tradewind_mesh::{reason, violations};
use tradewind_store::{Clock, LOG_WENT_BACK, Store, StoreOptions, StreamName};

use crate::{
    database, harbour,
    life::{DEADLINE, operators_channel, settings},
};

events! {
    /// What happens to a berth.
    pub(crate) enum BerthEvent { Retired(ProductRetired) }
}

fn ask(partition: u32, after: u64, limit: u32) -> ReadLogRequest {
    ReadLogRequest { partition, after, limit, ..ReadLogRequest::default() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_is_read_from_its_owner_with_everything_that_was_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let nats = tradewind_testing::Nats::start();
    let url = database(folder.path());
    let options =
        StoreOptions { url, context: "harbour", migrations: vec![], clock: Clock::system(), partitions: None };
    let store = Store::open(options).await.unwrap();
    let retired = |n: u32| ProductRetired { product_id: format!("p-{n}") };
    for n in 1..=3 {
        let mut tx = store.begin().await.unwrap();
        let stream = StreamName::from(format!("berth-{n}"));
        tx.append(&stream, 0, "pier-7", vec![BerthEvent::from(retired(n))]).await.unwrap();
        tx.commit().await.unwrap();
    }
    drop(store);

    let mut running = harbour().start(settings(folder.path(), nats.url())).await.unwrap();
    running.ready(DEADLINE).await.unwrap();
    let mut log = EventLogServiceClient::new(operators_channel(folder.path(), &running));

    let page = log.read_log(ask(0, 1, 0)).await.unwrap().into_inner();
    assert_eq!((page.head, page.partitions), (3, 1));
    assert_eq!(page.events.iter().map(|event| event.position).collect::<Vec<_>>(), [2, 3]);
    let event = &page.events[0];
    assert_eq!((event.stream.as_str(), event.version, event.key.as_str()), ("berth-2", 1, "pier-7"));
    assert_eq!(event.r#type, "tradewind.catalog.v1.ProductRetired");
    assert_eq!(ProductRetired::decode(event.payload.as_slice()).unwrap(), retired(2));
    let one = log.read_log(ask(0, 0, 1)).await.unwrap().into_inner();
    assert_eq!((one.events.len(), one.head), (1, 3));

    let about =
        log.read_key(ReadKeyRequest { key: "pier-7".into(), ..ReadKeyRequest::default() }).await.unwrap().into_inner();
    assert_eq!(
        about.events.iter().map(|event| event.stream.as_str()).collect::<Vec<_>>(),
        ["berth-1", "berth-2", "berth-3"]
    );

    for (request, field, why) in [
        (ask(0, 0, 1_001), "limit", "LIMIT_TOO_LARGE"),
        (ask(1, 0, 1), "partition", "NO_SUCH_PARTITION"),
        (ask(70_000, 0, 1), "partition", "NO_SUCH_PARTITION"),
        (ReadLogRequest { after_id: "x".into(), ..ask(0, 1, 1) }, "incarnation", "NOT_A_UUID"),
    ] {
        let refusal = log.read_log(request).await.unwrap_err();
        assert_eq!((refusal.code(), reason(&refusal).as_deref()), (Code::InvalidArgument, Some(why)));
        assert_eq!(violations(&refusal)[0].field, field);
    }

    let read = ReadLogRequest { after_id: page.after_id, incarnation: page.incarnation, ..ask(0, 1, 1) };
    log.read_log(read.clone()).await.unwrap();
    running.ready(DEADLINE).await.unwrap();
    let client = tradewind_runtime::direct().build().unwrap();
    let after_id = "0190163d-8694-739b-aea5-966c26f8ad91".to_owned();
    for _ in 0..3 {
        let refusal = log.read_log(ReadLogRequest { after_id: after_id.clone(), ..read.clone() }).await.unwrap_err();
        assert_eq!((refusal.code(), reason(&refusal).as_deref()), (Code::FailedPrecondition, Some("LOG_FORKED")));
    }
    let health = format!("http://{}/health/ready", running.admin_addr());
    let health = client.get(health).send().await.unwrap().text().await.unwrap();
    assert!(!health.contains(LOG_WENT_BACK), "one reader stops nobody: {health}");
    log.read_log(read).await.unwrap();
    running.stop();
    running.wait().await.unwrap();
}
