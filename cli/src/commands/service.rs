//! `tradewind service`, `outside` and `tied`: one process of the system in this process.

use std::path::Path;
use std::process::{ExitCode, Stdio};

use anyhow::{Context, Result, anyhow};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use supervisor::{die_with_parent, services};
use tokio::signal::unix::{SignalKind, signal};

use crate::Global;
use crate::local::Layout;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which service.
    #[arg(value_parser = services::programs())]
    name: String,
    /// End when standard input closes.
    #[arg(long, hide = true)]
    tied: bool,
}

#[derive(clap::Args)]
pub(crate) struct OutsideArgs {
    #[command(flatten)]
    options: outside::Options,
    /// End when standard input closes.
    #[arg(long, hide = true)]
    tied: bool,
}

#[derive(clap::Args)]
pub(crate) struct TiedArgs {
    /// The program and its arguments.
    #[arg(required = true, trailing_var_arg = true, allow_hyphen_values = true)]
    command: Vec<String>,
}

/// Runs one service until it is told to stop, as its own binary would.
pub(crate) fn run(global: &Global, args: Args) -> ExitCode {
    if args.tied {
        die_with_parent();
    }
    match services::named(&args.name) {
        Some(service) => tradewind_runtime::serve(service.folder(&global.dir)),
        None => crate::failed(&anyhow!("there is no service {:?}", args.name)),
    }
}

/// Runs the outside world until it is told to stop.
pub(crate) fn outside(global: &Global, mut args: OutsideArgs) -> ExitCode {
    if args.tied {
        die_with_parent();
    }
    if args.options.data == Path::new(outside::DATA) {
        args.options.data = Layout::standard(&global.dir).outside_data();
    }
    let served = crate::block_on(async {
        outside::serve_until_signalled(args.options).await?;
        Ok(ExitCode::SUCCESS)
    });
    served.unwrap_or_else(|error| crate::failed(&error))
}

/// Runs a program that does not know whom it belongs to: tells it when to read its files again, and ends it with this process.
pub(crate) async fn tied(args: TiedArgs) -> Result<ExitCode> {
    die_with_parent();
    let (mut terminate, mut again) = (signal(SignalKind::terminate())?, signal(SignalKind::hangup())?);
    let (program, rest) = args.command.split_first().context("no program")?;
    let mut child = tokio::process::Command::new(program)
        .args(rest)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .spawn()
        .with_context(|| format!("cannot start {program}"))?;
    loop {
        let told = tokio::select! {
            status = child.wait() => {
                let code = status?.code().and_then(|code| u8::try_from(code).ok());
                return Ok(code.map_or(ExitCode::FAILURE, ExitCode::from));
            }
            _ = again.recv() => Signal::SIGHUP,
            _ = terminate.recv() => Signal::SIGTERM,
        };
        if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
            kill(Pid::from_raw(pid), told)?;
        }
        if told == Signal::SIGTERM {
            child.wait().await?;
            return Ok(ExitCode::SUCCESS);
        }
    }
}
