//! What contexts do about other contexts' events: a struct for each reader of a context, which has most often one, with a field for each reaction that its contract
//! declares. One that is missing, misnamed or made for another event does not compile. What a reaction is made of is for a kit to
//! say, by what it implements [`Reacts`] and [`TakesOn`] for.

use crate::tradewind::options::v1::Role;

/// One `reacts` of the contract.
#[derive(Clone, Copy, Debug)]
pub struct Reaction {
    /// The context that reacts.
    pub context: &'static str,
    /// Who reads the event for it at the broker.
    pub reader: &'static str,
    /// Full name of the event.
    pub event: &'static str,
    /// What the reaction is called.
    pub name: &'static str,
    /// What it is within the saga.
    pub role: Role,
    /// Of a forward step, the reaction that takes it back.
    pub undo: Option<&'static str>,
}

/// What can let `R` follow an event `E`.
#[diagnostic::on_unimplemented(message = "`{R}` is no reaction to `{E}`")]
pub trait Reacts<E, R>: Sized {
    /// With `reaction` as what follows the event.
    #[must_use]
    fn reacts(self, declared: &'static Reaction, reaction: R) -> Self;
}

/// What can let `R`, which takes something on, follow an event `E`.
#[diagnostic::on_unimplemented(message = "`{R}` does not say how it reacts to `{E}` and how it is refused")]
pub trait TakesOn<E, R>: Sized {
    /// With `reaction` as what follows the event.
    #[must_use]
    fn takes_on(self, declared: &'static Reaction, reaction: R) -> Self;
}

/// Everything that one reader of a context does about other contexts' events, in a shape that the kit `K` understands.
#[diagnostic::on_unimplemented(message = "these are not the reactions of a context to the events of its contract")]
pub trait Reactions<K> {
    /// The reader: the context, or what the contract calls it.
    const READER: &'static str;

    /// Hands each reaction to the kit, in the contract's order.
    fn hand_to(self, kit: K) -> K;
}

include!(concat!(env!("OUT_DIR"), "/reactions.rs"));
