//! An answer that is in memory: with a mark for whoever has it already, and packed for whoever takes that.

use std::io::Write as _;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::header::{ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, VARY};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::answer::Content;
use crate::etag;

/// What is smaller is not worth packing.
const WORTH_PACKING: usize = 1_024;

/// A body and what is said of it.
#[derive(Clone)]
pub(crate) struct Whole {
    body: Bytes,
    kind: HeaderValue,
    kept: &'static str,
    mark: Option<HeaderValue>,
    packed: Option<Bytes>,
}

impl Whole {
    /// A body of this media type, which others may keep as `kept` says.
    pub(crate) fn new(body: impl Into<Bytes>, kind: HeaderValue, kept: &'static str) -> Self {
        Self { body: body.into(), kind, kept, mark: None, packed: None }
    }

    /// With a mark.
    pub(crate) fn marked(mut self) -> Self {
        self.mark = etag::of(&self.body);
        self
    }

    /// Packed once for all who take that.
    pub(crate) fn packed(mut self) -> Self {
        self.packed = packed(&self.body);
        self
    }

    /// The answer to a request with these headers; without the body where that alone is not asked for.
    pub(crate) fn answer(self, is_head: bool, asked: &HeaderMap) -> Response<Content> {
        let mut response = Response::new(Content::Whole(Bytes::new()));
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static(self.kept));
        if let Some(mark) = self.mark {
            let has = etag::has(asked, &mark);
            headers.insert(ETAG, mark);
            if has {
                *response.status_mut() = StatusCode::NOT_MODIFIED;
                return response;
            }
        }
        headers.insert(CONTENT_TYPE, self.kind);
        headers.append(VARY, HeaderValue::from_static("accept-encoding"));
        let packs = self.body.len() > WORTH_PACKING && takes_gzip(asked);
        let body = match packs.then(|| self.packed.or_else(|| packed(&self.body))).flatten() {
            Some(packed) => {
                headers.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
                packed
            }
            None => self.body,
        };
        if is_head {
            headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        } else {
            *response.body_mut() = Content::Whole(body);
        }
        response
    }
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let said = headers.get_all(ACCEPT_ENCODING).iter().filter_map(|said| said.to_str().ok());
    said.flat_map(|said| said.split(',')).any(|each| {
        let mut each = each.split(';').map(str::trim);
        let is_gzip = each.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip"));
        is_gzip && !each.any(|weight| ["q=0", "q=0.0", "q=0.00", "q=0.000"].contains(&weight))
    })
}

fn packed(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 3), Compression::fast());
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
