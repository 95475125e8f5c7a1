//! `tradewind pki`: the certificates of the local system.

use std::process::ExitCode;

use anyhow::Result;

use crate::Global;
use crate::local::{init_pki, renew};

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Make the development CA and every certificate that is missing; what exists is kept.
    Init,
    /// Issue one workload's certificate again; a running service takes it up within seconds.
    Renew {
        /// The workload, e.g. ordering.
        name: String,
    },
}

pub(crate) fn run(global: &Global, command: Command) -> Result<ExitCode> {
    let dir = global.dir.join("pki");
    match command {
        Command::Init => {
            let report = init_pki(&dir)?;
            if global.json {
                println!("{}", serde_json::json!({ "dir": dir, "made": report.made, "kept": report.kept }));
            } else {
                println!("{}: made {}, kept {}", dir.display(), report.made.len(), report.kept.len());
            }
        }
        Command::Renew { name } => {
            renew(&dir, &name)?;
            println!("{}: {name}.pem and {name}.key are new", dir.display());
        }
    }
    Ok(ExitCode::SUCCESS)
}
