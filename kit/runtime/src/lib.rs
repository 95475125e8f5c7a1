//! One call runs a service: settings, telemetry, identity, database, broker, servers, health and an orderly end.
//!
//! A service declares what it is made of ([`Service`], [`Parts`]); everything that is the same for all of them is here and nowhere else.
//! What any one context means must not be here.
//!
#![doc = include_str!("../README.md")]

mod admin;
mod broker;
mod consumers;
mod context;
mod dependencies;
mod edge;
mod ending;
mod engine;
mod event_log;
mod front;
#[cfg(any(test, feature = "fuzzed"))]
pub mod fuzzed;
mod health;
mod help;
mod http;
mod identity;
mod life;
mod mesh;
pub mod outside;
mod ports;
mod reactions;
mod readiness;
mod routes;
mod running;
mod service;
mod settings;
mod telemetry;

use std::{
    env,
    io::{self, Write as _},
    process::ExitCode,
};

pub use tradewind_broker::Board;

pub use broker::{BROKER_INIT, broker_streams, broker_users};
pub use engine::Engine;
pub use event_log::event_log;
pub use front::{Front, Outlook};
pub use http::direct;
pub use ports::FreePort;
pub use reactions::{Composed, reactions};
pub use running::{Running, run};
pub use service::{Kit, Parts, Service};
pub use settings::{LogFormat, NoSettings, Own, OwnSettings, Setting, Settings, SettingsError, duration, positive};

use crate::settings::Sources;

/// The version every service of this build reports.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Exit code of a configuration mistake (`EX_USAGE`); nothing was bound.
pub(crate) const MISCONFIGURED: u8 = 64;

/// Every binary that links the runtime allocates through it; no other crate may declare one. Without huge pages (feature `no_thp`):
/// they would quadruple what an idle service holds.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs a service as a program: answers `--help`, `--version` and `--health`, otherwise serves until told to stop.
pub fn main(service: Service) -> ExitCode {
    match help::answer(&service.about, env::args_os().skip(1)) {
        Some(answered) => answered,
        None => serve(service),
    }
}

/// Runs a service with the settings of the process's environment, whatever the arguments.
///
/// Exits 0 after an orderly end, 64 on a configuration mistake (one line on standard error, nothing bound), 1 on anything else.
pub fn serve(service: Service) -> ExitCode {
    let name = service.name();
    let settings = Sources::of_process().and_then(|sources| Settings::read(&service.about, &sources));
    let settings = match settings.and_then(|settings| service.prepare(&settings.own).map(|_| settings)) {
        Ok(settings) => settings,
        Err(mistake) => return misconfigured(name, &mistake),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(settings.workers)
        // Only name resolution, the last flush and what a database file takes long for block.
        .max_blocking_threads(16)
        .thread_name(name)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&format!("{name}: {error}"));
            return ExitCode::FAILURE;
        }
    };
    telemetry::log_panics();
    let ended = runtime.block_on(running::run(service, settings));
    // Whatever still blocks has had its time.
    runtime.shutdown_background();
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => match error.downcast_ref::<SettingsError>() {
            Some(mistake) => misconfigured(name, mistake),
            None => {
                complain(&format!("{name}: {error:#}"));
                ExitCode::FAILURE
            }
        },
    }
}

fn misconfigured(name: &str, mistake: &SettingsError) -> ExitCode {
    complain(&format!("{name}: {mistake}"));
    ExitCode::from(MISCONFIGURED)
}

/// Installs logs, traces and metrics as a service has them, for a program that is none but measures what they cost.
pub fn install_telemetry(name: &'static str, settings: &Settings) {
    telemetry::install(name, settings);
}

/// Prints one line on standard error.
pub(crate) fn complain(line: &str) {
    drop(writeln!(io::stderr(), "{line}"));
}
