//! The body of a request, and what is left of it when the answer is there.
//!
//! Over HTTP/1.1 a connection whose request was not read to its end is closed behind the answer, and whoever is still writing then finds
//! it broken and never reads the answer. So what is left is read first, within bounds. Over HTTP/2 a stream is ended without harm.

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
    left: Option<Arc<Mutex<Option<Incoming>>>>,
}

/// What is left of a body once nobody reads it any more.
pub(crate) struct Left(Option<Arc<Mutex<Option<Incoming>>>>);

/// The request, and what will be left of its body.
pub(crate) fn of(request: Request<Incoming>) -> (Request<Arriving>, Left) {
    let is_written = !request.headers().contains_key(EXPECT);
    let left = (request.version() < Version::HTTP_2).then(Arc::default);
    let arriving = |body| Arriving { body: Some(body), is_written, left: left.clone() };
    (request.map(arriving), Left(left))
}

impl Left {
    /// Reads what there is, unless it is too much or comes too slowly.
    pub(crate) async fn read(self) {
        let left = self.0.and_then(|left| left.lock().unwrap_or_else(PoisonError::into_inner).take());
        let Some(mut body) = left else { return };
        let read = async {
            let mut room = BYTES;
            while let Some(Ok(frame)) = body.frame().await {
                room = room.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
                if room == 0 {
                    break;
                }
            }
        };
        // Who takes longer is answered all the same.
        let _ = tokio::time::timeout(TIME, read).await;
    }
}

impl Body for Arriving {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        // Whoever waited to be asked for it is asked.
        self.is_written = true;
        self.body.as_mut().map_or(Poll::Ready(None), |body| Pin::new(body).poll_frame(cx))
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
        let rest = self.body.take_if(|body| !body.is_end_stream());
        if let (Some(body), Some(left), true) = (rest, &self.left, self.is_written) {
            *left.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
        }
    }
}
