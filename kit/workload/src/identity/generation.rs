//! Which credentials this process has had since it started, and what still goes on under each of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, Once, PoisonError, Weak};

use opentelemetry::{KeyValue, global};
use tokio::sync::watch;

use super::Material;
use super::fingerprint::short;

/// One set of credentials of this process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Counts the sets; the one at start is 1.
    pub number: u64,
    /// Short fingerprint of the certificate.
    pub certificate: String,
    /// Short fingerprints of the trusted roots.
    pub authorities: Vec<String>,
    /// When the certificate expires, in seconds since 1970.
    pub not_after: i64,
    /// Connections that this process serves under it.
    pub connections: u64,
    /// Calls that came over them, closed ones included.
    pub calls: u64,
}

/// The set in use and those before it that connections still live under.
#[derive(Debug)]
pub(super) struct Generations {
    number: watch::Sender<u64>,
    /// Oldest first; the last is in use.
    known: Mutex<Vec<Arc<Use>>>,
}

#[derive(Debug)]
struct Use {
    number: u64,
    certificate: String,
    /// Name, fingerprint and end of each root.
    authorities: Vec<(String, String, i64)>,
    not_after: i64,
    connections: AtomicU64,
    calls: AtomicU64,
}

/// A connection that is served, counted under the credentials that it was opened with until this is dropped.
#[derive(Debug)]
pub struct Opened(Arc<Use>);

impl Generations {
    pub(super) fn begin(first: &Material) -> Arc<Self> {
        let (number, _) = watch::channel(1);
        let this = Arc::new(Self { number, known: Mutex::new(vec![Use::of(1, first)]) });
        watched(&this);
        this
    }

    /// Whoever awaits a change learns of it; call it when the credentials are in use.
    pub(super) fn next(&self, material: &Material) {
        let mut known = self.known();
        let number = self.number() + 1;
        known.retain(|before| before.connections.load(Ordering::Relaxed) > 0);
        known.push(Use::of(number, material));
        drop(known);
        self.number.send_replace(number);
    }

    pub(super) fn number(&self) -> u64 {
        *self.number.borrow()
    }

    pub(super) fn changed(&self) -> watch::Receiver<u64> {
        self.number.subscribe()
    }

    #[expect(clippy::expect_used, reason = "there is always one in use")]
    pub(super) fn opened(&self) -> Opened {
        let used = self.known().last().expect("one is in use").clone();
        used.connections.fetch_add(1, Ordering::Relaxed);
        Opened(used)
    }

    pub(super) fn all(&self) -> Vec<Generation> {
        let known = self.known();
        let in_use = known.len() - 1;
        let is_told = |(at, used): &(usize, &Arc<Use>)| *at == in_use || used.connections.load(Ordering::Relaxed) > 0;
        known.iter().enumerate().filter(is_told).map(|(_, used)| used.told()).collect()
    }

    fn known(&self) -> MutexGuard<'_, Vec<Arc<Use>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Use {
    fn of(number: u64, material: &Material) -> Arc<Self> {
        Arc::new(Self {
            number,
            certificate: short(&material.key.cert[0]),
            authorities: material.authorities(),
            not_after: material.not_after,
            connections: AtomicU64::new(0),
            calls: AtomicU64::new(0),
        })
    }

    fn told(&self) -> Generation {
        Generation {
            number: self.number,
            certificate: self.certificate.clone(),
            authorities: self.authorities.iter().map(|(_, fingerprint, _)| fingerprint.clone()).collect(),
            not_after: self.not_after,
            connections: self.connections.load(Ordering::Relaxed),
            calls: self.calls.load(Ordering::Relaxed),
        }
    }
}

impl Opened {
    /// Counts a call that came over the connection.
    pub fn called(&self) {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Those whose numbers are collected. Asked rather than told, so that what is gone is told of no more.
static WATCHED: LazyLock<Mutex<Vec<Weak<Generations>>>> = LazyLock::new(Mutex::default);

fn watched(generations: &Arc<Generations>) {
    let mut watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner);
    watched.retain(|each| each.strong_count() > 0);
    watched.push(Arc::downgrade(generations));
    drop(watched);
    static METERED: Once = Once::new();
    METERED.call_once(meter);
}

fn meter() {
    let each = || {
        let watched = WATCHED.lock().unwrap_or_else(PoisonError::into_inner).clone();
        watched.into_iter().filter_map(|one| one.upgrade())
    };
    let meter = global::meter("tradewind");
    meter
        .u64_observable_gauge("tradewind_identity_connections")
        .with_description("Connections served, by the credentials of this process that they were opened with")
        .with_callback(move |gauge| {
            let mut sums = BTreeMap::new();
            for one in each().flat_map(|generations| generations.all()) {
                *sums.entry((one.number, one.certificate)).or_default() += one.connections;
            }
            for ((number, certificate), connections) in sums {
                let generation = KeyValue::new("generation", number.to_string());
                gauge.observe(connections, &[generation, KeyValue::new("certificate", certificate)]);
            }
        })
        .build();
    meter
        .i64_observable_gauge("tradewind_identity_authority_not_after_timestamp")
        .with_unit("s")
        .with_description("When each trusted root expires, in seconds since 1970")
        .with_callback(move |gauge| {
            for generations in each() {
                let Some(used) = generations.known().last().cloned() else { continue };
                for (name, fingerprint, not_after) in &used.authorities {
                    let name = KeyValue::new("authority", name.clone());
                    gauge.observe(*not_after, &[name, KeyValue::new("certificate", fingerprint.clone())]);
                }
            }
        })
        .build();
}
