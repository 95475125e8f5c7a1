//! How the edge stands, for whoever watches: its connections, the end of its certificate, the age of the keys it believes. Nothing
//! decides by these.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Mutex, Once, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::{KeyValue, global};

static CONNECTIONS: AtomicI64 = AtomicI64::new(0);
static MOST: AtomicI64 = AtomicI64::new(0);
static NOT_AFTER: AtomicI64 = AtomicI64::new(0);
/// When the keys of each issuer were fetched last; 0 where they never were.
static FETCHED: Mutex<BTreeMap<String, i64>> = Mutex::new(BTreeMap::new());

/// A connection that counts until it is dropped.
pub(crate) struct Connection;

impl Connection {
    /// One more.
    pub(crate) fn begin() -> Self {
        CONNECTIONS.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        CONNECTIONS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// So many connections there may be.
pub(crate) fn most_connections(most: usize) {
    MOST.store(i64::try_from(most).unwrap_or(i64::MAX), Ordering::Relaxed);
    watch();
}

/// A certificate is shown from now on that is good until then, in seconds of Unix time.
pub(crate) fn certificate(not_after: i64) {
    NOT_AFTER.store(not_after, Ordering::Relaxed);
}

/// The keys of an issuer were fetched just now; or, where `are_there` is false, are to be.
pub(crate) fn keys(issuer: &str, are_there: bool) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let at = if are_there { i64::try_from(now).unwrap_or(i64::MAX) } else { 0 };
    FETCHED.lock().unwrap_or_else(PoisonError::into_inner).insert(issuer.to_owned(), at);
}

fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let meter = global::meter("tradewind");
        meter
            .i64_observable_gauge("tradewind_gateway_connections")
            .with_description("Connections that are open")
            .with_callback(|gauge| gauge.observe(CONNECTIONS.load(Ordering::Relaxed), &[]))
            .build();
        meter
            .i64_observable_gauge("tradewind_gateway_connections_most")
            .with_description("The most connections that may be open")
            .with_callback(|gauge| gauge.observe(MOST.load(Ordering::Relaxed), &[]))
            .build();
        meter
            .i64_observable_gauge("tradewind_gateway_certificate_not_after_timestamp")
            .with_unit("s")
            .with_description("When the certificate ends that browsers are shown; absent where there is none")
            .with_callback(|gauge| {
                let not_after = NOT_AFTER.load(Ordering::Relaxed);
                if not_after != 0 {
                    gauge.observe(not_after, &[]);
                }
            })
            .build();
        meter
            .i64_observable_gauge("tradewind_gateway_keys_fetched_timestamp")
            .with_unit("s")
            .with_description("When the keys of an issuer were fetched last; 0 where they never were")
            .with_callback(|gauge| {
                for (issuer, at) in &*FETCHED.lock().unwrap_or_else(PoisonError::into_inner) {
                    gauge.observe(*at, &[KeyValue::new("issuer", issuer.clone())]);
                }
            })
            .build();
    });
}
