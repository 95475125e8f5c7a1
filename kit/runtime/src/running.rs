//! Starting a service, keeping it going and ending it in order.
//!
//! Order of start: settings, telemetry, identity, sockets; then, in the background, database, broker, composition, servers. A database
//! that is away delays the start and shows in readiness; it never ends the process. Order of the end: not ready, no new calls, calls in
//! flight, readers and workers, telemetry.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use anyhow::{Context, anyhow};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use tradewind_mesh::{Channels, Listener, Policy};

use crate::{
    admin, context, dependencies, edge, ending,
    front::Outlook,
    identity,
    life::{self, Born},
    readiness::Report,
    service::{Prepared, Service},
    settings::Settings,
    telemetry,
};

/// A service that was started. Dropping it stops the service.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
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
    /// Returns where the gRPC server listens; of a service at the edge, where it takes calls of whatever kind.
    pub fn grpc_addr(&self) -> SocketAddr {
        self.address
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
/// A [`SettingsError`](crate::SettingsError) before anything was bound; later whatever ended the service, or that it didn't end within its grace time or before
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
    /// A [`SettingsError`](crate::SettingsError) before anything was bound, or a socket that cannot be bound.
    pub async fn start(self, settings: Settings) -> anyhow::Result<Running> {
        let began = Instant::now();
        let name = self.name();
        // Fails when it was installed before, which is as good.
        drop(rustls::crypto::ring::default_provider().install_default());
        let prepared = self.prepare(&settings.own)?;
        let telemetry = telemetry::install(name, &settings);
        let policy = Policy::new(&contracts::CONTRACT).in_shadow(settings.policy_shadow);
        if policy.is_shadow() {
            tracing::warn!(
                "policy_shadow is true: callers whom the contract does not name are served, and only told of"
            );
        }
        let identity = identity::load(name, &settings)?;
        let channels = Channels::new(identity.clone(), policy.clone(), settings.peers.clone());
        let broker = match self.about.has_broker {
            true => Some(dependencies::broker(name, &settings, &identity).await?),
            false => None,
        };
        let outlook = Outlook { name, identity, policy, channels, broker };
        let (address, life) = match prepared {
            Prepared::Context(compose) => context::bind(self, compose, &settings, outlook, &telemetry.level).await?,
            Prepared::Edge(open) => edge::bind(open, outlook).await?,
        };
        let admin = Listener::bind(settings.admin_addr)
            .await
            .with_context(|| life::unbound("admin_addr", settings.admin_addr))?;
        let admin_addr = admin.local_addr()?;

        let stop = CancellationToken::new();
        let (reports, last) = watch::channel(Report::default());
        let over = stop.clone().drop_guard();
        let admin_stop = CancellationToken::new();
        let admin_over = admin_stop.clone().drop_guard();
        let admin = tokio::spawn(admin::serve(admin, last.clone(), telemetry, admin_stop));
        let born = Born { settings, reports, stop: stop.clone(), began, admin_addr };
        let life = tokio::spawn(async move {
            // However the life ends, these do too.
            let (_over, admin_over) = (over, admin_over);
            let ended = life(born).await;
            drop(admin_over);
            ended.and(admin.await.context("the admin server panicked")?.context("admin server"))
        });
        Ok(Running { address, admin_addr, reports: last, stop, life: Some(life) })
    }
}
