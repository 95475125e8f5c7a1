//! `tradewind broker`: what the broker has to know of the services, and what it holds for them.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use tokio::signal::unix::{SignalKind, signal};
use tradewind_broker::{Made, Retention};
use tradewind_mesh::{Policy, SpiffeId};

use crate::Global;
use crate::local::{Layout, TRUST_DOMAIN, broker_users, connect, keep_streams, readers, streams};
use crate::output::{complain, say};

const AGAIN: Duration = Duration::from_millis(250);

#[derive(clap::Subcommand)]
pub(crate) enum Command {
    /// Print the broker's users and their permissions, for nats-server's configuration.
    ///
    /// The text is JSON, which nats-server reads: save it to a file and `include` that at the top level of the server's own,
    /// whose `tls` block says `verify_and_map: true`. Each user is the SPIFFE id in a certificate: one for each context of the
    /// contracts, which may publish its own events and read the contexts it reacts to, `broker-init`, which makes streams and
    /// consumers, `operator`, which may look at them, and each reader that has a certificate in the folder's pki/ or is named here.
    Config {
        /// The trust domain of the certificates.
        #[arg(long, default_value = TRUST_DOMAIN, value_name = "NAME")]
        trust_domain: String,
        #[command(flatten)]
        readers: Readers,
    },
    /// Make the streams and consumers that the contracts ask for, and bring those that are there up to date.
    ///
    /// Services may make none. It connects as `broker-init`, whose certificate is in the folder's pki/. What `up`, `demo` and
    /// `replay` start does this by itself.
    Init(Init),
}

#[derive(clap::Args)]
pub(crate) struct Readers {
    /// A reader whose certificate is issued elsewhere, and the contexts that it names; may be repeated. What the
    /// broker holds for a reader that is neither named nor has a certificate here is removed.
    #[arg(long = "reader", value_name = "NAME=CONTEXT,…", value_parser = parse_reader)]
    named: Vec<SpiffeId>,
}

#[derive(clap::Args)]
pub(crate) struct Init {
    /// Stay, and make again whatever the broker loses.
    #[arg(long)]
    watch: bool,
    /// The broker, nats:// or tls://; several servers are separated by commas. The local system's unless set.
    #[arg(long, env = "TRADEWIND_NATS_URL", value_name = "URL")]
    nats_url: Option<String>,
    /// Copies of each event in a clustered broker: 1, 3 or 5.
    #[arg(long, default_value = "1", value_name = "COUNT", value_parser = ["1", "3", "5"])]
    replicas: String,
    /// How long the broker may be away, unless it is watched.
    #[arg(long, default_value = "30s", value_name = "DURATION", value_parser = humantime::parse_duration)]
    within: Duration,
    #[command(flatten)]
    readers: Readers,
}

pub(crate) async fn run(global: Global, command: Command) -> Result<ExitCode> {
    match command {
        Command::Config { trust_domain, readers: Readers { named } } => {
            let readers = readers(Layout::standard(&global.dir).pki(), &named);
            ensure!(readers.doubt.is_none(), "{}", readers.doubt.unwrap_or_default());
            broker_users(&readers, &trust_domain)?.lines().try_for_each(|line| say!("{line}"))?;
        }
        Command::Init(init) => make(global, init).await?,
    }
    Ok(ExitCode::SUCCESS)
}

async fn make(
    global: Global,
    Init { watch, nats_url, replicas, within, readers: Readers { named } }: Init,
) -> Result<()> {
    let layout = Layout::standard(&global.dir);
    let broker = connect(layout.pki(), nats_url.unwrap_or_else(|| layout.nats_url())).await?;
    let retention = Retention { replicas: replicas.parse()?, ..Retention::default() };
    if watch {
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            () = keep_streams(&broker, layout.pki(), &named, retention, || Ok(()), tell) => {}
            _ = terminate.recv() => {}
            interrupted = tokio::signal::ctrl_c() => interrupted?,
        }
        return Ok(());
    }
    let readers = readers(layout.pki(), &named);
    if let Some(doubt) = &readers.doubt {
        complain(&format!("tradewind: {doubt}"));
    }
    let streams = streams(&readers, retention);
    let deadline = Instant::now() + within;
    loop {
        match streams.make(&broker).await {
            Ok(made) => return say!("{}", said(made)),
            Err(error) if Instant::now() >= deadline => return Err(error).context("the broker's streams are not made"),
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
}

fn tell(outcome: Result<Made>) {
    match outcome {
        // Whoever read it may have gone, which is no reason to end.
        Ok(made) => drop(say!("{}", said(made))),
        Err(error) => complain(&format!("tradewind: {error:#}")),
    }
}

fn said(Made { streams, consumers, removed }: Made) -> String {
    let removed =
        if removed > 0 { format!("; removed {removed} of readers that are none any more") } else { String::new() };
    format!("the streams are there: made {streams} streams and {consumers} consumers{removed}")
}

pub(crate) fn parse_reader(text: &str) -> Result<SpiffeId> {
    let (name, contexts) = text.split_once('=').unwrap_or((text, ""));
    reader(TRUST_DOMAIN, name, &contexts.split(',').map(str::to_owned).collect::<Vec<_>>())
}

/// The identity of a reader of these contexts.
///
/// # Errors
/// When there is no such context, or the name is none.
pub(crate) fn reader(trust_domain: &str, name: &str, contexts: &[String]) -> Result<SpiffeId> {
    let policy = Policy::new(&contracts::CONTRACT);
    let known = policy.contexts();
    for context in contexts {
        let all = known.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        ensure!(known.contains(context), "there is no context {context:?}; there are {all}");
    }
    Ok(SpiffeId::reader(trust_domain, name, contexts.iter().map(String::as_str))?)
}
