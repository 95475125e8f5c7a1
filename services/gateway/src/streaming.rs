//! A stream of messages as JSON, in the form that was asked for. What ends it too early is its last frame.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures::stream;
use http::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use serde_json::Value;
use tonic::Status;
use tradewind_transcode::Route;

use crate::answer::Content;
use crate::refused::{Refused, error};
use crate::state::Limit;
use crate::unary::Messages;

/// How long nothing may be said to a page before a comment keeps the connection open.
const QUIET: Duration = Duration::from_secs(15);

/// How messages follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// `text/event-stream`: an event each.
    Events,
    /// `application/x-ndjson`: a line each.
    Lines,
    /// `application/json`: one array.
    Array,
}

impl Form {
    /// The first that is accepted of those there are; an array where none is named.
    pub(crate) fn accepted(headers: &HeaderMap) -> Self {
        let said = headers.get_all(ACCEPT).iter().filter_map(|said| said.to_str().ok());
        let kinds = said.flat_map(|said| said.split(',')).map(|kind| kind.split(';').next().unwrap_or_default().trim());
        let known = |kind: &str| match kind {
            "text/event-stream" => Some(Self::Events),
            "application/x-ndjson" | "application/jsonl" | "application/ndjson" => Some(Self::Lines),
            "application/json" => Some(Self::Array),
            _ => None,
        };
        kinds.filter_map(known).next().unwrap_or(Self::Array)
    }

    const fn content_type(self) -> HeaderValue {
        match self {
            Self::Events => HeaderValue::from_static("text/event-stream; charset=utf-8"),
            Self::Lines => HeaderValue::from_static("application/x-ndjson"),
            Self::Array => HeaderValue::from_static("application/json"),
        }
    }

    fn message(self, json: &[u8], is_first: bool) -> Vec<u8> {
        let (before, after): (&[u8], &[u8]) = match (self, is_first) {
            (Self::Events, _) => (b"data: ", b"\n\n"),
            (Self::Lines, _) => (b"", b"\n"),
            (Self::Array, true) => (b"[", b"\n"),
            (Self::Array, false) => (b",", b"\n"),
        };
        [before, json, after].concat()
    }

    fn end(self, is_first: bool) -> Vec<u8> {
        let end: &[u8] = match (self, is_first) {
            (Self::Events, _) => b"event: end\ndata: {}\n\n",
            (Self::Lines, _) => b"",
            (Self::Array, true) => b"[]\n",
            (Self::Array, false) => b"]\n",
        };
        end.to_vec()
    }

    fn error(self, error: &Value, is_first: bool) -> Vec<u8> {
        let error = error.to_string();
        match self {
            Self::Events => [b"event: error\n", self.message(error.as_bytes(), is_first).as_slice()].concat(),
            Self::Lines => self.message(error.as_bytes(), is_first),
            Self::Array => [self.message(error.as_bytes(), is_first).as_slice(), b"]\n"].concat(),
        }
    }
}

/// A stream that is answered.
struct Going {
    messages: Messages,
    route: Arc<Route>,
    form: Form,
    limit: Limit,
    request_id: String,
    first: Option<Bytes>,
    is_first: bool,
    is_over: bool,
}

/// What comes next.
enum Next {
    Message(Bytes),
    End,
    Ended(Status),
    Quiet,
}

/// Answers with the messages of a stream, once the first is there.
///
/// # Errors
/// How the stream has ended without one.
pub(crate) async fn answer(
    mut messages: Messages,
    route: Arc<Route>,
    form: Form,
    limit: Limit,
    request_id: &str,
) -> Result<Response<Content>, Refused> {
    let first = tokio::select! {
        first = messages.next() => first?,
        why = limit.clone().reached() => return Err(why.into()),
    };
    let request_id = request_id.to_owned();
    let going = Going { messages, route, form, limit, request_id, first, is_first: true, is_over: false };
    let frames = stream::unfold(going, |mut going| async move {
        let frame = going.frame().await?;
        Some((Ok::<_, Infallible>(Frame::data(Bytes::from(frame))), going))
    });
    let mut response = Response::new(Content::Stream(Box::pin(StreamBody::new(frames))));
    response.headers_mut().insert(CONTENT_TYPE, form.content_type());
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Ok(response)
}

impl Going {
    async fn frame(&mut self) -> Option<Vec<u8>> {
        if self.is_over {
            return None;
        }
        let next = match self.first.take() {
            Some(first) => Next::Message(first),
            None if self.is_first => Next::End,
            None => self.next().await,
        };
        let is_first = std::mem::replace(&mut self.is_first, false);
        let frame = match next {
            Next::Message(message) => match self.route.answer_of(&message) {
                Ok(json) => self.form.message(&json, is_first),
                Err(refusal) => self.ended(&Refused::from(refusal).status, is_first),
            },
            Next::Quiet => b":\n\n".to_vec(),
            Next::Ended(status) => self.ended(&status, is_first),
            Next::End => {
                self.is_over = true;
                self.form.end(is_first)
            }
        };
        Some(frame).filter(|frame| !frame.is_empty())
    }

    async fn next(&mut self) -> Next {
        let quiet = async {
            match self.form {
                Form::Events => tokio::time::sleep(QUIET).await,
                Form::Lines | Form::Array => std::future::pending().await,
            }
        };
        tokio::select! {
            biased;
            next = self.messages.next() => match next {
                Ok(Some(message)) => self.limit.why_over().map_or(Next::Message(message), Next::Ended),
                Ok(None) => Next::End,
                Err(status) => Next::Ended(status),
            },
            why = self.limit.clone().reached() => Next::Ended(why),
            () = quiet => Next::Quiet,
        }
    }

    fn ended(&mut self, status: &Status, is_first: bool) -> Vec<u8> {
        self.is_over = true;
        let http = Refused::from(status.clone()).http();
        self.form.error(&error(status, http, &self.request_id), is_first)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_first_form_that_is_known_is_taken() {
        let of = |text: &str| Form::accepted(&HeaderMap::from_iter([(ACCEPT, text.parse().unwrap())]));
        assert_eq!(of("text/html, text/event-stream;q=0.9, application/json"), Form::Events);
        assert_eq!(of("application/x-ndjson"), Form::Lines);
        assert_eq!((of("*/*"), of(""), Form::accepted(&HeaderMap::new())), (Form::Array, Form::Array, Form::Array));
    }
}
