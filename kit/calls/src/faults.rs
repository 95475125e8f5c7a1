//! Faults that operators ask for: some calls wait, or end with a status, at one end and for a time. There are none unless somebody
//! asks, never many, and each ends by itself. Where in a call's way they are put in is for the layers to say.

use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::time::Duration;

use contracts::tables::Method;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::{Code, Status};
use tradewind_domain::request::Violations;
use tradewind_domain::{Error, ErrorKind};

use crate::status::{self, Layer, code_name};
use crate::{Policy, metrics};

/// Faults at once.
const MOST: usize = 64;
/// How long one may be in effect, and how long it may have a call wait.
const LONGEST: Duration = Duration::from_secs(3_600);
const LATEST: Duration = Duration::from_secs(60);
/// What is looked at with, and what faults are ended by, has none.
const NEVER: &str = "tradewind.mesh.v1.MeshService";

/// What an operator asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// `package.Service/Method`, or `package.Service/*`.
    pub method: String,
    /// Which calls of it.
    pub at: At,
    /// How many of a hundred calls.
    pub percent: u32,
    /// For how long they wait, their deadline permitting.
    pub latency: Option<Duration>,
    /// What they end with, after that.
    pub abort: Option<Code>,
    /// For how long the fault is in effect.
    pub lasts: Duration,
}

/// Where a fault is put in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum At {
    /// Into calls that this process serves.
    Server,
    /// Into calls that it makes: to a peer, or to one endpoint of it.
    Peer(String, Option<SocketAddr>),
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Server => f.write_str("server"),
            Self::Peer(peer, None) => f.write_str(peer),
            Self::Peer(peer, Some(endpoint)) => write!(f, "{peer} at {endpoint}"),
        }
    }
}

/// A fault that is in effect, as it is at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Later ones have higher numbers.
    pub number: u64,
    /// What was asked for.
    pub wanted: Wanted,
    /// The workload that asked.
    pub by: String,
    /// How long it is in effect yet.
    pub left: Duration,
    /// Calls that have had it.
    pub injected: u64,
}

/// The faults of one process, for both ends of its calls. Cheap to clone; clones share everything.
#[derive(Clone, Default)]
pub struct Faults(Arc<Inner>);

#[derive(Default)]
struct Inner {
    /// How many there are: all that a call without a fault looks at.
    count: AtomicUsize,
    rules: RwLock<Rules>,
}

#[derive(Default)]
struct Rules {
    last: u64,
    /// By number.
    all: Vec<Arc<Rule>>,
}

struct Rule {
    number: u64,
    wanted: Wanted,
    by: String,
    until: Instant,
    injected: AtomicU64,
    /// Ends the wait for its end.
    _over: DropGuard,
}

impl Faults {
    /// Puts a fault into calls from now on. `policy` says what there is to call, `own` is the context of this process. Must be
    /// called within a tokio runtime.
    ///
    /// # Errors
    /// `Invalid`, with every field at fault; `Exhausted` `TOO_MANY_FAULTS`.
    pub fn set(&self, policy: &Policy, own: &str, mut wanted: Wanted, by: &str) -> Result<Fault, Error> {
        wanted.method = wanted.method.trim_start_matches('/').to_owned();
        wanted.check(policy, own)?;
        let (until, over) = (Instant::now() + wanted.lasts, CancellationToken::new());
        let mut rules = self.0.rules.write().unwrap_or_else(PoisonError::into_inner);
        if rules.all.len() >= MOST {
            let text = format!("there are {MOST} faults; clear some of them");
            return Err(Error::new(ErrorKind::Exhausted, "TOO_MANY_FAULTS", text).with("limit", MOST.to_string()));
        }
        rules.last += 1;
        let rule = Arc::new(Rule {
            number: rules.last,
            wanted,
            by: by.to_owned(),
            until,
            injected: AtomicU64::new(0),
            _over: over.clone().drop_guard(),
        });
        let number = rule.number;
        rules.all.push(rule.clone());
        self.0.count.store(rules.all.len(), Ordering::Relaxed);
        drop(rules);
        rule.tell("fault set", by);
        let inner = Arc::downgrade(&self.0);
        tokio::spawn(over.run_until_cancelled_owned(expire(inner, number, until)));
        Ok(rule.now())
    }

    /// Those in effect, by number.
    #[must_use]
    pub fn list(&self) -> Vec<Fault> {
        self.0.rules.read().unwrap_or_else(PoisonError::into_inner).all.iter().map(|rule| rule.now()).collect()
    }

    /// Ends those of the given numbers, or all where none is given, and returns them as they were.
    #[must_use]
    pub fn clear(&self, numbers: &[u64], by: &str) -> Vec<Fault> {
        let gone = self.0.remove(|rule| numbers.is_empty() || numbers.contains(&rule.number));
        gone.iter().for_each(|rule| rule.tell("fault cleared", by));
        gone.iter().map(|rule| rule.now()).collect()
    }

    /// What is put into a call that this process serves, if anything.
    #[must_use]
    pub fn served(&self, method: &'static Method) -> Option<Injected> {
        self.find(method, |at| *at == At::Server)
    }

    /// What is put into a call that it makes to an endpoint of `peer`, if anything.
    #[must_use]
    pub fn made(&self, method: &'static Method, peer: &str, endpoint: SocketAddr) -> Option<Injected> {
        self.find(
            method,
            |at| matches!(at, At::Peer(name, only) if name == peer && only.is_none_or(|only| only == endpoint)),
        )
    }

    /// The first that matches, and by the dice is this call's.
    fn find(&self, method: &'static Method, is_there: impl Fn(&At) -> bool) -> Option<Injected> {
        if self.0.count.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let rules = self.0.rules.read().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let is_of = |rule: &&Arc<Rule>| rule.until > now && is_there(&rule.wanted.at) && rule.wanted.is_of(method);
        let rule = rules.all.iter().filter(is_of).find(|rule| fastrand::u32(..100) < rule.wanted.percent)?;
        Some(Injected { rule: rule.clone(), method })
    }
}

impl fmt::Debug for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Faults").field(&self.list()).finish()
    }
}

impl Inner {
    fn remove(&self, is_over: impl Fn(&Rule) -> bool) -> Vec<Arc<Rule>> {
        let mut rules = self.rules.write().unwrap_or_else(PoisonError::into_inner);
        let gone = rules.all.extract_if(.., |rule| is_over(rule)).collect();
        self.count.store(rules.all.len(), Ordering::Relaxed);
        gone
    }
}

async fn expire(faults: Weak<Inner>, number: u64, until: Instant) {
    sleep_until(until).await;
    let gone = faults.upgrade().map(|faults| faults.remove(|rule| rule.number == number));
    gone.iter().flatten().for_each(|rule| rule.tell("fault expired", &rule.by));
}

impl Wanted {
    /// Everything that is wrong with it.
    fn check(&self, policy: &Policy, own: &str) -> Result<(), Error> {
        let mut violations = Violations::default();
        let server = match &self.at {
            At::Server => own,
            At::Peer(peer, _) => peer,
        };
        let (service, method) = self.method.split_once('/').unwrap_or((&self.method, ""));
        let is_known = match method {
            "*" => policy.contexts().iter().any(|context| policy.serves(context, service)),
            _ => policy.method(&format!("/{}", self.method)).is_some(),
        };
        if service == NEVER || service.starts_with("grpc.") {
            violations.add("method", "METHOD_NEVER_FAULTED", "calls of this service never have a fault");
        } else if !is_known {
            let text = "must be the full name of a method of the contract, or of a service with `/*` behind it";
            violations.add("method", "METHOD_UNKNOWN", text);
        } else if !policy.serves(server, service) {
            violations.add("method", "METHOD_NOT_SERVED", format!("{server} does not serve it"));
        }
        violations.check(self.percent <= 100, "percent", "PERCENT_OUT_OF_RANGE", "must be 0 to 100");
        let is_fit = self.latency.is_none_or(|latency| !latency.is_zero() && latency <= LATEST);
        violations.check(is_fit, "latency", "LATENCY_OUT_OF_RANGE", "must be longer than nothing, and at most 60 s");
        violations.check(self.abort != Some(Code::Ok), "abort", "ABORT_INVALID", "must be a status other than OK");
        let is_some = self.latency.is_some() || self.abort.is_some();
        violations.check(is_some, "abort", "FAULT_EMPTY", "is needed where there is no latency");
        let is_fit = !self.lasts.is_zero() && self.lasts <= LONGEST;
        violations.check(is_fit, "lasts", "LASTS_OUT_OF_RANGE", "must be longer than nothing, and at most an hour");
        violations.finish()
    }

    fn is_of(&self, method: &Method) -> bool {
        let name = method.path.trim_start_matches('/');
        match self.method.strip_suffix('*') {
            Some(service) => name.starts_with(service),
            None => name == self.method,
        }
    }
}

impl Rule {
    fn now(&self) -> Fault {
        Fault {
            number: self.number,
            wanted: self.wanted.clone(),
            by: self.by.clone(),
            left: self.until.saturating_duration_since(Instant::now()),
            injected: self.injected.load(Ordering::Relaxed),
        }
    }

    /// Writes down what became of it, and who has asked for that.
    fn tell(&self, what: &'static str, by: &str) {
        let Wanted { method, at, percent, latency, abort, lasts } = &self.wanted;
        let (latency, abort) = (latency.map(tracing::field::debug), abort.map(code_name));
        let (number, injected) = (self.number, self.injected.load(Ordering::Relaxed));
        tracing::warn!(target: "audit", number, method, %at, percent, latency, abort, ?lasts, by, injected, "{what}");
    }
}

/// A fault that one call has.
pub struct Injected {
    rule: Arc<Rule>,
    method: &'static Method,
}

impl Injected {
    /// Waits as long as the fault says; returns what the call then ends with, if it is to end.
    pub async fn put_in(self) -> Option<Status> {
        let Self { rule, method } = self;
        rule.injected.fetch_add(1, Ordering::Relaxed);
        if let Some(latency) = rule.wanted.latency {
            metrics::faulted(method.path, "latency");
            sleep(latency).await;
        }
        let code = rule.wanted.abort?;
        metrics::faulted(method.path, "abort");
        let (number, at) = (rule.number.to_string(), rule.wanted.at.to_string());
        let message = format!("an operator has asked for this call to fail, by fault {number}");
        let facts = [("fault", number.as_str()), ("at", &at), ("method", method.path)];
        Some(status::refusal(Layer::Fault, code, "FAULT_INJECTED", &message, facts))
    }
}
