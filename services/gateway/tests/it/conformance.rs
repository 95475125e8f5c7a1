//! What public suites say of the edge, with the gateway between: their rows where they are there, and own ones.

mod calls;
mod connect;
#[path = "../../../../kit/transcode/tests/it/public.rs"]
mod public;
mod repeat;
mod rest;
mod rows;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use gateway::{Door, Metadata, Methods, Offer, Server, Who};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::stand::prepare;

/// A gateway that serves, until it is dropped.
struct Front {
    address: SocketAddr,
    _stopped: DropGuard,
}

impl Front {
    fn open(offers: Vec<Offer>, metadata: Metadata) -> Self {
        prepare();
        let (methods, stop) = (Methods::new(offers).unwrap(), CancellationToken::new());
        let server = Server::bind(([127, 0, 0, 1], 0).into(), None, 1_000).unwrap();
        let address = server.local_addr();
        let door = Door::new(methods, Who::trusting(Vec::new()), stop.clone()).passing(metadata);
        tokio::spawn(server.serve(Arc::new(door), stop.clone(), Duration::from_secs(5)));
        Self { address, _stopped: stop.drop_guard() }
    }
}
