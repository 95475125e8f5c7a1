//! The identity context: who has an account, who is signed in, and by which keys others can tell.
//!
//! It knows nothing of what anybody orders. Whether somebody may do something is decided where it is done, by what their tokens say.
//!
//! This is the composition root. Rules are in [`domain`]; what reads or writes the database is in [`app`] and [`store`]; what speaks
//! gRPC is in `grpc`.

pub mod app;
mod config;
pub mod domain;
mod grpc;
mod metrics;
pub mod passwords;
pub mod seals;
mod secrets;
pub mod store;
pub mod tokens;

use std::sync::Arc;
use std::time::Duration;

use contracts::tradewind::identity::v1::identity_service_server::IdentityServiceServer;
use tradewind_runtime::{Kit, Parts, Service};

use crate::app::{Means, Rules};
use crate::config::Config;
use crate::grpc::Api;
#[cfg(any(test, feature = "fuzzed"))]
pub use crate::grpc::fuzzed;
use crate::passwords::{Cost, Passwords};
use crate::tokens::{Issue, Tokens};

/// How often what is over is removed, and the keys are looked at.
const TIDY: Duration = Duration::from_secs(60);

/// The identity service, for the runtime to run.
#[must_use]
pub fn service() -> Service {
    Service::new("identity", store::migrations, compose)
        .purpose("keeps accounts and who is signed in, and signs what says so")
        .ports(7107, 7207)
}

fn compose(kit: Kit, config: Config) -> anyhow::Result<Parts> {
    let cost = Cost {
        memory: config.hash_memory,
        passes: config.hash_passes,
        threads: config.hash_threads,
        waiting: config.hash_waiting.get(),
    };
    let issue = Issue {
        issuer: config.issuer,
        lifetime: config.token_lifetime,
        algorithm: config.signing_algorithm,
        key_lifetime: config.key_lifetime,
    };
    let rules = Rules {
        code: config.code_lifetime,
        one_time_password: config.one_time_password_lifetime,
        idle: config.session_idle,
        session: config.session_lifetime,
    };
    if config.signing_key_seals.is_empty() {
        tracing::warn!("private keys lie in the database as they are: signing_key_seals is not set");
    }
    let tokens = Tokens::new(kit.store.clone(), issue).sealed_by(config.signing_key_seals);
    let means = Arc::new(Means { store: kit.store, passwords: Passwords::new(cost)?, tokens, rules });
    metrics::begin();
    keep_tidy(&means);
    Ok(Parts::new().grpc(IdentityServiceServer::new(Api::new(means))))
}

/// Removes what is over and makes the keys that are due, for as long as anybody is served.
fn keep_tidy(means: &Arc<Means>) {
    let means = Arc::downgrade(means);
    tokio::spawn(async move {
        while let Some(means) = means.upgrade() {
            let tidied = app::tidy(&means.store).await.and(means.tokens.keys().await.map(drop));
            if let Err(error) = tidied {
                tracing::warn!(%error, "what is over is not removed, or keys are not looked at");
            }
            drop(means);
            tokio::time::sleep(TIDY).await;
        }
    });
}
