//! What parts of the kit that are not known here keep in a transaction until its commit.

use std::any::{Any, TypeId};
use std::collections::BTreeMap;

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

    /// Adds the statements that write everything, at the time `now`.
    fn write(&mut self, script: &mut Script, now: OffsetDateTime);
}

/// The parts of a transaction, by their types.
#[derive(Default)]
pub(super) struct Parts(BTreeMap<TypeId, Box<dyn Part>>);

impl Parts {
    /// The one part of this type, made where it is asked for first.
    #[expect(clippy::expect_used, reason = "it is kept by its type")]
    pub(super) fn get<P: Part + Default>(&mut self) -> &mut P {
        let part: &mut dyn Any = &mut **self.0.entry(TypeId::of::<P>()).or_insert_with(|| Box::new(P::default()));
        part.downcast_mut().expect("a part of the type it is kept by")
    }

    pub(super) fn all(&mut self) -> impl Iterator<Item = &mut Box<dyn Part>> {
        self.0.values_mut()
    }
}
