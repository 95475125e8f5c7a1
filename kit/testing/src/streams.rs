//! Whoever makes the streams of a test's broker, and makes them again when the broker has lost them.

use std::path::Path;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, BrokerOptions, Streams};
use tradewind_mesh::{Identity, IdentityFiles};
use tradewind_runtime::BROKER_INIT;

const PATIENCE: Duration = Duration::from_secs(30);

/// Looks after the streams of one broker until it is dropped, on a thread of its own: a test may block its runtime.
pub(crate) struct Keeper {
    stop: CancellationToken,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    /// Returns once all streams are there; `pki` has the identity where the broker asks for one.
    #[track_caller]
    pub(crate) fn start(url: String, pki: Option<&Path>, streams: Streams) -> Self {
        let stop = CancellationToken::new();
        let (tell, told) = mpsc::channel();
        let (over, files) = (stop.clone(), pki.map(|pki| IdentityFiles::in_dir(pki, BROKER_INIT)));
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async {
                // Already installed is as good as installed now.
                drop(rustls::crypto::ring::default_provider().install_default());
                let tls = files.map(|files| Identity::load(files).expect("an identity").client_config());
                let options = BrokerOptions { url, tls, name: BROKER_INIT.to_owned() };
                let broker = Broker::connect(options).await.expect("a broker's address");
                // Nobody listens after the first time.
                over.run_until_cancelled(streams.keep(&broker, |outcome| drop(tell.send(outcome)))).await;
            });
        });
        let made = std::iter::from_fn(|| told.recv_timeout(PATIENCE).ok()).find_map(Result::ok);
        assert!(made.is_some(), "the streams are not made");
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.stop.cancel();
        if let Some(thread) = self.thread.take() {
            // A panic there has been shown, and one while dropping would hide another.
            drop(thread.join());
        }
    }
}
