//! `tradewind status`: what runs, and whether it is ready.

use std::process::ExitCode;

use anyhow::Result;

use crate::Global;
use crate::local::{Layout, is_ready, running};
use crate::output::{json_line, say};

pub(crate) async fn run(global: Global) -> Result<ExitCode> {
    let layout = Layout::standard(&global.dir);
    let Some(run) = running(&layout)? else {
        if global.json {
            json_line(&serde_json::json!({ "running": false, "processes": {} }))?;
        } else {
            say!("nothing is running in {}; start it with `tradewind up`", global.dir.display())?;
        }
        return Ok(ExitCode::FAILURE);
    };
    let http = tradewind_runtime::direct().build()?;
    let mut processes = serde_json::Map::new();
    let mut all_ready = true;
    for (name, state) in &run.processes {
        let ready = is_ready(&http, &layout.ready_url(name)).await;
        all_ready &= ready;
        let port = layout.port(name);
        if !global.json {
            let pid = state.pid.map_or_else(|| "-".to_owned(), |pid| pid.to_string());
            let word = if ready { "ready" } else { "not ready" };
            say!("{name:<13} {word:<10} 127.0.0.1:{port}  process {pid:<8} restarts {}", state.restarts)?;
        }
        let facts = serde_json::json!({ "ready": ready, "port": port, "pid": state.pid, "restarts": state.restarts });
        processes.insert(name.clone(), facts);
    }
    if global.json {
        json_line(&serde_json::json!({ "running": true, "ready": all_ready, "processes": processes }))?;
    }
    Ok(if all_ready { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
