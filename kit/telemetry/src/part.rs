//! Parts of traces. One that somebody collects has a span; of any other there are only the ids, which go on to whoever continues the
//! trace and stand in lines of the log: those cost next to nothing, and spans of which nobody hears cost as much as a call.

use std::borrow::Cow;

use opentelemetry::context::{FutureExt, WithContext};
use opentelemetry::trace::{SpanContext, SpanId, Status, TraceContextExt, TraceFlags, TraceId};
use opentelemetry::{Context, KeyValue};
use tracing::instrument::Instrumented;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::collecting::is_collected;
use crate::names;
use crate::traceparent::format;

/// The target of the spans that are made here. Lines of the log take nothing from them: what is being done stands in the context.
pub const SPANS: &str = "tradewind::spans";

/// What a part of a trace is to the parts beside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It answers another's request.
    Server,
    /// It is a request to another.
    Client,
    /// It sends what others process later.
    Producer,
    /// It processes what others have sent.
    Consumer,
    /// It is none of these.
    Internal,
}

impl Kind {
    const fn text(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Producer => "producer",
            Self::Consumer => "consumer",
            Self::Internal => "internal",
        }
    }
}

/// A part of a trace, from when it begins until it is dropped.
#[derive(Clone, Debug)]
pub struct Part {
    /// None where nobody collects it.
    span: Span,
    /// What is done for it is done within this.
    context: Context,
}

impl Part {
    /// Begins one within `parent`, or a trace where that is none. What `context` has, whatever is done for it has, too; `name` and
    /// `facts` are asked for where somebody collects it.
    pub fn begin(
        kind: Kind,
        parent: &SpanContext,
        context: &Context,
        name: impl FnOnce() -> Cow<'static, str>,
        facts: impl FnOnce() -> Vec<KeyValue>,
    ) -> Self {
        Self::collected(kind, parent, context, name, facts).unwrap_or_else(|| Self {
            span: Span::none(),
            context: context.with_remote_span_context(unrecorded(parent)),
        })
    }

    /// The same where somebody collects it.
    pub fn collected(
        kind: Kind,
        parent: &SpanContext,
        context: &Context,
        name: impl FnOnce() -> Cow<'static, str>,
        facts: impl FnOnce() -> Vec<KeyValue>,
    ) -> Option<Self> {
        if !is_collected(parent) {
            return None;
        }
        let span = tracing::info_span!(
            target: SPANS,
            "part",
            otel.name = name().as_ref(),
            otel.kind = kind.text(),
        );
        if span.is_disabled() {
            return None;
        }
        let context = context.with_value(Decided);
        // Samplers take even what is not valid for a parent, which was not sampled.
        let context = if parent.is_valid() { context.with_remote_span_context(parent.clone()) } else { context };
        // Fails where no OpenTelemetry layer is installed: then there is no trace to join.
        let _ = span.set_parent(context.clone());
        for KeyValue { key, value, .. } in facts() {
            span.set_attribute(key, value);
        }
        Some(Self { span, context })
    }

    /// Whether somebody collects it.
    #[must_use]
    pub fn is_collected(&self) -> bool {
        !self.span.is_disabled()
    }

    /// Its ids; not valid where it has none.
    #[must_use]
    pub fn ids(&self) -> SpanContext {
        let own = if self.is_collected() { &self.span.context() } else { &self.context };
        own.span().span_context().clone()
    }

    /// Its ids as a `traceparent`; `otherwise` where it has none.
    #[must_use]
    pub fn traceparent(&self, otherwise: &str) -> String {
        let ids = self.ids();
        if ids.is_valid() { format(&ids) } else { otherwise.to_owned() }
    }

    /// The context of whatever is done for it, without its span.
    #[must_use]
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Does `work` as part of it.
    pub fn within<F: Future>(&self, work: F) -> WithContext<Instrumented<F>> {
        work.instrument(self.span.clone()).with_context(self.context.clone())
    }

    /// Does `work` as part of it, but in the context in which that is done already.
    pub fn around<F: Future>(&self, work: F) -> Instrumented<F> {
        work.instrument(self.span.clone())
    }

    /// Does what doesn't wait as part of it.
    pub fn in_scope<T>(&self, work: impl FnOnce() -> T) -> T {
        let _context = self.context.clone().attach();
        self.span.in_scope(work)
    }

    /// Follows from `cause`, too.
    pub fn follows(&self, cause: &SpanContext) {
        if self.is_collected() && cause.is_valid() {
            self.span.add_link(cause.clone());
        }
    }

    /// It is called otherwise, now that more is known of it.
    pub fn is_called(&self, name: impl FnOnce() -> Cow<'static, str>) {
        if self.is_collected() {
            self.span.context().span().update_name(name());
        }
    }

    /// Says more of it.
    pub fn says(&self, fact: impl FnOnce() -> KeyValue) {
        if self.is_collected() {
            let KeyValue { key, value, .. } = fact();
            self.span.set_attribute(key, value);
        }
    }

    /// It has failed, for one of few reasons.
    pub fn fails(&self, why: &'static str) {
        if self.is_collected() {
            self.span.set_attribute(names::ERROR_TYPE, why);
            self.span.set_status(Status::error(""));
        }
    }
}

/// Stands in the context of a span that is made because it is collected.
struct Decided;

/// Whether a span that is made within `parent` is collected for certain: whoever samples has nothing more to decide.
#[must_use]
pub fn is_decided(parent: &Context) -> bool {
    parent.get::<Decided>().is_some() && !parent.span().span_context().is_valid()
}

/// The part that what is done here belongs to; not valid where there is none.
#[must_use]
pub fn current() -> SpanContext {
    Context::map_current(|context| context.span().span_context().clone())
}

/// The same as a `traceparent`; `otherwise` where there is none.
#[must_use]
pub fn current_traceparent(otherwise: &str) -> String {
    let part = current();
    if part.is_valid() { format(&part) } else { otherwise.to_owned() }
}

/// A part of which there are only the ids, within `parent`'s trace if that is one. Whether others collect theirs stays as it is.
#[must_use]
pub fn unrecorded(parent: &SpanContext) -> SpanContext {
    let trace =
        if parent.is_valid() { parent.trace_id() } else { TraceId::from_bytes(fastrand::u128(1..).to_be_bytes()) };
    let span = SpanId::from_bytes(fastrand::u64(1..).to_be_bytes());
    let flags = if parent.is_valid() { parent.trace_flags() } else { TraceFlags::default() };
    SpanContext::new(trace, span, flags, false, parent.trace_state().clone())
}
