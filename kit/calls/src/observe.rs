//! What is measured and traced of a call, on both sides.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use http::HeaderMap;
use opentelemetry::Context;
use opentelemetry::context::{FutureExt, WithContext};
use opentelemetry::trace::{SpanContext, TraceContextExt};
use tokio::time::Instant as Deadline;
use tonic::Code;
use tracing::instrument::Instrumented;
use tracing::{Instrument, Span, field};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tradewind_domain::Caller;

use crate::Peer;
use crate::metrics::{self, Method};
use crate::sizes::{self, Sizes};
use crate::trace::{self, Serving};

/// The span of a call, with OpenTelemetry's names.
macro_rules! span {
    ($name:literal, $method:expr, $kind:literal, $($whom:ident).+ = $who:expr) => {
        tracing::info_span!(
            target: trace::CALLS,
            $name,
            otel.name = $method,
            otel.kind = $kind,
            otel.status_code = field::Empty,
            rpc.system.name = "grpc",
            rpc.method = $method,
            $($whom).+ = $who,
            rpc.response.status_code = field::Empty,
        )
    };
}

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
            Self::Server => matches!(
                code,
                Code::Unknown
                    | Code::DeadlineExceeded
                    | Code::Unimplemented
                    | Code::Internal
                    | Code::Unavailable
                    | Code::DataLoss
            ),
        }
    }
}

/// One call from start to last byte. Counted and closed once: by [`Observation::finish`], or, when
/// it is dropped before that, as cancelled or, if its time was up, as late.
pub struct Observation {
    side: Side,
    method: Arc<Method>,
    started: Instant,
    /// Of a call that is served, what is done for it is done within this.
    context: Option<Context>,
    /// None where nobody collects it.
    span: Span,
    deadline: Option<Deadline>,
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
        let parent = trace::of_caller(headers);
        let span = if parent.as_ref().is_none_or(SpanContext::is_sampled) {
            span!("rpc.serve", method.name, "server", caller = caller.id.name())
        } else {
            Span::none()
        };
        let context = Context::new()
            .with_value(Serving::new(method.name, caller.clone()))
            .with_value(Caller::new(caller.id.name()));
        let parent = parent.unwrap_or(SpanContext::NONE);
        let context = if span.is_disabled() {
            context.with_remote_span_context(trace::unrecorded(&parent))
        } else {
            let context = context.with_remote_span_context(parent);
            // Fails where no OpenTelemetry layer is installed: then there is no trace to join.
            let _ = span.set_parent(context.clone());
            context
        };
        Self::new(Side::Server, method, Some(context), span)
    }

    /// Starts observing a call that this process makes, and puts its trace into `headers`.
    pub fn call(method: Arc<Method>, peer: &str, headers: &mut HeaderMap) -> Self {
        let parent = trace::current();
        let span = if parent.is_sampled() || !parent.is_valid() {
            span!("rpc.call", method.name, "client", server.address = peer)
        } else {
            Span::none()
        };
        if span.is_disabled() {
            trace::announce(headers, &trace::unrecorded(&parent));
        } else {
            trace::announce(headers, span.context().span().span_context());
        }
        Self::new(Side::Client, method, None, span)
    }

    fn new(side: Side, method: Arc<Method>, context: Option<Context>, span: Span) -> Self {
        Self {
            side,
            method,
            started: Instant::now(),
            context,
            span,
            deadline: None,
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

    pub const fn deadline(&self) -> Option<Deadline> {
        self.deadline
    }

    pub const fn side(&self) -> Side {
        self.side
    }

    pub const fn span(&self) -> &Span {
        &self.span
    }

    /// Says for whom the call is that is served, in lines of the log and in what is recorded from now on.
    pub fn is_for(&self, user: &str) {
        let Some(context) = &self.context else { return };
        if let Some(call) = context.get::<Serving>() {
            call.is_for(user);
        }
        if let Some(caller) = context.get::<Caller>() {
            caller.is_for(user);
        }
    }

    /// Does `work` as part of the call.
    pub fn within<F: Future>(&self, work: F) -> WithContext<Instrumented<F>> {
        work.instrument(self.span.clone()).with_context(self.context.clone().unwrap_or_default())
    }

    /// Does what doesn't wait as part of the call.
    pub fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        let _context = self.context.clone().map(Context::attach);
        self.span.in_scope(work)
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
        if !self.span.is_disabled() {
            self.span.record("rpc.response.status_code", crate::status::code_name(code));
            if self.side.failed(code) {
                self.span.record("otel.status_code", "ERROR");
            }
        }
        let took = self.started.elapsed();
        match self.side {
            Side::Server => self.method.ended(code, took, self.answer.messages, *self.request.get_mut()),
            Side::Client => self.method.call_ended(code, took),
        }
    }
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
