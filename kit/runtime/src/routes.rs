//! What every service serves beside its own RPCs: its log, its consumers, its calls, health and reflection.

use crate::Engine;
use anyhow::Context;
use tokio::sync::watch;
use tonic::{server::NamedService, service::Routes};
use tonic_health::{
    ServingStatus,
    server::{HealthReporter, health_reporter},
};
use tonic_reflection::server::Builder;
use tradewind_store::Store;

use crate::{
    consumers::consumers,
    event_log::event_log,
    mesh::{Process, mesh},
    readiness::Report,
    service::Parts,
};

/// gRPC health, kept equal to readiness.
pub(crate) struct Health {
    reporter: HealthReporter,
    /// The services answered for; the empty name is the whole server.
    names: Vec<&'static str>,
}

/// Completes the parts' own RPCs with those every service has.
///
/// # Errors
/// A contract descriptor that cannot be reflected.
pub(crate) fn complete(
    parts: &mut Parts,
    store: Store,
    engine: &Engine,
    process: Process,
) -> anyhow::Result<(Routes, Health)> {
    let (reporter, health) = health_reporter();
    let log = event_log(store.clone());
    let consumers = consumers(store, engine);
    let mesh = mesh(process);
    let mut names = vec![""];
    names.extend(&parts.served);
    names.extend([name_of(&log), name_of(&consumers), name_of(&mesh)]);
    let served: Vec<_> = names.iter().skip(1).copied().chain([name_of(&health)]).collect();
    let mut routes = std::mem::take(&mut parts.routes);
    routes.add_service(log).add_service(consumers).add_service(mesh).add_service(health);
    let v1 = reflection(&served, "grpc.reflection.v1.ServerReflection").build_v1();
    let v1alpha = reflection(&served, "grpc.reflection.v1alpha.ServerReflection").build_v1alpha();
    routes.add_service(v1.context("contract descriptor")?).add_service(v1alpha.context("contract descriptor")?);
    Ok((routes.routes(), Health { reporter, names }))
}

/// Only what is served is listed, although the descriptor holds every contract.
fn reflection(served: &[&'static str], own: &'static str) -> Builder<'static> {
    let builder = Builder::configure()
        .register_encoded_file_descriptor_set(contracts::DESCRIPTOR)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET);
    served.iter().chain([&own]).fold(builder, |builder, name| builder.with_service_name(*name))
}

fn name_of<S: NamedService>(_: &S) -> &'static str {
    S::NAME
}

impl Health {
    /// Follows the reports until their source ends.
    pub(crate) async fn follow(self, mut reports: watch::Receiver<Report>) {
        loop {
            let ready = reports.borrow_and_update().ready;
            let status = if ready { ServingStatus::Serving } else { ServingStatus::NotServing };
            for name in &self.names {
                self.reporter.set_service_status(*name, status).await;
            }
            if reports.changed().await.is_err() {
                return;
            }
        }
    }
}
