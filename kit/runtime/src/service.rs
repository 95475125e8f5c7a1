//! What a service is made of, as its composition root declares it. How it is run must not be here.

use std::{convert::Infallible, path::PathBuf, sync::Arc};

use crate::Engine;
use axum::response::IntoResponse;
use futures::FutureExt;
use sea_orm_migration::MigrationTrait;
use tokio_util::sync::CancellationToken;
use tonic::{Status, body::Body, codegen::http::Request, server::NamedService, service::RoutesBuilder};
use tower::Service as Handler;
use tradewind_domain::Error;
use tradewind_events::Reactions;
use tradewind_mesh::{Channels, Owners};
use tradewind_projections::Projection;
use tradewind_replicas::Members;
use tradewind_store::Store;
use tradewind_work::{IntentHandler, TimerHandler};

use crate::{
    front::{Front, Open, Outlook},
    readiness::Check,
    settings::{About, FOLDER, Own, OwnSettings, Setting, SettingsError},
};

pub(crate) type Migrations = fn() -> Vec<Box<dyn MigrationTrait>>;
pub(crate) type Compose = Box<dyn FnOnce(Kit) -> anyhow::Result<Parts> + Send>;

type Prepare = Arc<dyn Fn(&Own) -> Result<Prepared, SettingsError> + Send + Sync>;

/// What makes a service, with its own settings.
pub(crate) enum Prepared {
    /// One of a context, from its open database.
    Context(Compose),
    /// One at the edge, from what it sees of the others.
    Edge(Open),
}

/// Everything needed to run one service: its name, its settings, its tables and how its parts are made.
#[derive(Clone)]
pub struct Service {
    pub(crate) about: About,
    pub(crate) migrations: Migrations,
    prepare: Prepare,
}

impl Service {
    /// Declares a service: `compose` makes its parts once its database is open, from the kit and its own [settings](crate::settings)
    /// `C`.
    pub fn new<C>(
        name: &'static str,
        migrations: Migrations,
        compose: impl Fn(Kit, C) -> anyhow::Result<Parts> + Send + Sync + 'static,
    ) -> Self
    where
        C: OwnSettings,
    {
        let compose = Arc::new(compose);
        let prepare: Prepare = Arc::new(move |own| {
            let (settings, compose) = (own.all::<C>()?, Arc::clone(&compose));
            Ok(Prepared::Context(Box::new(move |kit| compose(kit, settings))))
        });
        Self { about: about(name, false, C::table()), migrations, prepare }
    }

    /// Declares a service at the edge, which has no database, and listens as it likes: `open` binds its sockets, and
    /// gives what answers there.
    pub fn at_the_edge<C, F>(name: &'static str, open: impl Fn(Outlook, C) -> F + Clone + Send + Sync + 'static) -> Self
    where
        C: OwnSettings,
        F: Future<Output = anyhow::Result<Front>> + Send + 'static,
    {
        let prepare: Prepare = Arc::new(move |own| {
            let (settings, open) = (own.all::<C>()?, open.clone());
            Ok(Prepared::Edge(Box::new(move |outlook| open(outlook, settings).boxed())))
        });
        Self { about: about(name, true, C::table()), migrations: Vec::new, prepare }
    }

    /// Says in one line what the service is for; `--help` begins with it.
    #[must_use]
    pub fn purpose(mut self, purpose: &'static str) -> Self {
        self.about.purpose = purpose;
        self
    }

    /// Has no part in what the broker carries, as a service at the edge may.
    #[must_use]
    pub fn without_broker(mut self) -> Self {
        self.about.has_broker = false;
        self
    }

    /// Sets the ports the service listens on unless told otherwise. One at the edge says itself by a setting where it takes calls.
    #[must_use]
    pub fn ports(mut self, grpc: u16, admin: u16) -> Self {
        (self.about.grpc_port, self.about.admin_port) = (grpc, admin);
        self
    }

    /// Sets the folder whose `pki` and `data` hold what no setting says; `.tradewind` unless told otherwise.
    #[must_use]
    pub fn folder(mut self, folder: impl Into<PathBuf>) -> Self {
        self.about.folder = folder.into();
        self
    }

    /// Returns the name of the service: its context, its identity, its database.
    pub fn name(&self) -> &'static str {
        self.about.name
    }

    /// Returns the port on which it is called unless told otherwise.
    pub fn grpc_port(&self) -> u16 {
        self.about.grpc_port
    }

    /// Returns the port of its health and metrics unless told otherwise.
    pub fn admin_port(&self) -> u16 {
        self.about.admin_port
    }

    /// Tells whether the service has a setting of its own by that key.
    pub fn takes(&self, key: &str) -> bool {
        self.about.settings.iter().any(|setting| setting.key.eq_ignore_ascii_case(key))
    }

    /// Checks the service's own settings and returns what composes it with them.
    pub(crate) fn prepare(&self, own: &Own) -> Result<Prepared, SettingsError> {
        (self.prepare)(own)
    }
}

fn about(name: &'static str, is_edge: bool, settings: Vec<Setting>) -> About {
    let folder = PathBuf::from(FOLDER);
    About { name, purpose: "", is_edge, has_broker: true, grpc_port: 0, admin_port: 0, folder, settings }
}

/// What the runtime hands to a service that is being composed.
pub struct Kit {
    /// The service's open database.
    pub store: Store,
    /// Channels to the other services.
    pub channels: Channels,
    /// The name of the service.
    pub name: &'static str,
}

/// What a service consists of.
pub struct Parts {
    pub(crate) routes: RoutesBuilder,
    pub(crate) served: Vec<&'static str>,
    /// Event and reaction names, to be compared with the contract.
    pub(crate) declared: Vec<(String, &'static str)>,
    pub(crate) engine: Vec<Box<dyn FnOnce(Engine) -> Engine + Send>>,
    pub(crate) checks: Vec<Check>,
    pub(crate) owners: Owners,
}

impl Default for Parts {
    fn default() -> Self {
        Self::new()
    }
}

impl Parts {
    /// Returns a service that does nothing yet.
    pub fn new() -> Self {
        Self {
            routes: RoutesBuilder::default(),
            served: Vec::new(),
            declared: Vec::new(),
            engine: Vec::new(),
            checks: Vec::new(),
            owners: Owners::default(),
        }
    }

    /// Serves a generated gRPC service.
    #[must_use]
    pub fn grpc<S>(mut self, service: S) -> Self
    where
        S: Handler<Request<Body>, Error = Infallible> + NamedService + Clone + Send + Sync + 'static,
        S::Response: IntoResponse,
        S::Future: Send + 'static,
    {
        self.routes.add_service(service);
        self.served.push(S::NAME);
        self
    }

    /// Reacts to other contexts' events, by what [`reactions`](crate::reactions) makes of the contract's struct for this service.
    #[must_use]
    pub fn reactions(mut self, reactions: Reactions) -> Self {
        self.declared.extend(reactions.declared());
        self.with(|engine| engine.reactions(reactions))
    }

    /// Keeps a read model. What it makes of other contexts' events it has to be declared to react to.
    #[must_use]
    pub fn projection(mut self, projection: Projection) -> Self {
        let [first, _] = projection.reactions();
        self.declared.extend(first.declared());
        self.with(|engine| engine.projection(projection))
    }

    /// Carries out intents of one kind, at most `concurrency` at a time.
    #[must_use]
    pub fn intents<H: IntentHandler>(self, handler: H, concurrency: usize) -> Self {
        self.with(move |engine| engine.intents(handler, concurrency))
    }

    /// Fires timers of one name.
    #[must_use]
    pub fn timer<T: TimerHandler>(self, handler: T) -> Self {
        self.with(|engine| engine.timer(handler))
    }

    /// Does work of the service's own from its start to its end, beside the others who are at work on its database. What it is given last
    /// tells it when to end, which is to take no longer than the setting `grace`; where it ends before, the service does.
    #[must_use]
    pub fn work<F>(self, work: impl FnOnce(Members, CancellationToken) -> F + Send + 'static) -> Self
    where
        F: Future<Output = Result<(), Error>> + Send + 'static,
    {
        self.with(|engine| engine.work(work))
    }

    /// Finds out for whom the objects are that requests name in `field`, as the contract says (`OWNER_OBJECT`): `whose` looks up the
    /// owner of one, who never changes, and `missing` is what is said of one that is not there. A customer hears the same of an
    /// object that is somebody else's.
    #[must_use]
    pub fn owner_of<F>(
        mut self,
        field: &'static str,
        whose: impl Fn(String) -> F + Send + Sync + 'static,
        missing: impl Fn(&str) -> Status + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = Result<Option<String>, Status>> + Send + 'static,
    {
        self.owners = self.owners.of(field, whose, missing);
        self
    }

    /// Makes readiness depend on one thing more; the text of an error is logged.
    #[must_use]
    pub fn check<F>(mut self, name: &'static str, ask: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<(), String>> + Send + 'static,
    {
        self.checks.push(Check::new(name, ask));
        self
    }

    fn with(mut self, step: impl FnOnce(Engine) -> Engine + Send + 'static) -> Self {
        self.engine.push(Box::new(step));
        self
    }
}
