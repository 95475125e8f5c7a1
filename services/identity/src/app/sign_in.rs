//! What is handed to somebody who has shown who they are.

use contracts::tradewind::identity::v1::Tokens;
use time::OffsetDateTime;
use tradewind_domain::{Error, Sensitive};
use tradewind_sql::timestamp;
use tradewind_store::Tx;
use uuid::Uuid;

use super::{Means, Origin};
use crate::domain::Roles;
use crate::secrets;
use crate::store::{account, sessions};
use crate::tokens::Holder;

/// A refresh token: a part that all tokens of a session share, by which a token that was exchanged is known to be one, and a part of
/// its own.
pub(crate) struct RefreshToken {
    family: Sensitive<String>,
    own: Sensitive<String>,
}

impl RefreshToken {
    /// The first of a new session.
    pub(super) fn first() -> Result<Self, Error> {
        Ok(Self { family: secrets::token()?.into(), own: secrets::token()?.into() })
    }

    /// Reads what somebody shows; none where it is no such token.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let (family, own) = text.split_once('.')?;
        let (family, own) = (family.to_owned().into(), own.to_owned().into());
        Some(Self { family, own })
    }

    /// The one that follows it.
    pub(super) fn successor(&self, salt: &str) -> Self {
        let own = secrets::successor(self.own.expose(), salt).into();
        Self { family: self.family.clone(), own }
    }

    /// What is kept of the part that a session's tokens share.
    pub(super) fn family(&self) -> String {
        secrets::hash(self.family.expose())
    }

    /// What is kept of its own.
    pub(super) fn own(&self) -> String {
        secrets::hash(self.own.expose())
    }

    /// What its owner is given.
    pub(crate) fn text(&self) -> String {
        format!("{}.{}", self.family.expose(), self.own.expose())
    }
}

/// A session that begins.
pub(super) struct Begin {
    pub(super) session_id: String,
    pub(super) token: RefreshToken,
}

impl Begin {
    /// A new one.
    pub(super) fn new() -> Result<Self, Error> {
        Ok(Self { session_id: Uuid::now_v7().to_string(), token: RefreshToken::first()? })
    }

    /// Writes it down.
    pub(super) async fn write(
        &self,
        tx: &mut Tx,
        means: &Means,
        account_id: &str,
        device: &str,
        from: Origin,
    ) -> Result<(), Error> {
        let new = sessions::New {
            session_id: &self.session_id,
            account_id,
            family: self.token.family(),
            token: self.token.own(),
            device,
            address: from.address.to_string(),
            expires: expiry(means, tx.now(), tx.now()),
        };
        sessions::begin(tx, new).await
    }
}

/// When a session that began at `created` ends if it is used `now` and never again.
pub(super) fn expiry(means: &Means, created: OffsetDateTime, now: OffsetDateTime) -> OffsetDateTime {
    (now + means.rules.idle).min(created + means.rules.session)
}

/// The tokens of a session, for whom the account is now.
pub(super) async fn tokens(
    means: &Means,
    account: &account::Model,
    session_id: &str,
    refresh: &RefreshToken,
) -> Result<Tokens, Error> {
    let roles = Roles::read(&account.roles);
    let holder = Holder { account_id: &account.account_id, session_id, roles: &roles };
    let (access_token, expires) = means.tokens.sign(holder).await?;
    Ok(Tokens {
        access_token: access_token.into_exposed(),
        expire_time: Some(timestamp(expires)),
        refresh_token: refresh.text(),
        session_id: session_id.to_owned(),
        account_id: account.account_id.clone(),
        roles: roles.iter().map(|role| role.wire().into()).collect(),
    })
}
