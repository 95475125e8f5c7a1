//! What an operator has asked to go wrong: the last layer above a connection, so that circuits and the choice of endpoints see it as
//! if the endpoint were to blame.

use std::net::SocketAddr;

use bytes::Bytes;
use tonic::Status;
use tonic::body::Body;

use super::call::{Answer, Call, Content, Failure};
use super::connection::{Connection, Incoming};
use crate::faults::Faults;

/// Sends a call over `connection`, to an endpoint of `peer`, unless a fault says otherwise.
pub(super) async fn send(
    faults: &Faults,
    peer: &str,
    address: SocketAddr,
    connection: &Connection,
    call: Box<Call>,
) -> Result<(Answer, Option<Incoming>), Failure> {
    if let Some(fault) = call.method.and_then(|method| faults.made(method, peer, address))
        && let Some(status) = fault.put_in().await
    {
        return Ok((answer(status), None));
    }
    connection.send(call).await
}

/// As a server would have said it.
fn answer(status: Status) -> Answer {
    let code = status.code();
    let (head, _) = status.into_http::<Body>().into_parts();
    Answer { head, content: Content::Whole { code, message: Bytes::new(), trailers: None }, held: None }
}
