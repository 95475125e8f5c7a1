//! The next tokens of a session. A token has one successor: it is made of the token and of a salt, which is kept until the successor
//! is exchanged in turn, so that whoever asks again is given the same.

use contracts::tradewind::identity::v1::RefreshResponse;
use tradewind_domain::{Error, ErrorKind};
use tradewind_sql::from_micros;
use tradewind_store::Tx;

use super::Means;
use super::sign_in::{self, RefreshToken};
use crate::domain::{Presented, Rotation, judge};
use crate::store::{account, accounts, session, sessions};
use crate::{metrics, secrets};

/// Times that somebody else can be faster before it is no coincidence.
const ATTEMPTS: usize = 4;

/// What came of a token.
enum Outcome {
    /// It is good.
    Good(Box<account::Model>, String, RefreshToken),
    /// It is none, or was good once.
    Bad,
}

/// Exchanges a refresh token for the next tokens.
///
/// # Errors
/// `Unauthenticated` with reason `REFRESH_TOKEN_INVALID`.
pub async fn refresh(means: &Means, token: &str) -> Result<RefreshResponse, Error> {
    let token = RefreshToken::read(token).ok_or_else(invalid)?;
    // What was made up is turned away by a look.
    let looked = sessions::by_family(means.store.command_reader(), &token.family(), means.store.now()).await?;
    if looked.is_none() {
        return Err(invalid());
    }
    let salt = secrets::token()?;
    let exchanged = async |tx: &mut Tx| exchange(tx, means, &token, &salt).await;
    // What is bad ends the session, which has to be committed.
    match means.store.transact(exchanged).await?.0 {
        Outcome::Bad => Err(invalid()),
        Outcome::Good(account, session_id, next) => {
            let tokens = sign_in::tokens(means, &account, &session_id, &next).await?;
            Ok(RefreshResponse { tokens: Some(tokens) })
        }
    }
}

async fn exchange(tx: &mut Tx, means: &Means, token: &RefreshToken, salt: &str) -> Result<Outcome, Error> {
    for _ in 0..ATTEMPTS {
        let Some(session) = sessions::by_family(tx.conn(), &token.family(), tx.now()).await? else {
            return Ok(Outcome::Bad);
        };
        let account = accounts::by_id(tx, &session.account_id).await?.filter(|account| !account.locked);
        let Some(account) = account else {
            sessions::end(tx.conn(), &session.account_id, &session.session_id, tx.now()).await?;
            return Ok(Outcome::Bad);
        };
        let account = Box::new(account);
        match judge(rotation(&session), &token.own(), tx.now()) {
            Presented::Current => {
                let next = token.successor(salt);
                let expires = sign_in::expiry(means, from_micros(session.created), tx.now());
                if sessions::exchange(tx.conn(), &session, next.own(), salt.to_owned(), tx.now(), expires).await? {
                    return Ok(Outcome::Good(account, session.session_id, next));
                }
                // Somebody shows the same one at the same time, and was faster.
            }
            Presented::Again => {
                let salt = session.salt.ok_or_else(|| Error::internal("an exchange without a salt"))?;
                return Ok(Outcome::Good(account, session.session_id, token.successor(&salt.0)));
            }
            Presented::Stolen => {
                sessions::end(tx.conn(), &session.account_id, &session.session_id, tx.now()).await?;
                let (account_id, session_id) = (session.account_id, session.session_id);
                tx.after(move || {
                    metrics::stolen();
                    tracing::warn!(
                        account_id,
                        session_id,
                        "a refresh token was shown that had been exchanged: the session is ended"
                    );
                });
                return Ok(Outcome::Bad);
            }
        }
    }
    Err(Error::unavailable("TOO_MANY_AT_ONCE", "too many show the same token at once"))
}

fn rotation(session: &session::Model) -> Rotation<'_> {
    let previous = session.previous.as_deref().zip(session.exchanged.map(from_micros));
    Rotation { current: &session.token, previous }
}

fn invalid() -> Error {
    let text = "the refresh token is not good, or no longer; sign in again";
    Error::new(ErrorKind::Unauthenticated, "REFRESH_TOKEN_INVALID", text)
}
