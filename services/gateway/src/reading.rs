//! Reads a request's body whole: not more than there may be, not for longer than it may take, and within what all bodies together may
//! hold.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use http_body::Body;
use http_body_util::BodyExt;
use tonic::Code;

use crate::refused::{Refused, refusal_of};

/// The most bytes of a body; a gRPC message may have as many.
pub(crate) const LARGEST: usize = 4 << 20;
/// What frames a gRPC message.
pub(crate) const HEAD: usize = 5;
/// How long a body may take to come, and how long nothing of it may.
const WHOLE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_secs(10);
/// Bytes of bodies that are held at most, and what of each is not counted.
const ROOM: usize = 256 << 20;
const UNCOUNTED: usize = 16 << 10;

/// The bytes of bodies that are held.
#[derive(Clone, Default)]
pub(crate) struct Room(Arc<AtomicUsize>);

/// Some of them, until it is dropped.
pub(crate) struct Held {
    room: Room,
    bytes: usize,
}

impl Held {
    /// Holds so many, if they are more than before.
    ///
    /// # Errors
    /// Where there is no room for them.
    pub(crate) fn grow(&mut self, bytes: usize) -> Result<(), Refused> {
        if bytes > UNCOUNTED.max(self.bytes) { self.change(bytes) } else { Ok(()) }
    }

    fn change(&mut self, bytes: usize) -> Result<(), Refused> {
        let added = bytes - self.bytes;
        let before = self.room.0.fetch_add(added, Ordering::Relaxed);
        self.bytes = bytes;
        if before + added > ROOM { Err(no_room()) } else { Ok(()) }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.room.0.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// All of a body of at most `most` bytes.
///
/// # Errors
/// Where it is larger, comes too slowly or not to its end, or there is no room for it.
pub(crate) async fn whole<B>(body: B, most: usize, room: &Room) -> Result<(Bytes, Held), Refused>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut held = Held { room: room.clone(), bytes: 0 };
    if body.is_end_stream() {
        return Ok((Bytes::new(), held));
    }
    if body.size_hint().lower() > most as u64 {
        return Err(too_large());
    }
    let read = tokio::time::timeout(WHOLE, read(body, most, &mut held)).await;
    Ok((read.unwrap_or_else(|_| Err(too_slow()))?, held))
}

async fn read<B>(mut body: B, most: usize, held: &mut Held) -> Result<Bytes, Refused>
where
    B: Body<Data = Bytes> + Unpin,
{
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = tokio::time::timeout(PAUSE, body.frame()).await.map_err(|_| too_slow())? {
        let Ok(data) = frame.map_err(|_| cut_short())?.into_data() else { continue };
        let length = first.len() + all.len() + data.len();
        if length > most {
            return Err(too_large());
        }
        if length > UNCOUNTED {
            held.change(length)?;
        }
        if first.is_empty() && all.is_empty() {
            first = data;
        } else {
            all.extend_from_slice(&std::mem::take(&mut first));
            all.extend_from_slice(&data);
        }
    }
    Ok(if all.is_empty() { first } else { all.freeze() })
}

fn too_large() -> Refused {
    let status = refusal_of(Code::ResourceExhausted, "REQUEST_TOO_LARGE", "a request has at most 4 MiB");
    Refused::from(status).with(StatusCode::PAYLOAD_TOO_LARGE)
}

fn too_slow() -> Refused {
    let status = refusal_of(Code::DeadlineExceeded, "REQUEST_TOO_SLOW", "the request comes too slowly");
    Refused::from(status).with(StatusCode::REQUEST_TIMEOUT)
}

fn cut_short() -> Refused {
    refusal_of(Code::Cancelled, "REQUEST_CUT_SHORT", "the request ended early").into()
}

fn no_room() -> Refused {
    let text = "too many bytes of requests are held at the moment; call again later";
    Refused::from(refusal_of(Code::Unavailable, "OVERLOADED", text))
}
