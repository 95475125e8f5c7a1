//! What is measured and traced of a call, on both sides.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::HeaderMap;
use opentelemetry::context::WithContext;
use opentelemetry::trace::SpanContext;
use opentelemetry::{Context, KeyValue};
use tokio::time::Instant as Deadline;
use tonic::Code;
use tracing::instrument::Instrumented;
use tradewind_domain::Caller;
use tradewind_telemetry::{Kind, Part, current, names};

use crate::Peer;
use crate::metrics::{self, Method};
use crate::sizes::{self, Sizes};
use crate::status::{code_name, is_fault};
use crate::trace::{self, Serving};

/// A call that is abandoned this close to its deadline was abandoned because of it.
const GIVEN_UP: Duration = Duration::from_millis(5);

/// Which end of a call is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Server,
    Client,
}

impl Side {
    /// Whether `code` is a failure of this side; a refused request is no failure of the server.
    const fn failed(self, code: Code) -> bool {
        match self {
            Self::Client => !matches!(code, Code::Ok),
            Self::Server => is_fault(code),
        }
    }
}

/// One call from start to last byte. Counted and closed once: by [`Observation::finish`], or, when
/// it is dropped before that, as cancelled or, if its time was up, as late.
pub struct Observation {
    side: Side,
    method: Arc<Method>,
    started: Instant,
    part: Part,
    deadline: Option<Deadline>,
    /// Whether it lasts for as long as somebody listens.
    streams: bool,
    /// The messages of the answer.
    answer: Sizes,
    /// Bytes of the messages of a request that is served.
    request: AtomicU64,
    finished: bool,
}

impl Observation {
    /// Starts observing a call that this process serves, as part of the trace that its `headers` name.
    pub fn serve(path: &'static str, caller: &Arc<Peer>, headers: &HeaderMap) -> Self {
        let method = metrics::served(path);
        method.started();
        let context = Context::new()
            .with_value(Serving::new(method.name, caller.clone()))
            .with_value(Caller::new(caller.id.name()));
        let parent = trace::of_caller(headers).unwrap_or(SpanContext::NONE);
        let facts = || facts(&method, KeyValue::new(names::CALLER, caller.id.name().to_owned()));
        let part = Part::begin(Kind::Server, &parent, &context, || method.name.into(), facts);
        Self::new(Side::Server, method, part)
    }

    /// Starts observing a call that this process makes, and puts its trace into `headers`.
    pub fn call(method: Arc<Method>, peer: &str, headers: &mut HeaderMap) -> Self {
        let facts = || facts(&method, KeyValue::new(names::SERVER_ADDRESS, peer.to_owned()));
        let part = Part::begin(Kind::Client, &current(), &Context::current(), || method.name.into(), facts);
        trace::announce(headers, &part.ids());
        Self::new(Side::Client, method, part)
    }

    fn new(side: Side, method: Arc<Method>, part: Part) -> Self {
        Self {
            side,
            method,
            started: Instant::now(),
            part,
            deadline: None,
            streams: false,
            answer: Sizes::default(),
            request: AtomicU64::new(0),
            finished: false,
        }
    }

    /// The same, knowing when the call must end.
    pub const fn until(mut self, deadline: Option<Deadline>) -> Self {
        self.deadline = deadline;
        self
    }

    /// The same, knowing whether it lasts for as long as somebody listens.
    pub const fn streaming(mut self, streams: bool) -> Self {
        self.streams = streams;
        self
    }

    pub const fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    pub const fn side(&self) -> Side {
        self.side
    }

    /// What is observed, as a part of its trace.
    pub const fn part(&self) -> &Part {
        &self.part
    }

    /// Says for whom the call is that is served, in lines of the log and in what is recorded from now on.
    pub fn is_for(&self, user: &str) {
        let context = self.part.context();
        if let Some(call) = context.get::<Serving>() {
            call.is_for(user);
        }
        if let Some(caller) = context.get::<Caller>() {
            caller.is_for(user);
        }
    }

    /// Does `work` as part of the call.
    pub fn within<F: Future>(&self, work: F) -> WithContext<Instrumented<F>> {
        self.part.within(work)
    }

    /// Does what doesn't wait as part of the call.
    pub fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        self.part.in_scope(work)
    }

    /// The one message of the request has come, so many bytes with what frames it.
    pub fn asked(&self, framed: usize) {
        self.request.store(framed.saturating_sub(sizes::HEAD) as u64, Ordering::Relaxed);
    }

    /// A part of the answer passes.
    pub fn answers(&mut self, chunk: &[u8]) {
        if self.side == Side::Server {
            self.answer.pass(chunk);
        }
    }

    /// Records the outcome; only the first counts.
    pub fn finish(&mut self, code: Code) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        self.part.says(|| KeyValue::new(names::RPC_RESPONSE_STATUS_CODE, code_name(code)));
        if self.side.failed(code) {
            self.part.fails(code_name(code));
        }
        let took = self.started.elapsed();
        let collected = self.part.is_collected().then(|| self.part.ids());
        match self.side {
            Side::Server => {
                let sizes = (self.answer.messages, *self.request.get_mut());
                self.method.served(code, took, sizes, collected.as_ref());
            }
            Side::Client => {
                self.method.call_ended(code, took, self.started + took, self.streams, collected.as_ref());
            }
        }
    }
}

fn facts(method: &Method, whom: KeyValue) -> Vec<KeyValue> {
    vec![KeyValue::new(names::RPC_SYSTEM_NAME, "grpc"), KeyValue::new(names::RPC_METHOD, method.name), whom]
}

impl Drop for Observation {
    fn drop(&mut self) {
        // A caller whose deadline passes resets the stream at about the time this side would notice.
        let late = self.deadline.is_some_and(|deadline| Deadline::now() + GIVEN_UP >= deadline);
        self.finish(if late { Code::DeadlineExceeded } else { Code::Cancelled });
    }
}

/// The `grpc-status` of headers or trailers, if it is there.
pub fn code_of(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()))
}
