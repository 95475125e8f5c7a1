#![allow(clippy::unwrap_used)]
use std::sync::atomic::{AtomicUsize, Ordering};

use tradewind_mesh::reason;

use super::*;

/// What is said of every key, and how often it was asked for.
#[derive(Clone)]
struct Said {
    found: Arc<Mutex<Result<Option<Found>, Status>>>,
    asked: Arc<AtomicUsize>,
}

impl Said {
    fn new(found: Result<Option<Found>, Status>) -> (Self, Partners) {
        let said = Self { found: Arc::new(Mutex::new(found)), asked: Arc::default() };
        let this = said.clone();
        let find: FindKey = Arc::new(move |_| {
            this.asked.fetch_add(1, Ordering::Relaxed);
            Box::pin(std::future::ready(this.found.lock().unwrap().clone()))
        });
        (said, Partners::new(find))
    }

    fn becomes(&self, found: Result<Option<Found>, Status>) {
        *self.found.lock().unwrap() = found;
    }

    fn asked(&self) -> usize {
        self.asked.swap(0, Ordering::Relaxed)
    }
}

fn good(expires: Option<u64>) -> Found {
    let user = User { id: "partner:acme".to_owned(), scopes: Some(Vec::new()), ..User::default() };
    Found { user, expires }
}

fn key(number: u32) -> String {
    format!("twk_0190163d8694739baea5966c{number:08x}_{}", "a-_Z".repeat(11).split_off(1))
}

async fn told(partners: &Partners, key: &str) -> Result<String, String> {
    let found = partners.user(key).await;
    found.map(|(user, _)| user.id.clone()).map_err(|status| reason(&status).unwrap())
}

#[tokio::test(start_paused = true)]
async fn what_is_said_of_a_key_is_believed_for_half_a_minute_and_no_longer() {
    let (said, partners) = Said::new(Ok(Some(good(None))));
    for _ in 0..100 {
        assert_eq!(told(&partners, &key(1)).await.as_deref(), Ok("partner:acme"));
    }
    assert_eq!(said.asked(), 1);
    said.becomes(Ok(None));
    tokio::time::sleep(FRESH).await;
    for _ in 0..100 {
        assert_eq!(told(&partners, &key(1)).await, Err("KEY_UNKNOWN".to_owned()), "it was revoked");
    }
    assert_eq!(said.asked(), 1, "that it is none is known as well");
    said.becomes(Ok(Some(good(None))));
    tokio::time::sleep(FRESH).await;
    assert!(told(&partners, &key(1)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_key_is_good_no_longer_than_it_is_said_to_be() {
    let (said, partners) = Said::new(Ok(Some(good(Some(UnixTime::now().as_secs() + 5)))));
    assert!(told(&partners, &key(1)).await.is_ok());
    said.becomes(Ok(None));
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(told(&partners, &key(1)).await, Err("KEY_UNKNOWN".to_owned()));
}

#[tokio::test(start_paused = true)]
async fn where_nobody_can_be_asked_a_key_is_neither_good_nor_bad() {
    let (said, partners) = Said::new(Err(Status::unavailable("away")));
    assert_eq!(told(&partners, &key(1)).await, Err("KEYS_AWAY".to_owned()));
    said.becomes(Ok(Some(good(None))));
    assert!(told(&partners, &key(1)).await.is_ok());
    said.becomes(Err(Status::unavailable("away")));
    assert!(told(&partners, &key(1)).await.is_ok(), "what was heard a moment ago");
    tokio::time::sleep(FRESH).await;
    assert_eq!(told(&partners, &key(1)).await, Err("KEYS_AWAY".to_owned()), "it may have been revoked");
}

#[tokio::test]
async fn of_what_is_no_key_by_its_form_nobody_is_asked() {
    let (said, partners) = Said::new(Ok(Some(good(None))));
    let whole = key(1);
    for odd in [
        "",
        "twk_",
        "twk_1_2",
        &whole[1..],
        &whole[..whole.len() - 1],
        &whole.to_uppercase(),
        &format!("{whole}a"),
        &whole.replace("0190", "019g"),
        &whole.replace('-', "+"),
    ] {
        assert_eq!(told(&partners, odd).await, Err("KEY_UNKNOWN".to_owned()), "{odd}");
    }
    assert_eq!(said.asked(), 0);
    assert!(told(&partners, &whole).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn whoever_makes_keys_up_keeps_nobody_out_who_has_one() {
    let asked = Arc::new(AtomicUsize::new(0));
    let counts = asked.clone();
    let whole = URL_SAFE_NO_PAD.encode(Sha256::digest(key(0)));
    let find: FindKey = Arc::new(move |digest| {
        counts.fetch_add(1, Ordering::Relaxed);
        if digest == whole {
            Box::pin(std::future::ready(Ok(Some(good(None)))))
        } else {
            Box::pin(std::future::pending())
        }
    });
    let partners = Arc::new(Partners::new(find));
    assert!(told(&partners, &key(0)).await.is_ok());
    tokio::time::sleep(FRESH).await;
    let flood = (1..=1_000).map(|number| {
        let partners = partners.clone();
        tokio::spawn(async move { told(&partners, &key(number)).await })
    });
    let flood: Vec<_> = flood.collect();
    tokio::task::yield_now().await;
    assert!(told(&partners, &key(0)).await.is_ok());
    for one in flood {
        assert_eq!(one.await.unwrap(), Err("KEYS_AWAY".to_owned()));
    }
    assert!(asked.load(Ordering::Relaxed) <= 2 + QUESTIONS, "no more are asked at a time");
}
