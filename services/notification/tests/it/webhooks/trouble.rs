//! Endpoints that are dead, slow or lie: what becomes of what they are told, and that nobody else waits for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contracts::tradewind::notification::v1::{DeliveryState, UpdateWebhookEndpointRequest};
use rcgen::{CertificateParams, Issuer, KeyPair};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use tradewind_testing::{Database, block_on};
use uuid::Uuid;

use super::hook::{PLACED, wanted};
use super::receiver::{Answer, Receiver, nobody};
use crate::surroundings::Surroundings;

#[test]
fn a_hundred_events_are_told_while_others_hang() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.hooked().with("webhook_timeout", "30s")).await;
        let silent = Receiver::answers(|_, _| Answer::Silence).await;
        let slow = Receiver::answers(|_, _| Answer::Silence).await;
        let (_socket, dead) = nobody();
        let mut others = Vec::new();
        for url in [&silent.url, &slow.url, &dead] {
            others.push(operator.hook(url, &[PLACED]).await.0);
        }
        let good = Receiver::takes().await;
        let (id, secret) = operator.hook(&good.url, &[PLACED]).await;
        for _ in 0..100 {
            surroundings.placed().await;
        }
        operator.settles(&id, DeliveryState::Delivered, 100).await;
        let seen = good.seen();
        assert!(seen.len() == 100 && seen.iter().all(|seen| seen.is_signed_by(&secret)), "{}", seen.len());
        for other in &others {
            let told = operator.deliveries(other).await;
            assert!(told.iter().all(|told| told.state() == DeliveryState::Waiting), "{told:?}");
        }
        // It does not wait for those who hang either.
        drop(operator);
    });
}

#[test]
fn no_more_than_four_requests_are_under_way_at_one_endpoint() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.hooked().with("webhook_timeout", "30s")).await;
        let (permits, answered) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
        let (given, most) = (Arc::clone(&permits), Arc::new(AtomicUsize::new(0)));
        let (told, seen) = (Arc::clone(&answered), Arc::clone(&most));
        let receiver = Receiver::answers(move |_, before| {
            seen.fetch_max(before + 1 - told.load(Ordering::SeqCst), Ordering::SeqCst);
            Answer::Permitted(Arc::clone(&given))
        })
        .await;
        let (id, _) = operator.hook(&receiver.url, &[PLACED]).await;
        for _ in 0..12 {
            surroundings.placed().await;
        }
        operator.settles(&id, DeliveryState::Waiting, 12).await;
        receiver.sees(4).await;
        // One is answered at a time, and each time as many have begun as may; whoever lets a fifth begin has twelve occasions.
        for delivered in 1..=12 {
            answered.fetch_add(1, Ordering::SeqCst);
            permits.add_permits(1);
            operator.settles(&id, DeliveryState::Delivered, delivered).await;
            receiver.sees(12.min(delivered + 4)).await;
        }
        assert_eq!(most.load(Ordering::SeqCst), 4);
        operator.stop().await;
    });
}

#[test]
fn who_lies_is_not_believed_and_costs_little() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.hooked().with("webhook_attempts", "1")).await;
        let elsewhere = Receiver::takes().await;
        let to = elsewhere.url.clone();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n";
        let huge = format!("{head}x-huge: {}\r\n\r\n", "x".repeat(2_000_000));
        let (stranger, _) = by_tls();
        let cases = [
            (Receiver::answers(move |_, _| Answer::Bytes(moved(&to))).await, Some("REDIRECTED"), 302),
            (Receiver::answers(|_, _| Answer::Endless(200)).await, None, 200),
            (Receiver::answers(|_, _| Answer::Endless(500)).await, Some("HTTP_500"), 500),
            (Receiver::answers(move |_, _| Answer::Bytes(huge.clone())).await, Some("NO_ANSWER"), 0),
            (Receiver::answers(|_, _| Answer::Bytes("nonsense\r\n\r\n".to_owned())).await, Some("NO_ANSWER"), 0),
            (Receiver::takes_by(stranger).await, Some("TLS_FAILED"), 0),
        ];
        let mut told = Vec::new();
        for (receiver, failure, status) in &cases {
            told.push((operator.hook(&receiver.url, &[PLACED]).await.0, failure, *status));
        }
        let (_socket, dead) = nobody();
        told.push((operator.hook(&dead, &[PLACED]).await.0, &Some("NOT_REACHED"), 0));
        surroundings.placed().await;
        for (id, failure, status) in told {
            let state = if failure.is_some() { DeliveryState::Failed } else { DeliveryState::Delivered };
            let [came] = operator.settles(&id, state, 1).await.try_into().unwrap();
            assert_eq!((came.last_failure.as_str(), came.last_status), (failure.unwrap_or_default(), status));
        }
        assert_eq!(elsewhere.seen(), [], "nobody is followed");
        operator.stop().await;
    });
}

#[test]
fn who_is_silent_is_not_waited_for() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let settings = surroundings.hooked().with("webhook_attempts", "1").with("webhook_timeout", "100ms");
        let operator = surroundings.start(settings).await;
        let silent = Receiver::answers(|_, _| Answer::Silence).await;
        let (id, _) = operator.hook(&silent.url, &[PLACED]).await;
        surroundings.placed().await;
        let [came] = operator.settles(&id, DeliveryState::Failed, 1).await.try_into().unwrap();
        assert_eq!((came.last_failure.as_str(), came.last_status), ("TIMEOUT", 0));
        operator.stop().await;
    });
}

fn moved(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
}

#[test]
fn an_authority_of_ones_own_can_certify_receivers() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let (tls, authority) = by_tls();
        let operator = surroundings.start(surroundings.hooked().with("webhook_ca", &authority)).await;
        let receiver = Receiver::takes_by(tls).await;
        let (id, secret) = operator.hook(&receiver.url, &[PLACED]).await;
        surroundings.placed().await;
        operator.settles(&id, DeliveryState::Delivered, 1).await;
        assert!(receiver.seen()[0].is_signed_by(&secret));
        operator.stop().await;
    });
}

/// What serves by TLS on this machine, and the authority that certifies it.
fn by_tls() -> (TlsAcceptor, String) {
    let key = KeyPair::generate().unwrap();
    let mut authority = CertificateParams::default();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = authority.self_signed(&key).unwrap().pem();
    let issuer = Issuer::new(authority, key);
    let own = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap().signed_by(&own, &issuer).unwrap();
    let own = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(own.serialize_der()));
    let config = ServerConfig::builder().with_no_client_auth().with_single_cert(vec![leaf.der().clone()], own).unwrap();
    (TlsAcceptor::from(Arc::new(config)), certificate)
}

#[test]
fn what_is_not_public_is_refused_when_it_is_registered() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.settings()).await;
        for (url, reason) in [
            ("https://127.0.0.1/", "ADDRESS_NOT_ALLOWED"),
            ("https://localhost/", "ADDRESS_NOT_ALLOWED"),
            ("https://2130706433/", "ADDRESS_NOT_ALLOWED"),
            ("https://[::1]/", "ADDRESS_NOT_ALLOWED"),
            ("https://[::ffff:10.0.0.1]/", "ADDRESS_NOT_ALLOWED"),
            ("https://169.254.169.254/latest/meta-data", "ADDRESS_NOT_ALLOWED"),
            ("http://1.1.1.1/", "INVALID_URL"),
        ] {
            let refused = operator.try_hook(url, &[PLACED]).await.unwrap_err();
            assert_eq!(tradewind_mesh::reason(&refused).as_deref(), Some(reason), "{url}");
            assert!(!refused.message().contains(url), "{refused:?}");
        }
        let (id, _) = operator.hook("https://1.1.1.1/hook", &[PLACED]).await;
        let change = UpdateWebhookEndpointRequest {
            request_id: Uuid::now_v7().to_string(),
            endpoint_id: id,
            url: "https://10.0.0.1/".to_owned(),
            ..UpdateWebhookEndpointRequest::default()
        };
        let refused = operator.webhooks().update_webhook_endpoint(change).await.unwrap_err();
        assert_eq!(tradewind_mesh::reason(&refused).as_deref(), Some("ADDRESS_NOT_ALLOWED"));
        operator.stop().await;
    });
}

#[test]
fn what_was_public_when_it_was_registered_is_looked_at_again_before_it_is_told() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let (receiver, settings) = (Receiver::takes().await, surroundings.hooked());
        let operator = surroundings.start(settings).await;
        let (id, _) = operator.hook(&receiver.url.replace("127.0.0.1", "localhost"), &[PLACED]).await;
        operator.stop().await;
        // From now on nothing near is let through.
        let operator = surroundings.start(surroundings.settings().with("webhook_attempts", "1")).await;
        surroundings.placed().await;
        let [refused] = operator.settles(&id, DeliveryState::Failed, 1).await.try_into().unwrap();
        assert_eq!(refused.last_failure, "ADDRESS_NOT_ALLOWED");
        assert_eq!(receiver.seen(), []);
        operator.stop().await;
    });
}

#[test]
fn a_shop_that_sends_none_registers_none() {
    block_on(async {
        let surroundings = Surroundings::open(Database::sqlite()).await;
        let operator = surroundings.start(surroundings.hooked().with("webhooks", "false")).await;
        let refused =
            operator.webhooks().create_webhook_endpoint(wanted("https://1.1.1.1/", &[PLACED])).await.unwrap_err();
        assert_eq!(tradewind_mesh::reason(&refused).as_deref(), Some("WEBHOOKS_DISABLED"));
        tokio::time::timeout(Duration::from_secs(30), operator.stop()).await.unwrap();
    });
}
