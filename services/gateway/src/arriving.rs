//! The body of a request, and what is left of it when the answer is there.
//!
//! Over HTTP/1.1 a connection whose request was not read to its end is closed behind the answer, and whoever is still writing then finds
//! it broken and never reads the answer. So what is left is read first, within bounds. Where that is not its end, the answer says that
//! the connection is closed behind it, so that nobody sends a next request that is never heard. Over HTTP/2 a stream is ended without harm.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http::header::EXPECT;
use http::{Request, Version};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;

/// What is read, and for how long, of what nobody needs.
const BYTES: usize = 64 << 10;
const TIME: Duration = Duration::from_secs(1);

/// A body that leaves what was not read of it.
pub(crate) struct Arriving {
    body: Option<Incoming>,
    /// Whether it is on its way: whoever waits to be asked for it is not writing.
    is_written: bool,
    rest: Option<Arc<Mutex<Rest>>>,
}

/// What there is of a body beyond what was read.
enum Rest {
    /// It is being read, or nobody has asked for it.
    Unknown,
    Left(Incoming),
    Nothing,
}

/// What is left of a body once nobody reads it any more.
pub(crate) struct Left(Option<Arc<Mutex<Rest>>>);

/// The request, and what will be left of its body.
pub(crate) fn of(request: Request<Incoming>) -> (Request<Arriving>, Left) {
    let is_written = !request.headers().contains_key(EXPECT);
    let rest = (request.version() < Version::HTTP_2).then(|| Arc::new(Mutex::new(Rest::Unknown)));
    let arriving = |body| Arriving { body: Some(body), is_written, rest: rest.clone() };
    (request.map(arriving), Left(rest))
}

impl Left {
    /// Reads what there is, unless it is too much or comes too slowly. Gives whether the connection can take another request behind this
    /// one.
    pub(crate) async fn read(self) -> bool {
        let Some(rest) = self.0 else { return true };
        let rest = std::mem::replace(&mut *rest.lock().unwrap_or_else(PoisonError::into_inner), Rest::Unknown);
        let mut body = match rest {
            Rest::Nothing => return true,
            // Whoever has it may not have come to its end yet, and is not waited for.
            Rest::Unknown => return false,
            Rest::Left(body) => body,
        };
        let read = async {
            let mut room = BYTES;
            while let Some(frame) = body.frame().await {
                let Ok(frame) = frame else { return false };
                room = room.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
                if room == 0 {
                    return false;
                }
            }
            true
        };
        // Who takes longer is answered all the same.
        tokio::time::timeout(TIME, read).await.unwrap_or(false)
    }
}

impl Arriving {
    fn leave(&self, rest: Rest) {
        if let Some(known) = &self.rest {
            *known.lock().unwrap_or_else(PoisonError::into_inner) = rest;
        }
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        // Whoever waited to be asked for it is asked.
        self.is_written = true;
        let frame = self.body.as_mut().map_or(Poll::Ready(None), |body| Pin::new(body).poll_frame(cx));
        if matches!(frame, Poll::Ready(None)) {
            self.body = None;
        }
        if frame.is_ready() && self.is_end_stream() {
            self.leave(Rest::Nothing);
        }
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.as_ref().is_none_or(Incoming::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.as_ref().map_or_else(SizeHint::default, Incoming::size_hint)
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        match self.body.take() {
            Some(body) if body.is_end_stream() => self.leave(Rest::Nothing),
            Some(body) if self.is_written => self.leave(Rest::Left(body)),
            _ => {}
        }
    }
}
