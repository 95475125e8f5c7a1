//! `tradewind console`: pages in a browser, for whoever has the operator's certificate.

use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tradewind_console::{Desk, Door, Ticket, serve};

use crate::output::say;
use crate::{Global, clients};

/// How long what is under way may take once it is to stop.
const GRACE: Duration = Duration::from_secs(5);

#[derive(clap::Args)]
pub(crate) struct Args {
    /// The port of this machine on which pages are shown, to this machine alone; 0 for one that is free.
    #[arg(long, default_value_t = 8090)]
    port: u16,
}

pub(crate) async fn run(global: Global, Args { port }: Args) -> Result<ExitCode> {
    let shop = clients::asked(&global)?;
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
    let (ticket, address) = (Ticket::new(), listener.local_addr()?);
    say!("open http://{address}{}", ticket.path())?;
    say!("the link lets in whoever has it, as {}; it ends with this program", global.identity)?;
    let stop = CancellationToken::new();
    let stopping = stop.clone();
    let told = async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stopping.cancel();
    };
    let desk = Desk::new(shop, Door::of(ticket, global.identity)).until(stop);
    let (served, ()) = tokio::join!(serve(listener, None, desk, GRACE), told);
    served?;
    Ok(ExitCode::SUCCESS)
}
