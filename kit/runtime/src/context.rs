//! A service of a context: a database, a broker, a gRPC server, and an engine between them.

use std::net::SocketAddr;

use anyhow::Context as _;
use futures::FutureExt;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tradewind_broker::Broker;
use tradewind_mesh::Server;

use crate::{
    Engine, dependencies, ending,
    event_log::OwnersLogs,
    front::Outlook,
    life::{self, Born, Life},
    mesh::Process,
    reactions,
    readiness::{self, Failure, Report},
    routes,
    service::{Compose, Kit, Service},
    settings::Settings,
    telemetry::level::Level,
};

/// One whose sockets are bound.
struct Bound {
    service: Service,
    compose: Compose,
    server: Server,
    broker: Broker,
    process: Process,
}

/// Binds the sockets, and begins to connect to the broker.
///
/// # Errors
/// A mistake in the settings, before anything was bound, or a socket that cannot be.
pub(crate) async fn bind(
    service: Service,
    compose: Compose,
    settings: &Settings,
    outlook: Outlook,
    level: &Level,
) -> anyhow::Result<(SocketAddr, Life)> {
    let Outlook { name, identity, policy, channels, broker } = outlook;
    let broker = broker.context("a context has a broker")?;
    let server = Server::bind(settings.grpc_addr, identity.clone(), policy.clone(), name)
        .await
        .with_context(|| life::unbound("grpc_addr", settings.grpc_addr))?
        .limiting(settings.rate_limits.clone())
        .with_faults(channels.faults().clone());
    let (instance, loads, address) = (settings.instance(name), server.loads(), server.local_addr());
    let process = Process { service: name, instance, identity, policy, channels, loads, level: level.clone() };
    let bound = Bound { service, compose, server, broker, process };
    Ok((address, Box::new(move |born| bound.live(born).boxed())))
}

impl Bound {
    async fn live(self, born: Born) -> anyhow::Result<()> {
        let Self { service, compose, server, broker, process } = self;
        let Born { settings, reports, stop, .. } = &born;
        let (name, grace, address) = (service.name(), settings.grace, server.local_addr());
        reports.send_replace(Report::waiting_for("database", Failure::new("NOT_OPEN_YET", "not opened yet")));
        let Some(store) = dependencies::open(&service, settings, reports, stop).await? else { return Ok(()) };
        let mut parts = compose(Kit { store: store.clone(), channels: process.channels.clone(), name })?;
        let (wanted, known) = (process.policy.owned(name), parts.owners.fields());
        anyhow::ensure!(
            wanted == known,
            "{name} is composed to find owners by {known:?}, and its contract names objects of customers by {wanted:?}"
        );
        anyhow::ensure!(
            reactions::are_whole(name, &parts.declared),
            "{name} is composed without what its contract says it reacts to"
        );
        let server = server.with_owners(std::mem::take(&mut parts.owners));
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
        born.tell_started("grpc", address);
        let Born { reports, stop, .. } = born;
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

        let ended = ending::finish(tasks, &stop, grace).await;
        store.rest().await;
        ended
    }
}
