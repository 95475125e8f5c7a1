//! `tradewind down`: stops what `up` left running.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::Global;
use crate::local::{Layout, running};
use crate::output::say;

const STOP_WITHIN: Duration = Duration::from_secs(40);

pub(crate) async fn run(global: Global) -> Result<ExitCode> {
    let layout = Layout::standard(&global.dir);
    let Some(run) = running(&layout)? else {
        say!("nothing is running in {}", global.dir.display())?;
        return Ok(ExitCode::SUCCESS);
    };
    let supervisor = Pid::from_raw(i32::try_from(run.supervisor)?);
    kill(supervisor, Signal::SIGTERM).context("cannot stop the supervisor")?;
    let gone = async {
        while running(&layout)?.is_some() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(STOP_WITHIN, gone)
        .await
        .with_context(|| format!("process {supervisor} is still running after {} s", STOP_WITHIN.as_secs()))??;
    say!("stopped; data and logs are kept in {}", global.dir.display())?;
    Ok(ExitCode::SUCCESS)
}
