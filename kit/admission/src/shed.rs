//! Which calls are worked on, which wait, and which are turned away when there are too many: as many as the [limit](Limit) says are
//! under way; about as many wait, whatever the contract calls critical before all else; of the others, the least important are told
//! to come again later. Streams are counted where they are opened, and health is never turned away.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use contracts::tables::Method;
use contracts::tradewind::options::v1::Criticality;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tonic::{Code, Status};

use crate::jitter;
use crate::limit::Limit;
use crate::metrics::{self, ServerNow};
use crate::status::{self, Layer};

/// For how long a call waits for a place, at most.
const PATIENCE: Duration = Duration::from_millis(500);
/// When whoever is turned away may come again: about then.
const AGAIN: Duration = Duration::from_millis(200);
/// As many may wait as may be under way, but at least so many; twice and four times as many of what is more important, because it
/// comes in bursts.
const WAITING: usize = 64;

/// The calls that a server works on, and those that wait.
pub struct Shed(Mutex<State>);

struct State {
    limit: Limit,
    under_way: usize,
    /// By how important they are, the least important first; of those, the longest waiting.
    waiting: [VecDeque<Waiting>; 3],
}

struct Waiting {
    method: &'static str,
    admitted: oneshot::Sender<Place>,
}

/// What a server is doing, as of now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Calls that may be under way at once.
    pub limit: usize,
    /// Calls that are.
    pub under_way: usize,
    /// Calls that wait.
    pub waiting: usize,
}

impl Load {
    /// Calls that are here as a part of those that may be under way.
    #[must_use]
    pub fn utilization(self) -> f64 {
        let count = |calls: usize| u32::try_from(calls).map_or(f64::MAX, f64::from);
        count(self.under_way + self.waiting) / count(self.limit.max(1))
    }
}

/// How a call has ended, as far as it tells how quick the server is.
enum Ended {
    Well,
    /// Who refuses is quick.
    Badly,
    /// Its time was over, or its caller has gone away.
    GivenUp,
}

/// One call under way. If it is dropped before it is answered, it was given up.
pub struct Place {
    shed: Arc<Shed>,
    method: &'static str,
    began: Instant,
    is_over: bool,
}

impl Shed {
    /// Nothing is under way `now`.
    #[must_use]
    pub fn new(now: Instant) -> Arc<Self> {
        Arc::new(Self(Mutex::new(State { limit: Limit::new(now), under_way: 0, waiting: Default::default() })))
    }

    /// What there is to do.
    #[must_use]
    pub fn load(&self) -> Load {
        self.state().load(Instant::now())
    }

    /// Shows itself in metrics for as long as it is there.
    pub fn watch(self: &Arc<Self>) {
        let shed = Arc::downgrade(self);
        metrics::watch_server(move || {
            let now = shed.upgrade()?.load();
            let count = |calls: usize| u64::try_from(calls).unwrap_or(u64::MAX);
            let calls = vec![("under_way", count(now.under_way)), ("waiting", count(now.waiting))];
            Some(ServerNow { limit: count(now.limit), calls })
        });
    }

    /// Waits for a place for a call of `method`.
    ///
    /// # Errors
    /// `RESOURCE_EXHAUSTED`, with when to come again, where as many as may wait already, none of them less important.
    pub async fn take(self: &Arc<Self>, method: &'static Method) -> Result<Place, Status> {
        let queued = {
            let (mut state, now) = (self.state(), Instant::now());
            if state.under_way < state.limit.most(now) {
                return Ok(self.begin(&mut state, method.path, now));
            }
            state.queue(method, now)
        };
        let Some(admitted) = queued else { return Err(self.refusal(method)) };
        match tokio::time::timeout(PATIENCE, admitted).await {
            Ok(Ok(place)) => Ok(place),
            // It has waited for too long, or made room for another.
            Ok(Err(_)) | Err(_) => Err(self.refusal(method)),
        }
    }

    fn begin(self: &Arc<Self>, state: &mut State, method: &'static str, began: Instant) -> Place {
        state.under_way += 1;
        let under_way = state.under_way;
        state.limit.began(under_way);
        Place { shed: self.clone(), method, began, is_over: false }
    }

    /// A call of `method` that has begun then is over.
    fn end(self: &Arc<Self>, method: &'static str, began: Instant, ended: Ended) -> Load {
        let (mut state, now) = (self.state(), Instant::now());
        state.under_way -= 1;
        let (took, under_way) = (now.saturating_duration_since(began), state.under_way);
        match ended {
            Ended::Well => state.limit.ended(method, took, under_way, now),
            Ended::GivenUp => state.limit.given_up(method, took, under_way, now),
            Ended::Badly => {}
        }
        while state.under_way < state.limit.most(now) {
            let Some(next) = state.waiting.iter_mut().rev().find_map(VecDeque::pop_front) else { break };
            let place = self.begin(&mut state, next.method, now);
            // Whoever waited may have gone away. What it would have had is not given back by the usual way, which needs the lock.
            if let Err(mut unused) = next.admitted.send(place) {
                unused.is_over = true;
                state.under_way -= 1;
            }
        }
        state.load(now)
    }

    fn refusal(&self, method: &Method) -> Status {
        let criticality = name(method.criticality);
        metrics::shed(criticality);
        let limit = self.load().limit.to_string();
        let text = "the server works on as many calls as it can; call again later, and less often";
        let facts = [("limit", limit.as_str()), ("criticality", criticality)];
        let refused = status::refusal(Layer::Shed, Code::ResourceExhausted, "OVERLOADED", text, facts);
        let again = (method.criticality != Criticality::Sheddable).then(|| AGAIN / 2 + jitter(AGAIN));
        status::again(refused, again)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn load(&mut self, now: Instant) -> Load {
        // Those whose patience is over stand before the others.
        for waiting in &mut self.waiting {
            while waiting.front().is_some_and(|one| one.admitted.is_closed()) {
                waiting.pop_front();
            }
        }
        let waiting = self.waiting.iter().map(VecDeque::len).sum();
        Load { limit: self.limit.most(now), under_way: self.under_way, waiting }
    }

    /// Lets a call wait for its place, in that of one that is less important where too many wait.
    fn queue(&mut self, method: &'static Method, now: Instant) -> Option<oneshot::Receiver<Place>> {
        let rank = rank(method.criticality);
        let most = self.limit.most(now).max(WAITING) << rank;
        if self.load(now).waiting >= most {
            self.waiting.iter_mut().for_each(|waiting| waiting.retain(|one| !one.admitted.is_closed()));
        }
        if self.load(now).waiting >= most {
            // Its sender hears of it.
            self.waiting[..rank].iter_mut().find_map(VecDeque::pop_back)?;
        }
        let (admitted, place) = oneshot::channel();
        self.waiting[rank].push_back(Waiting { method: method.path, admitted });
        Some(place)
    }
}

impl Place {
    /// The call has been answered, well or not. Tells what there is to do besides.
    pub fn answered(mut self, well: bool) -> Load {
        self.is_over = true;
        self.shed.end(self.method, self.began, if well { Ended::Well } else { Ended::Badly })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.is_over {
            self.shed.end(self.method, self.began, Ended::GivenUp);
        }
    }
}

const fn rank(criticality: Criticality) -> usize {
    match criticality {
        Criticality::Sheddable => 0,
        Criticality::Unspecified | Criticality::Default => 1,
        Criticality::Critical => 2,
    }
}

const fn name(criticality: Criticality) -> &'static str {
    ["sheddable", "default", "critical"][rank(criticality)]
}

#[cfg(test)]
mod tests;
