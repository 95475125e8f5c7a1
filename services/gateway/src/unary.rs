//! One message to a service, and what comes back, as gRPC frames them.

use std::collections::VecDeque;

use bytes::{Buf, BufMut, Bytes, BytesMut};
use http::header::{CONTENT_TYPE, TE};
use http::{HeaderMap, HeaderValue, Method as Http, Request, Response, Version, uri::PathAndQuery};
use http_body_util::{BodyExt, Full};
use prost::Message;
use tonic::body::Body;
use tonic::{Code, Status};
use tradewind_calls::deadline;
use tradewind_mesh::AskedDeadline;

use crate::reading::HEAD;
use crate::refused::{outward, refusal_of};

pub(crate) const GRPC: HeaderValue = HeaderValue::from_static("application/grpc");
/// The most bytes of a message of an answer.
const LARGEST: usize = 64 << 20;
const TRAILERS: HeaderValue = HeaderValue::from_static("trailers");

/// A message with its frame.
///
/// # Errors
/// Where it is longer than a frame can say.
pub(crate) fn framed(message: &impl Message) -> Result<Bytes, Status> {
    let mut framed = BytesMut::with_capacity(256);
    framed.put_bytes(0, HEAD);
    let unframed = |_| refusal_of(Code::ResourceExhausted, "REQUEST_TOO_LARGE", "the request is too large");
    message.encode(&mut framed).map_err(|error| unframed(error.to_string()))?;
    let length = u32::try_from(framed.len() - HEAD).map_err(|error| unframed(error.to_string()))?;
    framed[1..HEAD].copy_from_slice(&length.to_be_bytes());
    Ok(framed.freeze())
}

/// A gRPC request with these headers beside its own.
pub(crate) fn request(path: &PathAndQuery, mut headers: HeaderMap, body: Body) -> Request<Body> {
    headers.insert(CONTENT_TYPE, GRPC);
    headers.insert(TE, TRAILERS);
    let mut request = Request::new(body);
    *request.method_mut() = Http::POST;
    *request.version_mut() = Version::HTTP_2;
    *request.uri_mut() = path.clone().into();
    if headers.contains_key(deadline::HEADER) {
        request.extensions_mut().insert(AskedDeadline);
    }
    *request.headers_mut() = headers;
    request
}

/// A gRPC request with one message, which is framed.
pub(crate) fn request_of(path: &PathAndQuery, headers: HeaderMap, framed: Bytes) -> Request<Body> {
    request(path, headers, Body::new(Full::new(framed)))
}

/// The messages of an answer, one after the other.
pub(crate) struct Messages {
    body: Body,
    come: VecDeque<Bytes>,
    part: BytesMut,
    ended: Option<Result<(), Status>>,
}

impl Messages {
    /// Of this answer.
    pub(crate) fn of(response: Response<Body>) -> Self {
        let (head, body) = response.into_parts();
        let ended = ending(&head.headers);
        Self { body, come: VecDeque::new(), part: BytesMut::new(), ended }
    }

    /// The next message; none where the answer has ended well.
    ///
    /// # Errors
    /// How it has ended otherwise.
    pub(crate) async fn next(&mut self) -> Result<Option<Bytes>, Status> {
        loop {
            if let Some(message) = self.come.pop_front() {
                return Ok(Some(message));
            }
            if let Some(ended) = &self.ended {
                return ended.clone().map(|()| None);
            }
            match self.body.frame().await {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.take(data)?,
                    Err(frame) => {
                        let trailers = frame.into_trailers().unwrap_or_default();
                        self.ended = Some(ending(&trailers).unwrap_or_else(|| Err(unended())));
                    }
                },
                Some(Err(status)) => self.ended = Some(Err(outward(status))),
                None => self.ended = Some(Err(unended())),
            }
        }
    }

    fn take(&mut self, mut data: Bytes) -> Result<(), Status> {
        if self.part.is_empty() {
            while let Some(message) = split(&mut data)? {
                self.come.push_back(message);
            }
            self.part.extend_from_slice(&data);
            return Ok(());
        }
        self.part.extend_from_slice(&data);
        let mut all = std::mem::take(&mut self.part).freeze();
        while let Some(message) = split(&mut all)? {
            self.come.push_back(message);
        }
        self.part.extend_from_slice(&all);
        Ok(())
    }
}

/// The first message, if all of it is there.
fn split(data: &mut Bytes) -> Result<Option<Bytes>, Status> {
    let Some((head, rest)) = data.split_first_chunk::<HEAD>() else { return Ok(None) };
    let [flag, length @ ..] = *head;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if flag != 0 {
        return Err(refusal_of(Code::Internal, "ANSWER_PACKED", "the answer is packed in a way that nobody asked for"));
    }
    if length > LARGEST {
        return Err(refusal_of(Code::Internal, "ANSWER_TOO_LARGE", "the answer is larger than any may be"));
    }
    if rest.len() < length {
        return Ok(None);
    }
    data.advance(HEAD);
    Ok(Some(data.split_to(length)))
}

/// How a call has ended, if these headers say so.
fn ending(headers: &HeaderMap) -> Option<Result<(), Status>> {
    match headers.get("grpc-status")?.as_bytes() {
        b"0" => Some(Ok(())),
        _ => Some(Err(Status::from_header_map(headers).unwrap_or_else(unended))),
    }
}

fn unended() -> Status {
    refusal_of(Code::Internal, "ANSWER_CUT_SHORT", "the answer has no end")
}

/// The one message of an answer.
///
/// # Errors
/// How the call has ended otherwise.
pub(crate) async fn only(response: Response<Body>) -> Result<Bytes, Status> {
    let mut messages = Messages::of(response);
    let first = messages.next().await?;
    match messages.next().await? {
        None => first.ok_or_else(|| refusal_of(Code::Internal, "ANSWER_EMPTY", "the answer holds nothing")),
        Some(_) => Err(refusal_of(Code::Internal, "ANSWER_TWICE", "the answer holds more than one message")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use futures::stream;
    use http_body::Frame;
    use http_body_util::StreamBody;

    use super::*;

    fn answer(chunks: &[&[u8]], status: &'static str) -> Response<Body> {
        let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), HeaderValue::from_static(status))]);
        let chunks = chunks.iter().map(|chunk| Frame::data(Bytes::copy_from_slice(chunk)));
        let frames: Vec<Result<_, Status>> = chunks.chain([Frame::trailers(trailers)]).map(Ok).collect();
        Response::new(Body::new(StreamBody::new(stream::iter(frames))))
    }

    #[tokio::test]
    async fn messages_are_told_apart_however_they_are_cut() {
        let whole = [&[0, 0, 0, 0, 2][..], b"ab", &[0, 0, 0, 0, 0], &[0, 0, 0, 0, 3], b"cde"].concat();
        for size in 1..=whole.len() {
            let mut messages = Messages::of(answer(&whole.chunks(size).collect::<Vec<_>>(), "0"));
            let mut all = Vec::new();
            while let Some(message) = messages.next().await.unwrap() {
                all.push(message);
            }
            assert_eq!(all, ["ab", "", "cde"], "in chunks of {size}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_not_one_message_and_an_end_is_an_error() {
        let one: &[u8] = &[0, 0, 0, 0, 1, 7];
        assert_eq!(only(answer(&[one], "0")).await.unwrap(), &[7][..]);
        assert_eq!(only(answer(&[one], "5")).await.unwrap_err().code(), Code::NotFound);
        for odd in [answer(&[], "0"), answer(&[one, one], "0"), answer(&[&[1, 0, 0, 0, 0]], "0")] {
            assert_eq!(only(odd).await.unwrap_err().code(), Code::Internal);
        }
        assert_eq!(only(Response::new(Body::empty())).await.unwrap_err().code(), Code::Internal);
    }
}
