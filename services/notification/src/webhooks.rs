//! Webhooks: whoever registers a URL for some types of events is told of each of them there, signed as the Standard Webhooks
//! specification says, again until it is taken, and in order within what an event is about.
//!
//! An event is put down for each endpoint that wants it in the transaction that reads it (`offer`). Outside of any transaction each
//! endpoint has a `lane` of its own, so that none delays another. What is told is what whoever is outside may see (`body`), and it
//! goes to nobody who is near (`guard`).

pub(crate) mod address;
pub(crate) mod body;
mod endpoints;
mod guard;
mod keep;
mod lane;
mod manage;
mod metrics;
mod offer;
pub(crate) mod post;
mod queue;
mod remove;
mod rules;
mod secret;
mod sender;
pub mod table;
mod tidy;
mod write;

use std::sync::Arc;

use reqwest::Certificate;
use tradewind_store::Store;

pub(crate) use self::address::Networks;
use self::endpoints::Endpoints;
use self::guard::Guard;
pub(crate) use self::manage::Webhooks;
pub(crate) use self::offer::{OFFERED, Offer, offers};
use self::post::Post;
pub(crate) use self::queue::Place;
pub(crate) use self::rules::Rules;
pub(crate) use self::sender::Sender;
pub(crate) use self::write::{Again, Change, Wanted};

/// Where webhooks may go.
pub(crate) struct Reach {
    /// Besides what is public.
    pub(crate) networks: Networks,
    /// Who certifies receivers, besides public authorities.
    pub(crate) authority: Option<Certificate>,
}

/// What webhooks are made of.
pub(crate) struct Made {
    /// What staff ask.
    pub(crate) webhooks: Webhooks,
    /// What follows events.
    pub(crate) offer: Offer,
    /// What makes requests; none where nobody is to be told of anything.
    pub(crate) sender: Option<Sender>,
}

/// Makes webhooks of a service's database that go no further than `reach`; nowhere, where there is none.
///
/// # Errors
/// When no HTTP client can be made.
pub(crate) fn make(store: &Store, reach: Option<Reach>, rules: Rules) -> anyhow::Result<Made> {
    let endpoints = Arc::new(Endpoints::default());
    let guard = reach.as_ref().map(|reach| Guard::new(reach.networks.clone()));
    let webhooks = Webhooks::new(store.clone(), Arc::clone(&endpoints), guard.clone());
    let offer = Offer::to(Arc::clone(&endpoints));
    let sender = match guard.zip(reach) {
        Some((guard, reach)) => {
            let post = Post::new(guard, rules.timeout, reach.authority.as_ref())?;
            Some(Sender::new(store.clone(), endpoints, post, rules))
        }
        None => None,
    };
    Ok(Made { webhooks, offer, sender })
}
