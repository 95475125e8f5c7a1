//! The two tables of this crate: what is owed, a row each.

pub(crate) mod intent;
#[expect(unreachable_pub, reason = "an entity is public to its macros, and nothing public is made of this one")]
pub(crate) mod timer;
