//! Somebody at the broker, and what the broker lets him ask.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use async_nats::jetstream;
use async_nats::{Client, ConnectOptions, Event, ServerError};
use system_tests::PATIENCE;
use tempfile::TempDir;
use tradewind_mesh::{Identity, IdentityFiles};
use tradewind_testing::{Nats, eventually};

/// Somebody at the broker with a workload's certificate.
pub(crate) struct Member {
    pub(crate) client: Client,
    pub(crate) jetstream: jetstream::Context,
    refusals: Arc<Mutex<Vec<String>>>,
}

impl Member {
    pub(crate) async fn connect(nats: &Nats, pki: &TempDir, name: &str) -> Self {
        Self::with_inbox(nats, pki, name, format!("_INBOX.{name}")).await
    }

    /// Whoever is outside and reads.
    pub(crate) async fn reader(nats: &Nats, pki: &TempDir, name: &str) -> Self {
        Self::with_inbox(nats, pki, name, format!("_INBOX.READER.{name}")).await
    }

    async fn with_inbox(nats: &Nats, pki: &TempDir, name: &str, inbox: String) -> Self {
        // Already installed is as good as installed now.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let identity = Identity::load(IdentityFiles::in_dir(pki.path(), name)).unwrap();
        let refusals = Arc::new(Mutex::new(Vec::new()));
        let told = Arc::clone(&refusals);
        let options = ConnectOptions::new()
            .custom_inbox_prefix(inbox)
            .tls_client_config(identity.client_config())
            .event_callback(move |event| {
                if let Event::ServerError(ServerError::Other(text)) = event {
                    told.lock().unwrap().push(text);
                }
                std::future::ready(())
            });
        let client =
            eventually(PATIENCE, "the broker is there", async || options.clone().connect(nats.url()).await).await;
        Self { jetstream: jetstream::new(client.clone()), client, refusals }
    }

    pub(super) async fn may_not_publish(&self, subject: &str) {
        self.client.publish(subject.to_owned(), "{}".into()).await.unwrap();
        self.is_refused(&format!("Publish to \"{subject}\"")).await;
    }

    pub(super) async fn may_not_subscribe(&self, subject: &str) {
        let _subscription = self.client.subscribe(subject.to_owned()).await.unwrap();
        self.is_refused(&format!("Subscription to \"{subject}\"")).await;
    }

    async fn is_refused(&self, what: &str) {
        eventually(PATIENCE, &format!("the broker refuses: {what}"), async || {
            let refusals = self.refusals.lock().unwrap().clone();
            refusals.iter().any(|refusal| refusal.contains(what)).then_some(()).ok_or(refusals)
        })
        .await;
    }

    /// Publishes all of `subjects`: the broker refuses each but those that are `allowed`, which have to be among them.
    pub(super) async fn may_only_publish(&self, subjects: BTreeSet<String>, allowed: &[&str]) {
        // A few at a time: the client forgets what it is told faster than it is asked for.
        for few in subjects.iter().collect::<Vec<_>>().chunks(16) {
            for subject in few {
                self.client.publish((*subject).clone(), "{}".into()).await.unwrap();
            }
            for subject in few.iter().filter(|subject| !allowed.contains(&subject.as_str())) {
                self.is_refused(&format!("Publish to \"{subject}\"")).await;
            }
        }
        // The server answers in order, so that these would have been refused by now.
        self.may_not_publish("$JS.API.the.last").await;
        let refusals = self.refusals.lock().unwrap().join("\n");
        for subject in allowed {
            assert!(subjects.contains(*subject) && !refusals.contains(&format!("\"{subject}\"")), "{refusals}");
        }
    }

    pub(super) async fn publish_event(&self, subject: &str) {
        self.jetstream.publish(subject.to_owned(), "event".into()).await.unwrap().await.unwrap();
    }
}

/// What JetStream can be asked; `S` stands for a stream, `C` for a consumer. Whoever may make or change one of them can have
/// the broker read and write for him: sources, a republication, a mirror, a delivery to another's subject.
const REQUESTS: [&str; 33] = [
    "$JS.API.INFO",
    "$JS.API.STREAM.NAMES",
    "$JS.API.STREAM.LIST",
    "$JS.API.STREAM.CREATE.S",
    "$JS.API.STREAM.UPDATE.S",
    "$JS.API.STREAM.DELETE.S",
    "$JS.API.STREAM.PURGE.S",
    "$JS.API.STREAM.INFO.S",
    "$JS.API.STREAM.MSG.GET.S",
    "$JS.API.STREAM.MSG.DELETE.S",
    "$JS.API.STREAM.SNAPSHOT.S",
    "$JS.API.STREAM.RESTORE.S",
    "$JS.API.STREAM.PEER.REMOVE.S",
    "$JS.API.STREAM.LEADER.STEPDOWN.S",
    "$JS.API.STREAM.TEMPLATE.CREATE.S",
    "$JS.API.DIRECT.GET.S",
    "$JS.API.DIRECT.GET.S.tw.ordering.0.frame",
    "$JS.API.CONSUMER.CREATE.S",
    "$JS.API.CONSUMER.CREATE.S.C",
    "$JS.API.CONSUMER.CREATE.S.C.tw.ordering.0.>",
    "$JS.API.CONSUMER.DURABLE.CREATE.S.C",
    "$JS.API.CONSUMER.DELETE.S.C",
    "$JS.API.CONSUMER.NAMES.S",
    "$JS.API.CONSUMER.LIST.S",
    "$JS.API.CONSUMER.INFO.S.C",
    "$JS.API.CONSUMER.MSG.NEXT.S.C",
    "$JS.API.CONSUMER.PAUSE.S.C",
    "$JS.API.CONSUMER.UNPIN.S.C",
    "$JS.API.CONSUMER.RESET.S.C",
    "$JS.API.CONSUMER.LEADER.STEPDOWN.S.C",
    "$JS.API.META.LEADER.STEPDOWN",
    "$JS.API.SERVER.REMOVE",
    "$JS.API.ACCOUNT.PURGE.$G",
];

/// All of that about these streams and consumers.
pub(super) fn requests<const S: usize, const C: usize>(streams: [&str; S], consumers: [&str; C]) -> BTreeSet<String> {
    let mut asked = BTreeSet::new();
    for request in REQUESTS {
        for stream in streams {
            for consumer in consumers {
                let tokens = request.split('.').map(|token| match token {
                    "S" => stream,
                    "C" => consumer,
                    token => token,
                });
                asked.insert(tokens.collect::<Vec<_>>().join("."));
            }
        }
    }
    asked
}
