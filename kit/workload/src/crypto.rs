//! Who does the cryptography of TLS, and of issuing what TLS shows.

use std::sync::{Arc, LazyLock};

use rustls::crypto::CryptoProvider;

static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| Arc::new(rustls::crypto::ring::default_provider()));

/// The one cryptography provider, explicit so that nothing depends on a process-wide default.
pub(crate) fn provider() -> Arc<CryptoProvider> {
    PROVIDER.clone()
}
