//! What the broker holds: made by one, put right by it, and no way for anybody else to put an event into another's log.

use async_nats::jetstream;
use async_nats::jetstream::consumer::{AckPolicy, push};
use async_nats::jetstream::stream::{Config, Source};
use futures::TryStreamExt;
use tradewind_broker::Made;
use tradewind_testing::{Nats, block_on, eventually};

use super::audit::{PATIENCE, Pair, connect, streams};

const STREAM: &str = "TW_BANK";

#[test]
fn streams_that_are_there_are_not_made_again() {
    block_on(async {
        let nats = Nats::start();
        let broker = connect(&nats).await;
        let made = eventually(PATIENCE, "the streams are made", async || streams().make(&broker).await).await;
        assert_eq!(made, Made { streams: 2, consumers: 32, removed: 0 }, "sixteen of each reader");
        assert_eq!(streams().make(&broker).await.unwrap(), Made::default());
    });
}

#[test]
fn whoever_is_granted_nothing_any_more_has_nothing_any_more() {
    block_on(async {
        let nats = Nats::start();
        let broker = connect(&nats).await;
        eventually(PATIENCE, "the streams are made", async || streams().make(&broker).await).await;
        let jetstream = jetstream::new(async_nats::connect(nats.url()).await.unwrap());
        let consumers = async || {
            let stream = jetstream.get_stream("TW_PUBLIC_BANK").await.ok()?;
            let mut names = stream.consumer_names().try_collect::<Vec<_>>().await.unwrap();
            names.sort();
            Some(names)
        };
        let two = streams().for_reader("audit", ["bank"]).for_reader("reporting", ["bank"]);
        assert_eq!(two.make(&broker).await.unwrap(), Made { streams: 1, consumers: 2, removed: 0 });
        assert_eq!(consumers().await.unwrap(), ["audit", "reporting"]);
        let one = streams().for_reader("reporting", ["bank"]);
        assert_eq!(one.make(&broker).await.unwrap(), Made::default());
        assert_eq!(consumers().await.unwrap(), ["audit", "reporting"], "there may be others");
        assert_eq!(one.and_no_others().make(&broker).await.unwrap(), Made { removed: 1, ..Made::default() });
        assert_eq!(consumers().await.unwrap(), ["reporting"]);
        assert_eq!(streams().and_no_others().make(&broker).await.unwrap(), Made { removed: 1, ..Made::default() });
        assert_eq!(consumers().await, None);
    });
}

#[test]
fn what_somebody_has_changed_is_put_right() {
    block_on(async {
        let nats = Nats::start();
        let jetstream = jetstream::new(async_nats::connect(nats.url()).await.unwrap());
        let plain = |name: &str| Config { name: name.to_owned(), ..Config::default() };
        jetstream.create_stream(plain("SECRETS")).await.unwrap();
        let sources = Some(vec![Source { name: "SECRETS".to_owned(), ..Source::default() }]);
        let subjects = vec!["tw.bank.>".to_owned()];
        let stream = jetstream.create_stream(Config { sources, subjects, ..plain(STREAM) }).await.unwrap();
        let pushing = push::Config {
            durable_name: Some("audit-0".to_owned()),
            deliver_subject: "tw.other.forged".to_owned(),
            ack_policy: AckPolicy::All,
            ..push::Config::default()
        };
        stream.create_consumer(pushing).await.unwrap();

        let broker = connect(&nats).await;
        eventually(PATIENCE, "the streams are made", async || streams().make(&broker).await).await;
        let stream = jetstream.get_stream(STREAM).await.unwrap();
        assert!(stream.cached_info().config.sources.is_none());
        let consumer = stream.consumer_info("audit-0").await.unwrap();
        assert_eq!((consumer.config.deliver_subject, consumer.config.filter_subject.as_str()), (None, "tw.bank.0.>"));
    });
}

/// The server judges where a client publishes, not where it has answers sent: they can end in another's stream. Whatever it
/// answers there is no event of that log, and events of another log count for nothing.
#[test]
fn an_answer_that_is_sent_to_anothers_subject_is_no_event() {
    block_on(async {
        let pair = Pair::new().await;
        let (bank, audit) = (pair.start_bank().await, pair.start_audit().await);
        pair.deposit(&["a"], 1).await;
        pair.noted(1).await;
        let client = async_nats::connect(pair.nats.url()).await.unwrap();
        let event = "tw.bank.0.frame";
        for (request, body) in [
            ("$JS.API.CONSUMER.INFO.TW_BANK.audit-1", ""),
            ("$JS.API.STREAM.INFO.TW_BANK", ""),
            ("$JS.API.CONSUMER.MSG.NEXT.TW_BANK.audit-0", "1"),
            ("tw.audit.0.x.y", "published, and acknowledged there"),
        ] {
            for subject in [event, "tw.head.bank", "tw.wake.bank"] {
                client.publish_with_reply(request, subject, body.into()).await.unwrap();
            }
        }
        pair.deposit(&["a", "b"], 10).await;
        pair.noted(21).await;
        audit.stop().await;
        bank.stop().await;
    });
}
