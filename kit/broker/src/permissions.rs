//! What a client may do at the broker: the subjects it needs, and no others.
//!
//! The broker judges subjects alone, so whatever a client is to be kept from has to be a token of one: JetStream's requests
//! name the stream and the consumer, a consumer is named after its reader, a reply goes to an inbox named after its client.
//! Which context reads which is the contract's to say; nothing here talks to a broker.

use std::collections::BTreeSet;

use tradewind_store::MOST_PARTITIONS;

use crate::wire;

/// The subjects a client of the broker may use. It is refused every other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokerPermissions {
    /// Where it may publish.
    pub publish: Vec<String>,
    /// What it may subscribe to.
    pub subscribe: Vec<String>,
}

impl BrokerPermissions {
    /// What the engine of `context` needs that `reads`, each a reader of its own and the context that it reads: its own
    /// events, heads and pings, removing them after an erasure, and what its consumers on the streams of its sources hold for it.
    pub fn of_service<'a>(context: &str, reads: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut publish = vec![wire::subjects(context), wire::head_subject(context), wire::wake_subject(context)];
        publish
            .extend([wire::public_subjects(context), format!("$JS.API.STREAM.INFO.{}", wire::public_stream(context))]);
        let stream = wire::stream_name(context);
        publish.extend(["INFO", "MSG.GET", "PURGE"].map(|verb| format!("$JS.API.STREAM.{verb}.{stream}")));
        let mut subscribe = vec![format!("{}.>", wire::inbox(context)), wire::wake_subject(context)];
        for (reader, source) in reads {
            subscribe.push(wire::head_subject(source));
            // A name is one token and no wildcard covers a part of one, so every consumer there may be is named.
            publish.extend((0..MOST_PARTITIONS).flat_map(|partition| own_consumer(reader, source, partition)));
        }
        let mut heads = BTreeSet::new();
        subscribe.retain(|subject| heads.insert(subject.clone()));
        Self { publish, subscribe }
    }

    /// What `reader` needs, who is outside: what its consumers on the public streams of `contexts` hold for it, and how far the logs
    /// reach.
    pub fn of_reader(reader: &str, contexts: impl IntoIterator<Item = impl AsRef<str>>) -> Self {
        let (mut publish, mut subscribe) = (Vec::new(), vec![format!("{}.>", wire::reader_inbox(reader))]);
        for context in contexts {
            publish.extend(consumer(&wire::public_stream(context.as_ref()), &wire::token(reader)));
            subscribe.push(wire::head_subject(context.as_ref()));
        }
        Self { publish, subscribe }
    }

    /// What a service at the edge needs, whose replicas tell each other something: its bucket, and no event.
    pub fn of_edge(service: &str) -> Self {
        let stream = wire::board_stream(service);
        let reads = ["INFO", "MSG.GET"].map(|verb| format!("$JS.API.STREAM.{verb}.{stream}"));
        let subjects = wire::board_subjects(service);
        Self {
            publish: [subjects.clone()].into_iter().chain(reads).collect(),
            subscribe: vec![format!("{}.>", wire::inbox(service)), subjects],
        }
    }

    /// What `client` needs that makes the streams of `contexts` and their consumers, and the buckets of `edges`. It publishes no event, but whoever makes
    /// streams can have the broker read and write for him: it is as good as the broker's own key.
    pub fn of_maker(
        client: &str,
        contexts: impl IntoIterator<Item = impl AsRef<str>>,
        edges: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Self {
        let of_stream = |stream: String| {
            ["STREAM.CREATE", "STREAM.UPDATE", "STREAM.INFO", "CONSUMER.LIST"]
                .map(|verb| format!("$JS.API.{verb}.{stream}"))
                .into_iter()
                .chain([format!("$JS.API.CONSUMER.CREATE.{stream}.>"), format!("$JS.API.CONSUMER.DELETE.{stream}.*")])
        };
        let of_board = |service: &str| {
            let stream = wire::board_stream(service);
            ["CREATE", "UPDATE", "INFO"].map(|verb| format!("$JS.API.STREAM.{verb}.{stream}"))
        };
        let of_context = |context: &str| [wire::stream_name(context), wire::public_stream(context)].into_iter();
        let removes = |context: &str| format!("$JS.API.STREAM.DELETE.{}", wire::public_stream(context));
        let streams = contexts.into_iter().flat_map(|context| {
            let context = context.as_ref();
            of_context(context).flat_map(of_stream).chain([removes(context)]).collect::<Vec<_>>()
        });
        Self {
            publish: streams.chain(edges.into_iter().flat_map(|service| of_board(service.as_ref()))).collect(),
            subscribe: vec![format!("{}.>", wire::inbox(client))],
        }
    }

    /// What `client` needs that looks at streams and consumers: it changes nothing and reads no event.
    #[must_use]
    pub fn of_observer(client: &str) -> Self {
        let looks = ["INFO", "STREAM.NAMES", "STREAM.LIST", "STREAM.INFO.*", "CONSUMER.NAMES.*", "CONSUMER.LIST.*"];
        let looks = looks.into_iter().chain(["CONSUMER.INFO.*.*"]);
        Self {
            publish: looks.map(|subject| format!("$JS.API.{subject}")).collect(),
            subscribe: vec![format!("{}.>", wire::inbox(client))],
        }
    }
}

/// What a reader publishes for its consumer of one partition.
fn own_consumer(reader: &str, source: &str, partition: u16) -> [String; 3] {
    consumer(&wire::stream_name(source), &wire::consumer_name(reader, partition))
}

/// What is published to see a consumer, use it and acknowledge to it.
fn consumer(stream: &str, consumer: &str) -> [String; 3] {
    [
        format!("$JS.API.CONSUMER.INFO.{stream}.{consumer}"),
        format!("$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}"),
        format!("$JS.ACK.{stream}.{consumer}.>"),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_that_reads_nothing_has_its_own_subjects_only() {
        let catalog = BrokerPermissions::of_service("catalog", []);
        let publish = ["tw.catalog.>", "tw.head.catalog", "tw.wake.catalog", "tw.public.catalog.>"].map(str::to_owned);
        let public = ["$JS.API.STREAM.INFO.TW_PUBLIC_CATALOG".to_owned()];
        let stream = ["INFO", "MSG.GET", "PURGE"].map(|verb| format!("$JS.API.STREAM.{verb}.TW_CATALOG"));
        assert_eq!(catalog.publish, [publish.as_slice(), &public, &stream].concat());
        assert_eq!(catalog.subscribe, ["_INBOX.catalog.>", "tw.wake.catalog"]);
    }

    #[test]
    fn a_service_at_the_edge_has_its_bucket_and_no_event() {
        let BrokerPermissions { publish, subscribe } = BrokerPermissions::of_edge("gateway");
        let reads = ["INFO", "MSG.GET"].map(|verb| format!("$JS.API.STREAM.{verb}.KV_TW_GATEWAY"));
        assert_eq!(publish, [["$KV.TW_GATEWAY.>".to_owned()].as_slice(), &reads].concat());
        assert_eq!(subscribe, ["_INBOX.gateway.>", "$KV.TW_GATEWAY.>"]);
    }

    #[test]
    fn a_reader_has_its_own_consumer_of_every_partition_of_its_source() {
        let payment = BrokerPermissions::of_service("payment", [("payment", "ordering")]);
        assert_eq!(payment.subscribe, ["_INBOX.payment.>", "tw.wake.payment", "tw.head.ordering"]);
        for partition in [0, MOST_PARTITIONS - 1] {
            for subject in [
                format!("$JS.API.CONSUMER.MSG.NEXT.TW_ORDERING.payment-{partition}"),
                format!("$JS.ACK.TW_ORDERING.payment-{partition}.>"),
            ] {
                assert!(payment.publish.contains(&subject), "{subject}");
            }
        }
    }

    #[test]
    fn a_second_reader_of_a_source_has_consumers_of_its_own_and_no_second_heartbeat() {
        let reads = [("analytics", "ordering"), ("analytics-sales", "ordering")];
        let BrokerPermissions { publish, subscribe } = BrokerPermissions::of_service("analytics", reads);
        for reader in ["analytics", "analytics-sales"] {
            let next = format!("$JS.API.CONSUMER.MSG.NEXT.TW_ORDERING.{reader}-0");
            assert!(publish.contains(&next), "{next}");
        }
        assert_eq!(subscribe, ["_INBOX.analytics.>", "tw.wake.analytics", "tw.head.ordering"]);
    }

    #[test]
    fn a_reader_reads_what_it_is_granted_and_publishes_nothing() {
        let BrokerPermissions { publish, subscribe } = BrokerPermissions::of_reader("reporting", ["ordering"]);
        let consumer = "TW_PUBLIC_ORDERING.reporting";
        let api = ["INFO", "MSG.NEXT"].map(|verb| format!("$JS.API.CONSUMER.{verb}.{consumer}"));
        assert_eq!(publish, [api.as_slice(), &[format!("$JS.ACK.{consumer}.>")]].concat());
        assert_eq!(subscribe, ["_INBOX.READER.reporting.>", "tw.head.ordering"]);
    }

    #[test]
    fn no_service_makes_or_changes_a_stream_or_a_consumer() {
        for service in ["ordering", "payment"] {
            for subject in BrokerPermissions::of_service(service, [(service, "ordering"), (service, "payment")]).publish
            {
                for verb in ["CREATE", "UPDATE", "DELETE"] {
                    assert!(!subject.contains(verb), "{service} may publish {subject}");
                }
                let own = format!("$JS.API.STREAM.PURGE.{}", wire::stream_name(service));
                assert!(!subject.contains("PURGE") || subject == own, "{service} may publish {subject}");
            }
        }
    }

    #[test]
    fn nothing_of_the_broker_is_granted_as_a_whole() {
        let payment = BrokerPermissions::of_service("payment", [("payment", "ordering")]);
        let observer = BrokerPermissions::of_observer("operator");
        let maker = BrokerPermissions::of_maker("broker-init", ["ordering"], ["gateway"]);
        let edge = BrokerPermissions::of_edge("gateway");
        let reader = BrokerPermissions::of_reader("reporting", ["ordering"]);
        let all = [payment, observer, maker, edge, reader].map(|of| [of.publish, of.subscribe].concat()).concat();
        for subject in all {
            let leading = subject.split('.').take(3).collect::<Vec<_>>();
            assert!(!["$JS.API.>", "$JS.>", "_INBOX.>", "tw.>", ">"].contains(&subject.as_str()), "{subject}");
            assert!(!leading.starts_with(&["$JS", "API", "*"]), "{subject}");
        }
    }
}
