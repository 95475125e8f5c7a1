//! `tradewind up`: the whole system on this machine, in the foreground or left running.

use std::fs::File;
use std::os::unix::process::CommandExt as _;
use std::process::{ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use supervisor::services;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use crate::Global;
use crate::local::{Layout, System, running};
use crate::output::say;

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Leave the system running and return once everything is ready.
    #[arg(long)]
    detach: bool,
    /// Leave a process out, to run it by hand (e.g. under a debugger). May be repeated.
    #[arg(long, value_name = "NAME")]
    except: Vec<String>,
    /// Listen on ports that nobody else has, to run beside others: only what is said at the start tells which they are.
    #[arg(long, conflicts_with = "detach")]
    free_ports: bool,
}

const READY_WITHIN: Duration = Duration::from_secs(30);

pub(crate) async fn run(global: Global, args: Args) -> Result<ExitCode> {
    let layout = if args.free_ports { Layout::apart(&global.dir)? } else { Layout::standard(&global.dir) };
    if args.detach { detach(&layout, &global, &args).await } else { attend(layout, &args).await }
}

/// Runs the system until it is told to stop, one line for whatever happens.
async fn attend(layout: Layout, args: &Args) -> Result<ExitCode> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let (sender, mut notices) = mpsc::unbounded_channel();
    let started = Instant::now();
    let system = System::start(layout, &args.except, false, sender)?;
    let mut ready = Box::pin(announce(&system, started));
    let mut announced = false;
    let result = loop {
        tokio::select! {
            outcome = &mut ready, if !announced => match outcome {
                Ok(()) => announced = true,
                Err(error) => break Err(error),
            },
            Some(notice) = notices.recv() => {
                if let Err(error) = say!("{:<13} {}", notice.process, notice.text) {
                    break Err(error);
                }
            }
            _ = terminate.recv() => break Ok(ExitCode::SUCCESS),
            _ = interrupt.recv() => break Ok(ExitCode::SUCCESS),
        }
    };
    drop(ready);
    let told = say!("stopping");
    system.stop().await;
    result.and_then(|code| told.map(|()| code))
}

async fn announce(system: &System, started: Instant) -> Result<()> {
    for name in system.names() {
        system.wait_ready(name, READY_WITHIN).await?;
        say!("{name:<13} ready on 127.0.0.1:{}", system.layout().port(name))?;
    }
    if system.names().any(|name| name == services::console().name()) {
        say!(
            "staff sign in at {}; `tradewind token --demo staff` makes an account to try",
            system.layout().console_url()
        )?;
    }
    say!("everything is ready after {:.1} s; stop it with `tradewind down`", started.elapsed().as_secs_f32())
}

/// Starts this program again in the background and waits until everything is ready.
async fn detach(layout: &Layout, global: &Global, args: &Args) -> Result<ExitCode> {
    if let Some(run) = running(layout)? {
        bail!("a system runs here already (process {}); stop it with `tradewind down`", run.supervisor);
    }
    std::fs::create_dir_all(layout.logs())?;
    let log_path = layout.logs().join("supervisor.log");
    let log = File::create(&log_path).with_context(|| format!("cannot write {}", log_path.display()))?;
    let mut child = std::process::Command::new(std::env::current_exe()?)
        .arg("--dir")
        .arg(&global.dir)
        .arg("up")
        .args(args.except.iter().flat_map(|name| ["--except", name]))
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .process_group(0)
        .spawn()?;
    let mut shown = 0;
    loop {
        let text = std::fs::read_to_string(&log_path)?;
        for line in text.lines().skip(shown) {
            say!("{line}")?;
            shown += 1;
        }
        if text.contains("everything is ready") {
            return Ok(ExitCode::SUCCESS);
        }
        if let Some(status) = child.try_wait()? {
            bail!("the system did not start ({status}); see {}", log_path.display());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
