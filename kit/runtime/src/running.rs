//! Starting a service, keeping it going and ending it in order.
//!
//! Order of start: settings, telemetry, identity, sockets; then, in the background, database, broker, composition, servers. A database
//! that is away delays the start and shows in readiness; it never ends the process. Order of the end: not ready, no new calls, calls in
//! flight, readers and workers, telemetry.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use crate::Engine;
use anyhow::{Context, anyhow};
use tokio::{
    net::TcpListener,
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tokio_util::sync::CancellationToken;
use tradewind_broker::Broker;
use tradewind_mesh::{Channels, Policy, Server};

use crate::{
    admin, dependencies, ending,
    event_log::OwnersLogs,
    identity,
    mesh::Process,
    reactions,
    readiness::{self, Failure, Report},
    routes,
    service::{Compose, Kit, Service},
    settings::{Settings, SettingsError},
    telemetry,
};

/// A service that was started. Dropping it stops the service.
#[derive(Debug)]
pub struct Running {
    grpc_addr: SocketAddr,
    admin_addr: SocketAddr,
    reports: watch::Receiver<Report>,
    stop: CancellationToken,
    life: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

impl Running {
    /// Returns where the gRPC server listens.
    pub fn grpc_addr(&self) -> SocketAddr {
        self.grpc_addr
    }

    /// Returns where the admin server listens.
    pub fn admin_addr(&self) -> SocketAddr {
        self.admin_addr
    }

    /// Waits until every check is fine.
    ///
    /// # Errors
    /// Why the service ended instead, or what it still waits for when the time is over.
    pub async fn ready(&mut self, within: Duration) -> anyhow::Result<()> {
        let mut reports = self.reports.clone();
        let waited = tokio::time::timeout(within, reports.wait_for(|report| report.ready)).await.map(|met| met.is_ok());
        match waited {
            Ok(true) => Ok(()),
            Ok(false) => {
                self.wait().await?;
                Err(anyhow!("the service ended before it was ready"))
            }
            Err(_) => Err(anyhow!("not ready within {within:?}: {:?}", self.reports.borrow().checks)),
        }
    }

    /// Asks the service to end in order; [`Running::wait`] tells when it has.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until the service has ended.
    ///
    /// # Errors
    /// Why it ended, unless it was asked to and did so within its grace time.
    pub async fn wait(&mut self) -> anyhow::Result<()> {
        let Some(life) = &mut self.life else { return Ok(()) };
        let ended = life.await.context("the service panicked").flatten();
        self.life = None;
        ended
    }
}

/// Runs a service until SIGTERM or SIGINT, then ends it in order.
///
/// # Errors
/// A [`SettingsError`] before anything was bound; later whatever ended the service, or that it didn't end within its grace time or before
/// a second signal.
pub async fn run(service: Service, settings: Settings) -> anyhow::Result<()> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let telemetry = telemetry::install(service.name(), &settings);
    let grace = settings.grace;
    let mut running = service.start(settings).await?;
    let ended = tokio::select! {
        ended = running.wait() => ended,
        name = either(&mut terminate, &mut interrupt) => {
            tracing::info!(signal = name, "stopping");
            running.stop();
            tokio::select! {
                ended = running.wait() => ended,
                name = either(&mut terminate, &mut interrupt) => Err(anyhow!("a second signal, {name}, cut the shutdown short")),
            }
        }
    };
    match &ended {
        Ok(()) => tracing::info!("stopped"),
        Err(error) => tracing::error!(error = format!("{error:#}"), "stopped"),
    }
    telemetry.flush(ending::for_spans(grace)).await;
    ended
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) -> &'static str {
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = interrupt.recv() => "SIGINT",
    }
}

impl Service {
    /// Starts the service and returns as soon as its sockets are bound; port 0 in the settings takes free ones.
    ///
    /// # Errors
    /// A [`SettingsError`] before anything was bound, or a socket that cannot be bound.
    pub async fn start(self, settings: Settings) -> anyhow::Result<Running> {
        let began = Instant::now();
        let name = self.name();
        // Fails when it was installed before, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let compose = self.prepare(&settings.own)?;
        let telemetry = telemetry::install(name, &settings);
        let policy = Policy::new(&contracts::CONTRACT).in_shadow(settings.policy_shadow);
        if policy.is_shadow() {
            tracing::warn!(
                "policy_shadow is true: callers whom the contract does not name are served, and only told of"
            );
        }
        let identity = identity::load(name, &settings)?;
        let broker = dependencies::broker(name, &settings, &identity).await?;

        let bound = |key: &str, address| format!("{}", SettingsError::of(key, format!("{address} cannot be bound")));
        let admin =
            TcpListener::bind(settings.admin_addr).await.with_context(|| bound("admin_addr", settings.admin_addr))?;
        let server = Server::bind(settings.grpc_addr, identity.clone(), policy.clone(), name)
            .await
            .with_context(|| bound("grpc_addr", settings.grpc_addr))?
            .limiting(settings.rate_limits.clone());
        let (grpc_addr, admin_addr) = (server.local_addr(), admin.local_addr()?);

        let stop = CancellationToken::new();
        let (reports, last) =
            watch::channel(Report::waiting_for("database", Failure::new("NOT_OPEN_YET", "not opened yet")));
        let over = stop.clone().drop_guard();
        let channels = Channels::new(identity.clone(), policy.clone(), settings.peers.clone());
        let server = server.with_faults(channels.faults().clone());
        let (instance, loads) = (settings.instance(name), server.loads());
        let process = Process { service: name, instance, identity, policy, channels, loads };
        let admin_stop = CancellationToken::new();
        let admin_over = admin_stop.clone().drop_guard();
        let admin = tokio::spawn(admin::serve(admin, last.clone(), telemetry, admin_stop));
        let life =
            Life { service: self, settings, server, broker, process, reports, stop: stop.clone(), began, admin_addr };
        let life = tokio::spawn(async move {
            // However the life ends, these do too.
            let (_over, admin_over) = (over, admin_over);
            let ended = Box::pin(life.live(compose)).await;
            drop(admin_over);
            ended.and(admin.await.context("the admin server panicked")?.context("admin server"))
        });
        Ok(Running { grpc_addr, admin_addr, reports: last, stop, life: Some(life) })
    }
}

/// A started service from bound sockets to its end.
struct Life {
    service: Service,
    settings: Settings,
    server: Server,
    broker: Broker,
    process: Process,
    reports: watch::Sender<Report>,
    stop: CancellationToken,
    began: Instant,
    admin_addr: SocketAddr,
}

impl Life {
    async fn live(self, compose: Compose) -> anyhow::Result<()> {
        let Self { service, settings, server, broker, process, reports, stop, began, admin_addr } = self;
        let (name, grace, grpc_addr) = (service.name(), settings.grace, server.local_addr());
        let Some(store) = dependencies::open(&service, &settings, &reports, &stop).await? else { return Ok(()) };
        let mut parts = compose(Kit { store: store.clone(), channels: process.channels.clone(), name })?;
        anyhow::ensure!(
            reactions::are_whole(name, &parts.declared),
            "{name} is composed without what its contract says it reacts to"
        );
        let mut checks = vec![
            dependencies::answers(store.clone()),
            dependencies::intact(store.clone()),
            dependencies::connected(broker.clone()),
        ];
        checks.append(&mut parts.checks);
        let mut engine = Engine::new(store.clone(), broker, OwnersLogs::new(process.channels.clone()))
            .grace(ending::for_work(grace));
        if let Some(instance) = &process.instance {
            engine = engine.holder(instance);
        }
        for step in std::mem::take(&mut parts.engine) {
            engine = step(engine);
        }
        checks.push(dependencies::readers_move(engine.stuck()));
        let (routes, health) = routes::complete(&mut parts, store.clone(), &engine, process)?;

        tokio::spawn(health.follow(reports.subscribe()));
        tokio::spawn(readiness::watch(checks, reports, stop.clone()));
        let mut tasks = JoinSet::new();
        let engine_stop = CancellationToken::new();
        let engine_over = engine_stop.clone().drop_guard();
        let serving = server.serve(routes, stop.clone(), ending::for_calls(grace));
        tasks.spawn(async move {
            // Readers and workers go on until the last call is answered.
            let _over = engine_over;
            serving.await.context("gRPC server")
        });
        let engine = async move { engine.run(engine_stop).await.context("engine") };
        let ordered = stop.clone();
        tasks.spawn(async move { ending::in_time(engine, &ordered, grace).await });
        let started_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        tracing::info!(version = crate::VERSION, grpc = %grpc_addr, admin = %admin_addr, started_ms, "started");

        let ended = ending::finish(tasks, &stop, grace).await;
        store.rest().await;
        ended
    }
}
