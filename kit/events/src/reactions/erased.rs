//! Reactions with their types erased: what of a recorded event they get, and what becomes of one that cannot be decoded.

use std::future::ready;
use std::sync::Arc;

use futures::future::BoxFuture;
use prost::Message;
use tradewind_domain::{Error, ErrorKind};
use tradewind_store::{Recorded, Tx};

use super::{Reaction, Received};
use crate::fault;

pub(super) trait Erased: Send + Sync {
    fn prepares(&self) -> bool {
        false
    }

    /// What cannot be decoded is left to [`react`](Self::react).
    fn prepare<'a>(&'a self, _: &'a mut Tx, _: &'a [&'a Recorded]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(ready(Ok(())))
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Recorded) -> BoxFuture<'a, Result<(), Error>>;
}

struct Handles<E, R> {
    decode: fn(&Recorded) -> Result<E, Error>,
    reaction: R,
}

pub(super) fn handles<E, R>(decode: fn(&Recorded) -> Result<E, Error>, reaction: R) -> Arc<dyn Erased>
where
    E: Send + Sync + 'static,
    R: Reaction<E>,
{
    Arc::new(Handles { decode, reaction })
}

impl<E: Send + Sync, R: Reaction<E>> Erased for Handles<E, R> {
    fn prepares(&self) -> bool {
        R::PREPARES
    }

    fn prepare<'a>(&'a self, tx: &'a mut Tx, events: &'a [&'a Recorded]) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let decoded = events.iter().filter_map(|event| Some(received((self.decode)(event).ok()?, event)));
            let decoded: Vec<_> = decoded.collect();
            self.reaction.prepare(tx, &decoded).await
        })
    }

    fn react<'a>(&'a self, tx: &'a mut Tx, event: &'a Recorded) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async move {
            let received = received((self.decode)(event)?, event);
            self.reaction.react(tx, &received).await
        })
    }
}

pub(super) fn message<E: Message + Default>(event: &Recorded) -> Result<E, Error> {
    E::decode(&*fault::seen(&event.type_name, &event.payload))
        .map_err(|cause| Error::new(ErrorKind::Invalid, "EVENT_UNDECODABLE", format!("{}: {cause}", event.type_name)))
}

pub(super) fn received<E>(data: E, event: &Recorded) -> Received<E> {
    Received {
        data,
        id: event.id,
        stream: event.stream.clone(),
        version: event.version,
        partition: event.partition,
        position: event.position,
        time: event.time,
        metadata: event.metadata.clone(),
    }
}
