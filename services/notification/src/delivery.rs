//! Hands messages over to the mail system, and records what came of it.

use std::num::NonZeroU32;

use contracts::tradewind::notification::v1::NotificationKind;
use prost::Message;
use tradewind_domain::Error;
use tradewind_store::{Store, Tx};
use tradewind_work::{Intent, IntentHandler, Unknown};

use crate::mail::{Answer, Letter, MailSystem, Written};
use crate::reactions::{KINDS, MAIL, name, of_key};
use crate::settled::{Settled, count_given_up};
use crate::table;

/// Hands over each message until the mail system has it, refuses it, or has been tried often enough.
pub(crate) struct Deliver<M> {
    store: Store,
    system: M,
    attempts: NonZeroU32,
}

impl<M: MailSystem> Deliver<M> {
    /// Hands over to `system` what `store` holds, each message up to `attempts` times.
    pub(crate) fn new(store: Store, system: M, attempts: NonZeroU32) -> Self {
        KINDS.into_iter().for_each(|kind| count_given_up(name(kind)));
        Self { store, system, attempts }
    }
}

impl<M: MailSystem> IntentHandler for Deliver<M> {
    const KIND: &'static str = MAIL;
    type Outcome = Settled;

    async fn call(&self, intent: &Intent) -> Result<Settled, Unknown> {
        if intent.attempt >= self.attempts.get() {
            return Ok(Settled::given_up("NO_ANSWER"));
        }
        let Some((order_id, kind)) = of_key(&intent.key) else {
            // Written by a replica of a later build, which may have its turn next.
            return Err(Unknown("no message of this build is of that kind".to_owned()));
        };
        let found = match intent.payload.as_slice() {
            [] => table::find(&self.store, order_id, kind).await,
            kept => Written::decode(kept).map(Some).map_err(Error::internal),
        };
        let Some(written) = found.map_err(|error| Unknown(error.to_string()))? else {
            return Ok(Settled::given_up("NO_SUCH_MESSAGE"));
        };
        if written.recipient.is_empty() {
            return Ok(Settled::Dropped);
        }
        let letter = Letter::new(format!("mail/{}", intent.key), written);
        if !letter.has_safe_head() {
            return Ok(Settled::given_up("INVALID_ADDRESS"));
        }
        match self.system.hand_over(&letter).await? {
            Answer::Accepted => Ok(Settled::Sent),
            Answer::Refused(reason) => Ok(Settled::Failed(reason)),
        }
    }

    fn knows(&self, intent: &Intent) -> bool {
        of_key(&intent.key).is_some()
    }

    async fn settle(&self, tx: &mut Tx, intent: &Intent, outcome: &Settled) -> Result<(), Error> {
        let (order_id, kind) = of_key(&intent.key).unwrap_or((&intent.key, NotificationKind::Unspecified));
        match outcome {
            Settled::Sent => table::mark_sent(tx, order_id, kind),
            Settled::Failed(why) => table::mark_failed(tx.conn(), order_id, kind, why.as_str()).await?,
            Settled::Dropped => table::mark_failed(tx.conn(), order_id, kind, table::ERASED).await?,
        }
        let (order_id, outcome, attempts) = (order_id.to_owned(), outcome.clone(), intent.attempt);
        tx.after(move || outcome.tell(&order_id, name(kind), attempts));
        Ok(())
    }

    async fn erased(&self, tx: &mut Tx, intent: &Intent) -> Result<(), Error> {
        self.settle(tx, intent, &Settled::Dropped).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "in a test a panic is the verdict")]
    use tradewind_store::Metadata;
    use tradewind_testing::account::options;
    use tradewind_testing::{Database, block_on};

    use super::*;

    struct Nobody;

    impl MailSystem for Nobody {
        async fn hand_over(&self, _: &Letter) -> Result<Answer, Unknown> {
            panic!("there is nothing to hand over")
        }
    }

    #[test]
    fn a_message_of_a_kind_that_only_a_later_build_knows_is_left_to_it_for_a_while() {
        block_on(async {
            let database = Database::sqlite();
            let store = Store::open(options(&database, "notification")).await.unwrap();
            let deliver = Deliver::new(store, Nobody, NonZeroU32::new(2).unwrap());
            let intent = |attempt| Intent {
                key: "o-1/lost".to_owned(),
                action: "send".to_owned(),
                payload: Vec::new(),
                generation: 1,
                attempt,
                cause: Metadata::default(),
            };
            assert!(deliver.call(&intent(0)).await.is_err(), "another replica may know of it");
            assert_eq!(deliver.call(&intent(2)).await.unwrap(), Settled::given_up("NO_ANSWER"));
        });
    }
}
