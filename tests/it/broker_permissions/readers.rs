//! What the broker lets readers outside do.

use async_nats::ConnectOptions;
use tradewind_broker::Retention;
use tradewind_mesh::{Identity, IdentityFiles};
use tradewind_runtime::{BROKER_INIT, broker_streams};
use tradewind_testing::pki;

use super::member::{Member, requests};
use crate::shop::{issue_readers, policy, secured_broker};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reader_may_ask_for_what_its_own_consumers_hold_and_nothing_else() {
    let pki = pki(&["nats", BROKER_INIT]);
    // It is called like a service, and is none.
    issue_readers(pki.path(), &[("payment", &["ordering"]), ("other", &["ordering", "payment"])]);
    let streams = broker_streams(&policy(pki.path()), Retention::default());
    let nats = secured_broker(pki.path()).keeping(streams, Some(pki.path()));
    let reader = Member::reader(&nats, &pki, "payment").await;
    let allowed = ["INFO", "MSG.NEXT"].map(|verb| format!("$JS.API.CONSUMER.{verb}.TW_PUBLIC_ORDERING.payment"));
    let streams = ["TW_PUBLIC_ORDERING", "TW_PUBLIC_PAYMENT", "TW_ORDERING", "TW_PAYMENT"];
    let mut asked = requests(streams, ["payment", "other", "payment-0"]);
    asked.extend(["ordering", "payment"].into_iter().flat_map(|context| {
        [
            format!("tw.{context}.0.frame"),
            format!("tw.public.{context}.0.OrderPlaced"),
            format!("tw.head.{context}"),
            format!("tw.wake.{context}"),
            format!("$JS.ACK.TW_{}.payment-0.1.1.1.1.0", context.to_uppercase()),
            "$JS.ACK.TW_PUBLIC_ORDERING.other.1.1.1.1.0".to_owned(),
            "_INBOX.payment.x".to_owned(),
        ]
    }));
    reader.may_only_publish(asked, &allowed.each_ref().map(String::as_str)).await;
    for subject in ["tw.>", "tw.ordering.>", "tw.public.ordering.>", "tw.head.payment", "tw.head.>", "_INBOX.>"] {
        reader.may_not_subscribe(subject).await;
    }
    for subject in ["_INBOX.payment.>", "_INBOX.READER.other.>", "_INBOX.READER.>", "$JS.ACK.>", "$KV.>"] {
        reader.may_not_subscribe(subject).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_the_grant_nobody_is_let_in() {
    let pki = pki(&["nats", BROKER_INIT, "reporting"]);
    issue_readers(pki.path(), &[("known", &["ordering"])]);
    let nats = secured_broker(pki.path());
    // One is no reader, the other one has another grant than the broker knows of.
    issue_readers(pki.path(), &[("known", &["ordering", "payment"])]);
    for name in ["reporting", "known"] {
        let identity = Identity::load(IdentityFiles::in_dir(pki.path(), name)).unwrap();
        let options = ConnectOptions::new().tls_client_config(identity.client_config());
        let refused = options.connect(nats.url()).await.unwrap_err().to_string();
        assert!(refused.contains("authorization violation"), "{name}: {refused}");
    }
}
