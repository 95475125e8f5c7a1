//! `tradewind pki rotate`: another authority, in three stages that nobody notices.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::json;
use tradewind_mesh::pki::{self, Rotated, due, rotate};

use crate::Global;
use crate::local::{Layout, reads_again};
use crate::output::{json_line, say};

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Go through this stage, or what is left of it.
    #[arg(long, value_enum)]
    stage: Option<Stage>,
    /// Go through all stages that are left, and wait that long after each but the last, e.g. 30s.
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, conflicts_with = "stage")]
    after: Option<Duration>,
}

#[derive(Clone, Copy, clap::ValueEnum)]
enum Stage {
    /// Make a new authority, and have it trusted beside the present one.
    Trust,
    /// Have it issue every certificate anew; the one before is still trusted.
    Issue,
    /// Trust the one before no more.
    Retire,
}

impl From<Stage> for pki::Stage {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Trust => Self::Trust,
            Stage::Issue => Self::Issue,
            Stage::Retire => Self::Retire,
        }
    }
}

pub(super) async fn run(global: &Global, dir: &Path, args: &Args) -> Result<()> {
    ensure!(dir.is_dir(), "{} is not there: there is no authority to replace", dir.display());
    let mut stage = match args.stage {
        Some(stage) => stage.into(),
        None => due(dir)?,
    };
    loop {
        let done = rotate(dir, stage).with_context(|| format!("cannot go through stage `{}`", name(stage)))?;
        reads_again(&Layout::standard(&global.dir))?;
        tell(global, &done)?;
        let (Some(pause), Some(next)) = (args.after, after(stage)) else { return Ok(()) };
        tokio::time::sleep(pause).await;
        stage = next;
    }
}

fn tell(global: &Global, done: &Rotated) -> Result<()> {
    let next = after(done.stage).map(name);
    if global.json {
        let document = json!({ "stage": name(done.stage), "changed": done.changed, "next": next });
        return json_line(&document);
    }
    let what = match (done.changed.len(), done.stage) {
        (0, _) => "had been done already",
        (_, pki::Stage::Trust) => "ca.pem has both authorities; the present one still issues",
        (_, pki::Stage::Issue) => "the new authority has issued every certificate; the one before is still trusted",
        (_, pki::Stage::Retire) => "ca.pem has the new authority alone; what the one before has issued is refused",
    };
    say!("{}: {what}", name(done.stage))?;
    match next {
        Some(next) => say!(
            "When everybody has {}: `tradewind pki rotate --stage {next}`",
            if done.stage == pki::Stage::Trust { "the new ca.pem" } else { "its new certificate" }
        ),
        None => Ok(()),
    }
}

const fn after(stage: pki::Stage) -> Option<pki::Stage> {
    match stage {
        pki::Stage::Trust => Some(pki::Stage::Issue),
        pki::Stage::Issue => Some(pki::Stage::Retire),
        pki::Stage::Retire => None,
    }
}

const fn name(stage: pki::Stage) -> &'static str {
    match stage {
        pki::Stage::Trust => "trust",
        pki::Stage::Issue => "issue",
        pki::Stage::Retire => "retire",
    }
}
