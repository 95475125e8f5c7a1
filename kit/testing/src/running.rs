//! Services under test in this process: how they are called, and how they die.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use tokio::runtime::Runtime;
use tradewind_mesh::{Channel, Channels, Identity, IdentityFiles, Policy};
use tradewind_runtime::{Running, Service, Settings};

/// Calls `service`, which listens at `address`, under the identity of `who` in the folder `credentials`.
///
/// # Panics
/// When the folder holds none.
#[must_use]
#[track_caller]
pub fn channel(credentials: &Path, who: &str, service: &str, address: SocketAddr) -> Channel {
    let identity = Identity::load(IdentityFiles::in_dir(credentials, who)).expect("an identity");
    let policy = Policy::new(&contracts::CONTRACT);
    let peers = BTreeMap::from([(service.to_owned(), address.to_string())]);
    Channels::new(identity, policy, peers).to(service).expect("a peer")
}

/// A service that dies without a word when it is killed.
pub struct Mortal {
    runtime: Runtime,
    _running: Running,
}

impl Mortal {
    /// Starts a service and waits until it is ready.
    ///
    /// # Panics
    /// When it does not start, or is not ready within `deadline`.
    pub async fn start(service: Service, settings: Settings, deadline: Duration) -> Self {
        let runtime = Runtime::new().expect("threads");
        let starting = runtime.spawn(async move {
            let mut running = service.start(settings).await.expect("a service");
            running.ready(deadline).await.expect("a service that is ready");
            running
        });
        let running = starting.await.expect("no panic");
        Self { runtime, _running: running }
    }

    /// Ends everything the service is doing, wherever it stands.
    pub fn kill(self) {
        self.runtime.shutdown_background();
    }
}
