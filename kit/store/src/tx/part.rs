//! What parts of the kit that are not known here keep in a transaction until its commit.

use std::any::Any;

use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::Script;

/// What a part keeps in a transaction: rows that nothing in the transaction needs an answer to.
pub trait Part: Any + Send + Sync {
    /// Refuses what could not pass every limit on its way later; [`fits`](super::fits) does.
    ///
    /// # Errors
    /// `Invalid` names what is too large.
    fn check(&self) -> Result<(), Error>;

    /// What of it is about somebody, each with whom: it is sealed before it is written.
    fn personal(&mut self) -> Vec<(&str, &mut Vec<u8>)> {
        Vec::new()
    }

    /// Adds the statements that write everything, at the time `now`.
    fn write(&mut self, script: &mut Script, now: OffsetDateTime);
}

/// The parts of a transaction, in the order of their first use.
#[derive(Default)]
pub(super) struct Parts(Vec<Box<dyn Part>>);

impl Parts {
    /// The one part of this type, made where it is asked for first.
    #[expect(clippy::expect_used, reason = "one of this type is there by then")]
    pub(super) fn get<P: Part + Default>(&mut self) -> &mut P {
        let is_there = self.0.iter().any(|part| (&**part as &dyn Any).is::<P>());
        if !is_there {
            self.0.push(Box::new(P::default()));
        }
        let mut parts = self.0.iter_mut().map(|part| &mut **part as &mut dyn Any);
        parts.find_map(|part| part.downcast_mut()).expect("a part of this type")
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Box<dyn Part>> {
        self.0.iter_mut()
    }
}
