//! The broker's program, its configuration, and what it holds.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use tradewind_broker::{Broker, BrokerOptions, Made, Retention, Streams};
use tradewind_domain::Error;
use tradewind_mesh::{Identity, IdentityFiles, Policy, Reader, SpiffeId, pki as certificates};
use tradewind_runtime::BROKER_INIT;

use super::layout::{Layout, TRUST_DOMAIN};

/// How often it is looked whether there are other readers.
const LOOK: Duration = Duration::from_secs(2);

/// Who is outside and reads events.
#[derive(PartialEq)]
pub(crate) struct Readers {
    /// Those that are known, each by another name.
    pub(crate) ids: Vec<SpiffeId>,
    /// Why there may be others: nobody is taken for none, then.
    pub(crate) doubt: Option<String>,
}

/// The readers that have a certificate in the folder `pki`, and `others`. A reader's name is its inbox and its consumers: two that
/// share one would hear what only the other may, so it is nobody's.
pub(crate) fn readers(pki: &Path, others: &[SpiffeId]) -> Readers {
    let (found, mut doubt) = match certificates::readers(pki) {
        Ok((found, unknown)) => {
            let one = unknown.first().map(|file| format!("it cannot be read whose certificate {} is", file.display()));
            (found, one)
        }
        Err(_) if pki.try_exists().is_ok_and(|there| !there) => (Vec::new(), None),
        Err(error) => (Vec::new(), Some(format!("it is not known who is a reader: {error}"))),
    };
    let mut named = BTreeMap::<String, Vec<SpiffeId>>::new();
    for id in found.into_iter().chain(others.iter().cloned()) {
        let Some(reader) = Reader::of(id.name()) else { continue };
        let same = named.entry(reader.name().to_owned()).or_default();
        if !same.contains(&id) {
            same.push(id);
        }
    }
    let mut ids = Vec::new();
    for (name, same) in named {
        if same.len() == 1 {
            ids.extend(same);
        } else {
            doubt.get_or_insert_with(|| format!("{} readers are called {name}, and none of them reads", same.len()));
        }
    }
    Readers { ids, doubt }
}

/// The broker's users and what each may do, as the contracts say, and for readers their certificates.
///
/// # Errors
/// When the trust domain is none.
pub(crate) fn users(readers: &Readers, trust_domain: &str) -> Result<String> {
    Ok(tradewind_runtime::broker_users(&policy(readers), trust_domain)?)
}

/// What the broker holds for the services, as the contracts say, and for readers; it is taken from who is none.
pub(crate) fn streams(readers: &Readers, retention: Retention) -> Streams {
    let streams = tradewind_runtime::broker_streams(&policy(readers), retention);
    if readers.doubt.is_none() { streams.and_no_others() } else { streams }
}

fn policy(readers: &Readers) -> Policy {
    Policy::new(&contracts::CONTRACT).with_readers(readers.ids.iter().cloned())
}

/// Keeps what the broker holds, for ever, also for readers that are issued a certificate in the folder `pki` later, or whose
/// certificate is taken out of it. `changed` hears of either.
pub(crate) async fn keep_streams(
    broker: &Broker,
    pki: &Path,
    others: &[SpiffeId],
    retention: Retention,
    changed: impl Fn() -> Result<()>,
    tell: impl Fn(Result<Made>),
) {
    let mut first = true;
    loop {
        let known = readers(pki, others);
        let told = match &known.doubt {
            Some(doubt) => Err(anyhow!(doubt.clone())),
            None if first => Ok(()),
            None => changed(),
        };
        told.unwrap_or_else(|error| tell(Err(error)));
        first = false;
        let differs = async {
            while readers(pki, others) == known {
                tokio::time::sleep(LOOK).await;
            }
        };
        let streams = streams(&known, retention);
        tokio::select! {
            () = streams.keep(broker, |made| tell(made.map_err(anyhow::Error::new))) => return,
            () = differs => {}
        }
    }
}

/// A connection that may make streams, with the certificate in the folder `pki` where the URL asks for one.
///
/// # Errors
/// When there is no such certificate, or the URL is none.
pub(crate) async fn connect(pki: &Path, url: String) -> Result<Broker> {
    let identity = || {
        let files = IdentityFiles::in_dir(pki, BROKER_INIT);
        Identity::load(files).with_context(|| format!("no certificate of {BROKER_INIT:?} in {}", pki.display()))
    };
    let tls = if url.contains("tls://") { Some(identity()?.client_config()) } else { None };
    Ok(Broker::connect(BrokerOptions { url, tls, name: BROKER_INIT.to_owned() }).await?)
}

/// Keeps the streams of a local system's broker, and who may use it, for ever; `read_again` has it look who that is.
pub(super) async fn keep(layout: Layout, read_again: impl Fn() -> Result<()>, tell: impl Fn(String)) {
    let kept = async {
        let broker = connect(layout.pki(), layout.nats_url()).await?;
        let refused = |error: anyhow::Error| {
            // Whoever starts the broker tells that it is away.
            if error.downcast_ref::<Error>().is_none_or(|error| error.reason != "BROKER_DISCONNECTED") {
                tell(format!("its streams cannot be made: {error:#}"));
            }
        };
        let said = |outcome: Result<Made>| outcome.map_or_else(refused, drop);
        let changed = || configure_users(&layout, TRUST_DOMAIN).and_then(|()| read_again());
        keep_streams(&broker, layout.pki(), &[], Retention::default(), changed, said).await;
        Ok::<_, anyhow::Error>(())
    };
    if let Err(error) = kept.await {
        tell(format!("its streams are not made: {error:#}"));
    }
}

/// Writes who may use a local system's broker, beside its configuration.
///
/// # Errors
/// When the file system refuses.
pub(crate) fn configure_users(layout: &Layout, trust_domain: &str) -> Result<()> {
    write(&layout.state().join("nats.users.json"), users(&readers(layout.pki(), &[]), trust_domain)?)
}

fn write(path: &Path, text: String) -> Result<()> {
    // The broker may read it at any time.
    let new = path.with_extension("new");
    let written = std::fs::write(&new, text).and_then(|()| std::fs::rename(&new, path));
    written.with_context(|| format!("cannot write {}", path.display()))
}

/// Writes the configuration of a local system's broker; its users are in a file beside it.
///
/// # Errors
/// When the file system refuses.
pub(super) fn configure(layout: &Layout, trust_domain: &str) -> Result<()> {
    configure_users(layout, trust_domain)?;
    let credential = |file: &str| quoted(&layout.pki().join(file));
    let text = format!(
        "# Written at each start; changes are lost.\n\
         server_name: tradewind\n\
         host: 127.0.0.1\n\
         port: {port}\n\
         http: \"127.0.0.1:{monitor}\"\n\
         jetstream {{ store_dir: {store}, max_file_store: 32GB, max_memory_store: 256MB }}\n\
         tls {{ cert_file: {cert}, key_file: {key}, ca_file: {ca}, verify_and_map: true, timeout: 5 }}\n\
         include \"nats.users.json\"\n",
        port = layout.port("nats"),
        monitor = layout.nats_monitor(),
        store = quoted(&layout.data().join("nats")),
        cert = credential("nats.pem"),
        key = credential("nats.key"),
        ca = credential("ca.pem"),
    );
    write(&layout.nats_config(), text)
}

/// A path in the server's configuration: between quotes, in which it knows these escapes and no other.
fn quoted(path: &Path) -> String {
    let mut text = String::from('"');
    for one in path.display().to_string().chars() {
        match one {
            '"' | '\\' => text.extend(['\\', one]),
            one if one.is_ascii_control() => text.push_str(&format!("\\x{:02x}", u32::from(one))),
            one => text.push(one),
        }
    }
    text.push('"');
    text
}

/// The broker's program: `NATS_SERVER`, else whatever the PATH has.
///
/// # Errors
/// When it doesn't run, or is older than what the services need.
#[expect(clippy::disallowed_methods, reason = "the command line reads its environment here")]
pub(super) fn program() -> Result<String> {
    let program = std::env::var("NATS_SERVER").unwrap_or_else(|_| "nats-server".to_owned());
    let answer = Command::new(&program).arg("--version").output();
    let answer =
        answer.with_context(|| format!("cannot run the broker's program {program}; name one in NATS_SERVER"))?;
    let text = String::from_utf8_lossy(&answer.stdout);
    let version = text.split_whitespace().last().unwrap_or_default().trim_start_matches('v');
    ensure!(
        answer.status.success() && !version.is_empty(),
        "{program} does not tell its version: is it a nats-server?"
    );
    Broker::supports(version).with_context(|| format!("{program} cannot be the broker"))?;
    Ok(program)
}
