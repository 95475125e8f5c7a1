//! For whom a call is made: said by a channel that speaks for somebody, and by no other. Metadata that says it is the channel's alone
//! to set, so that nobody hands on what he was given, or what somebody outside has sent.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue};
use rustls::pki_types::UnixTime;
use tonic::Status;
use tradewind_domain::Error;
use tradewind_tokens::{Minter, User};

use crate::metadata::{CHAIN, USER};
use crate::{Identity, status};

/// Speaks for people with the key of this process; by default for nobody.
#[derive(Clone, Default)]
pub(super) struct Behalf(Option<Arc<Minter>>);

impl Behalf {
    pub(super) fn new(identity: Identity) -> Self {
        Self(Some(Arc::new(Minter::new(identity))))
    }

    /// Says with a call to `service` that it is made for `user`, if it is for anybody.
    ///
    /// # Errors
    /// `INTERNAL` when this process's key signs nothing but connections.
    pub(super) fn say(&self, user: Option<&User>, headers: &mut HeaderMap, service: &str) -> Result<(), Status> {
        headers.remove(USER);
        headers.remove(CHAIN);
        let Some(user) = user else { return Ok(()) };
        let Some(minter) = &self.0 else {
            return Err(status(Error::internal("there is no key to speak for people with")));
        };
        let minted = minter.mint(user, service, UnixTime::now().as_secs());
        let minted = minted.map_err(|error| status(Error::internal(error)))?;
        let value = |text: &str| HeaderValue::from_str(text).map_err(|error| status(Error::internal(error)));
        let mut token = value(&minted.token)?;
        // Each is another: in the connection's table of headers it would be in the way of those that come again.
        token.set_sensitive(true);
        headers.insert(USER, token);
        headers.insert(CHAIN, value(&minted.chain)?);
        Ok(())
    }
}
