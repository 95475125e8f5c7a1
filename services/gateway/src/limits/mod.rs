//! How often, and how much at once, somebody may ask. Whoever asks is counted by where it comes from before anything is known of
//! them, and by who they are as soon as that is known. Each replica counts by itself; what the busiest have used is told to the
//! others ([`shared`]), so that all together grant about one budget.

mod ledger;
mod places;
mod principal;
mod quota;
mod rules;
mod said;
mod shared;

use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Instant;

use tonic::Status;
use tradewind_mesh::User;

use self::ledger::Ledger;
use self::places::{Place, Places, What};
pub(crate) use self::principal::Class;
use self::principal::{Kind, Principal};
use self::quota::Standing;
pub use self::rules::Rules;
use self::said::Said;
pub(crate) use self::shared::share;
use crate::metrics;

/// How often it is written down that somebody was refused, in nanoseconds.
const TELL: u64 = 10_000_000_000;

/// What everybody may do, and has done.
pub struct Limits {
    rules: Rules,
    ledger: Ledger,
    places: Places,
    began: Instant,
    /// When it was last written down that somebody was refused, and how many were since.
    told: AtomicU64,
    untold: AtomicU64,
}

/// What a request has been granted, until it is dropped.
#[derive(Default)]
pub(crate) struct Pass {
    held: [Option<Place>; 2],
    /// Of what there is the least left.
    said: Option<Said>,
}

impl Limits {
    /// Nothing was done yet.
    #[must_use]
    pub fn new(rules: Rules) -> Arc<Self> {
        let (ledger, places) = (Ledger::default(), Places::default());
        let (told, untold) = (AtomicU64::new(0), AtomicU64::new(0));
        Arc::new(Self { rules, ledger, places, began: Instant::now(), told, untold })
    }

    /// Measures from now on how many accounts there are.
    pub(crate) fn watch(self: &Arc<Self>) {
        let watched: Weak<Self> = Arc::downgrade(self);
        metrics::watch_accounts(move || watched.upgrade().map_or(0, |limits| limits.ledger.open(limits.now())));
    }

    /// Counts a request of a class that comes from `address`, before anybody looks at who asks.
    ///
    /// # Errors
    /// Where too much comes from there.
    pub(crate) fn arrive(&self, class: Class, address: IpAddr, pass: &mut Pass) -> Result<(), Status> {
        self.admit(class, Principal::address(address), pass)
    }

    /// Counts it for whoever has signed in, or has shown a key.
    ///
    /// # Errors
    /// Where they ask for too much.
    pub(crate) fn identify(&self, class: Class, user: Option<&User>, pass: &mut Pass) -> Result<(), Status> {
        user.map_or(Ok(()), |user| self.admit(class, Principal::known(&user.id), pass))
    }

    /// Counts what is asked for where nothing is offered.
    ///
    /// # Errors
    /// Where too much comes from there.
    pub(crate) fn stray(&self, address: IpAddr, pass: &mut Pass) -> Result<(), Status> {
        self.admit(Class::Read, Principal::address(address), pass)
    }

    fn admit(&self, class: Class, principal: Principal, pass: &mut Pass) -> Result<(), Status> {
        self.count(class, principal, pass)?;
        let what = if class == Class::Stream { What::Streams } else { What::Requests };
        let Some(most) = self.rules.most(what, principal.kind) else { return Ok(()) };
        let Some(place) = self.places.take(principal.id, what, most) else {
            self.refused(what.name(), principal.kind);
            return Err(said::too_many(what, principal.kind, most));
        };
        if let Some(free) = pass.held.iter_mut().find(|held| held.is_none()) {
            *free = Some(place);
        }
        Ok(())
    }

    fn count(&self, class: Class, principal: Principal, pass: &mut Pass) -> Result<(), Status> {
        let kind = principal.kind;
        let Some(quota) = self.rules.quota(class, kind) else { return Ok(()) };
        let taken = self.ledger.take(principal.account(class), quota, self.now());
        let (Ok(standing) | Err(standing)) = taken;
        pass.says(Said { class, kind, quota, standing });
        taken.map(drop).map_err(|Standing { wait, .. }| {
            self.refused(class.name(), kind);
            said::too_often(class, kind, quota, wait)
        })
    }

    /// Told of at a bounded rate: whoever is refused must not fill the log.
    fn refused(&self, class: &'static str, kind: Kind) {
        metrics::limited(class, kind.name());
        let (now, told) = (self.now(), self.told.load(Ordering::Relaxed));
        self.untold.fetch_add(1, Ordering::Relaxed);
        let is_due = told == 0 || now.saturating_sub(told) >= TELL;
        if is_due && self.told.compare_exchange(told, now.max(1), Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            let refused = self.untold.swap(0, Ordering::Relaxed);
            tracing::warn!(class, kind = kind.name(), refused, "requests are refused: there are too many");
        }
    }

    /// Nanoseconds since it began.
    fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}

impl Pass {
    fn says(&mut self, said: Said) {
        if self.said.as_ref().is_none_or(|before| said.standing.left <= before.standing.left) {
            self.said = Some(said);
        }
    }
}
