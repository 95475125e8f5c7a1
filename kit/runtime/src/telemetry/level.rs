//! Which lines are logged: as the settings say, or for a time as an operator has asked.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use time::OffsetDateTime;
use tokio_util::task::AbortOnDropHandle;
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber, callsite, level_filters::LevelFilter, span};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use super::QUIET;

/// What is logged. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Level(Arc<State>);

struct State {
    settings: String,
    asked: Mutex<Option<Asked>>,
    filters: Mutex<Vec<Adjusted>>,
    ends: Mutex<Option<AbortOnDropHandle<()>>>,
}

/// What an operator has asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    /// In the syntax of `tracing_subscriber::EnvFilter`.
    pub(crate) filter: String,
    /// Until then.
    pub(crate) until: OffsetDateTime,
    /// By whom.
    pub(crate) by: String,
}

impl Level {
    /// As the settings say.
    pub(super) fn new(settings: &str) -> Self {
        let settings = settings.to_owned();
        Self(Arc::new(State { settings, asked: Mutex::default(), filters: Mutex::default(), ends: Mutex::default() }))
    }

    /// A filter that says so, whatever is asked for later.
    pub(super) fn filter(&self) -> Adjusted {
        let filter = Adjusted(Arc::new(RwLock::new(env_filter(&self.0.settings))));
        self.0.filters.lock().unwrap_or_else(PoisonError::into_inner).push(filter.clone());
        filter
    }

    /// What the settings say.
    pub(crate) fn settings(&self) -> &str {
        &self.0.settings
    }

    /// What is asked for now.
    pub(crate) fn asked(&self) -> Option<Asked> {
        self.lock().clone()
    }

    /// Logs what `asked` says for so long, or with `None` what the settings say.
    pub(crate) fn set(&self, asked: Option<(Asked, Duration)>) {
        let (asked, lasts) = asked.unzip();
        self.change(asked);
        let ends = lasts.map(|lasts| {
            let level = self.clone();
            AbortOnDropHandle::new(tokio::spawn(async move {
                tokio::time::sleep(lasts).await;
                level.change(None);
                tracing::info!(filter = level.settings(), "what is logged is again what the settings say");
            }))
        });
        // What was asked for before does not end any more.
        *self.0.ends.lock().unwrap_or_else(PoisonError::into_inner) = ends;
    }

    /// The same until further notice.
    pub(super) fn change(&self, asked: Option<Asked>) {
        self.lock().clone_from(&asked);
        let filter = asked.as_ref().map_or(self.settings(), |asked| &asked.filter);
        for Adjusted(adjusted) in &*self.0.filters.lock().unwrap_or_else(PoisonError::into_inner) {
            *adjusted.write().unwrap_or_else(PoisonError::into_inner) = env_filter(filter);
        }
        callsite::rebuild_interest_cache();
    }

    fn lock(&self) -> MutexGuard<'_, Option<Asked>> {
        self.0.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn env_filter(log: &str) -> EnvFilter {
    let quiet = QUIET.map(|library| format!("{library}=warn")).join(",");
    EnvFilter::new(format!("info,{quiet},{log}"))
}

/// A filter that can become another.
#[derive(Clone)]
pub(super) struct Adjusted(Arc<RwLock<EnvFilter>>);

impl Adjusted {
    fn now<T>(&self, ask: impl FnOnce(&EnvFilter) -> T) -> T {
        ask(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Filter<S> for Adjusted {
    fn enabled(&self, metadata: &Metadata<'_>, context: &Context<'_, S>) -> bool {
        self.now(|filter| Filter::<S>::enabled(filter, metadata, context))
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.now(|filter| Filter::<S>::callsite_enabled(filter, metadata))
    }

    fn event_enabled(&self, event: &Event<'_>, context: &Context<'_, S>) -> bool {
        self.now(|filter| Filter::<S>::event_enabled(filter, event, context))
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        self.now(Filter::<S>::max_level_hint)
    }

    fn on_new_span(&self, attributes: &span::Attributes<'_>, id: &span::Id, context: Context<'_, S>) {
        self.now(|filter| Filter::<S>::on_new_span(filter, attributes, id, context));
    }

    fn on_record(&self, id: &span::Id, values: &span::Record<'_>, context: Context<'_, S>) {
        self.now(|filter| Filter::<S>::on_record(filter, id, values, context));
    }

    fn on_enter(&self, id: &span::Id, context: Context<'_, S>) {
        self.now(|filter| Filter::<S>::on_enter(filter, id, context));
    }

    fn on_exit(&self, id: &span::Id, context: Context<'_, S>) {
        self.now(|filter| Filter::<S>::on_exit(filter, id, context));
    }

    fn on_close(&self, id: span::Id, context: Context<'_, S>) {
        self.now(|filter| Filter::<S>::on_close(filter, id, context));
    }
}
