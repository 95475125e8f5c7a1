//! What every service depends on: its certificate, its database and the broker. Opens them and asks how they are; what is read from or written to them
//! must not be here.

use std::time::Duration;

use anyhow::anyhow;
use rustls::pki_types::UnixTime;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, BrokerOptions};
use tradewind_domain::{Error, ErrorKind};
use tradewind_events::{Stuck, StuckReaders};
use tradewind_mesh::Identity;
use tradewind_sql::{DATABASE_CORRUPT, DATABASE_REPLACED};
use tradewind_store::{Clock, Sealing, Store, StoreOptions};

use crate::{
    readiness::{Check, Failure, Report},
    service::Service,
    settings::{Settings, SettingsError},
};

/// First and longest wait between attempts to open the database.
const REOPEN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// Starts connecting to the broker; it may be away.
///
/// # Errors
/// A URL that is none.
pub(crate) async fn broker(name: &str, settings: &Settings, identity: &Identity) -> Result<Broker, SettingsError> {
    let tls = settings.nats_url.expose().contains("tls://").then(|| identity.client_config());
    let options = BrokerOptions { url: settings.nats_url.expose().clone(), tls, name: name.to_owned() };
    Broker::connect(options).await.map_err(|error| SettingsError::of("nats_url", error))
}

/// Opens the database, for as long as it takes; `None` when the service is stopped before.
///
/// # Errors
/// A database that is there but refuses, such as another context's.
pub(crate) async fn open(
    service: &Service,
    settings: &Settings,
    reports: &watch::Sender<Report>,
    stop: &CancellationToken,
) -> anyhow::Result<Option<Store>> {
    let (mut wait, longest) = REOPEN;
    let mut last = String::new();
    loop {
        let sealing = Sealing { show: contracts::shown, begins: settings.seal };
        let options = StoreOptions {
            url: settings.database_url.expose().clone(),
            context: service.name(),
            migrations: (service.migrations)(),
            clock: Clock::system(),
            partitions: settings.partitions,
        };
        let Some(opened) = stop.run_until_cancelled(Store::open_sealing(options, sealing)).await else {
            return Ok(None);
        };
        let error = match opened {
            Ok(store) => return Ok(Some(store)),
            // An operator can put the right file in place.
            Err(error) if [DATABASE_CORRUPT, DATABASE_REPLACED].contains(&error.reason) => error,
            Err(error) if matches!(error.kind, ErrorKind::Rejected | ErrorKind::Invalid) => {
                return Err(SettingsError::of("database_url", named(&error)).into());
            }
            Err(error) if !error.kind.is_transient() => return Err(anyhow!(error).context("database")),
            Err(error) => error,
        };
        if error.message != last {
            tracing::warn!(%error, "the database cannot be opened; trying again until it can");
            last.clone_from(&error.message);
            reports.send_replace(Report::waiting_for("database", error));
        }
        if stop.run_until_cancelled(tokio::time::sleep(wait)).await.is_none() {
            return Ok(None);
        }
        wait = (wait * 2).min(longest);
    }
}

fn named(error: &Error) -> String {
    format!("{}: {}", error.reason, error.message)
}

/// Asks the database for a sign of life.
pub(crate) fn answers(store: Store) -> Check {
    Check::new("database", move || {
        let store = store.clone();
        async move { store.ping().await }
    })
}

/// Names the readers here that cannot get past a position. Calls are served all the same, so it is advice.
pub(crate) fn readers_move(stuck: StuckReaders) -> Check {
    let ask = move || {
        let stuck = stuck.all();
        let one = |stuck: &Stuck| {
            let Stuck { consumer, source, partition, position, reason, .. } = stuck;
            format!("{consumer} cannot get past position {position} of {source}/{partition}: {reason}")
        };
        let all: Vec<_> = stuck.iter().map(one).collect();
        std::future::ready(if all.is_empty() { Ok(()) } else { Err(Failure::new("READER_STUCK", all.join("; "))) })
    };
    Check::new("readers", ask).advisory()
}

/// Asks whether the own log is whole, as far as is known.
pub(crate) fn intact(store: Store) -> Check {
    Check::new("log", move || std::future::ready(store.intact()))
}

/// Asks whether the broker is connected.
pub(crate) fn connected(broker: Broker) -> Check {
    Check::new("broker", move || std::future::ready(broker.ready()))
}

/// Asks whether the certificate by which others know this service is still valid: they let nobody in without one.
pub(crate) fn certified(identity: Identity) -> Check {
    Check::new("identity", move || {
        let now = i64::try_from(UnixTime::now().as_secs()).unwrap_or(i64::MAX);
        let expires = identity.generations().last().map_or(i64::MIN, |in_use| in_use.not_after);
        let expired = || Failure::new("CERTIFICATE_EXPIRED", format!("the certificate has expired at {expires}"));
        std::future::ready(if now <= expires { Ok(()) } else { Err(expired()) })
    })
}
