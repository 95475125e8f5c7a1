//! What one message is carried in: its size, whether it is packed with gzip, and whether it is what the contract says. Whatever
//! cannot be read is refused here, by the caller's fault and name, before a handler is asked.

use std::io::{Read, Write};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use contracts::tables::Form;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body::Body as HttpBody;
use http_body_util::{BodyExt, Full};
use tonic::body::Body;
use tonic::{Code, Status};
use tradewind_domain::Error;

use crate::form;
use crate::jitter;
use crate::sizes::HEAD;
use crate::status::{Layer, again, refusal, status};

/// The most bytes a message may have, as it is sent and unpacked.
const LARGEST: usize = 4 << 20;
/// Bytes of requests that a server holds at most, and what one counts for that has not come yet.
const ROOM: usize = 256 << 20;
const UNREAD: usize = 32 << 10;
/// When whoever finds no room may come again, at most.
const AGAIN: Duration = Duration::from_secs(1);
/// What is smaller than this is not worth packing.
const WORTH_PACKING: usize = 1024;

const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
const ACCEPTED: HeaderName = HeaderName::from_static("grpc-accept-encoding");
const GZIP: HeaderValue = HeaderValue::from_static("gzip");

/// Why a body ended early.
type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The bytes of requests that a server holds, those that are still being read included.
#[derive(Default)]
pub struct Room(AtomicUsize);

/// Some of them, until it is dropped.
pub struct Held<'a> {
    room: &'a AtomicUsize,
    bytes: usize,
}

impl Room {
    fn hold(&self, bytes: usize) -> Result<Held<'_>, Status> {
        let mut held = Held { room: &self.0, bytes: 0 };
        held.change(bytes).map(|()| held)
    }
}

impl Held<'_> {
    /// Holds so many from now on.
    fn change(&mut self, bytes: usize) -> Result<(), Status> {
        let before = self.room.fetch_add(bytes, Ordering::Relaxed);
        self.room.fetch_sub(self.bytes, Ordering::Relaxed);
        let more = bytes > self.bytes;
        self.bytes = bytes;
        if more && before + bytes > ROOM { Err(no_room()) } else { Ok(()) }
    }
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.room.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// What a request holds, as it is handed on.
pub enum Asked {
    /// Its one message, framed, plain and known to be of the form that the contract gives it.
    Whole(Bytes),
    /// What comes as it comes.
    Stream(Body),
}

impl Asked {
    /// Bytes of the one message, with what frames it.
    pub fn size(&self) -> usize {
        match self {
            Self::Whole(message) => message.len(),
            Self::Stream(_) => 0,
        }
    }

    pub fn into_body(self) -> Body {
        match self {
            Self::Whole(message) => Body::new(Full::new(message)),
            Self::Stream(body) => body,
        }
    }
}

/// Reads the one message of a request whole. A request that is a stream has none, and is handed on as it comes.
pub async fn admit<'a, B>(
    request: Request<B>,
    form: Option<&Form>,
    room: &'a Room,
) -> Result<(Request<Asked>, Option<Held<'a>>), Status>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    let Some(form) = form else { return Ok((request.map(|body| Asked::Stream(Body::new(body))), None)) };
    let (mut parts, body) = request.into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    let mut held = room.hold(UNREAD)?;
    let body = read(body, &mut held).await?;
    let body = unpack(&mut parts.headers, body)?;
    held.change(body.len())?;
    form::check(form, &body[HEAD..]).map_err(|error| undecodable(&error.to_string()))?.finish().map_err(status)?;
    Ok((Request::from_parts(parts, Asked::Whole(body)), Some(held)))
}

/// The one message of a request, framed and plain, which its headers don't say to be packed any more.
///
/// # Errors
/// What is not one message, is packed in a way that is not known, or is larger than a message may be.
pub fn unpack(headers: &mut HeaderMap, body: Bytes) -> Result<Bytes, Status> {
    let gzip = is_gzip(headers.remove(ENCODING).as_ref())?;
    plain(body, gzip)
}

/// All of a body.
async fn read<B>(body: B, held: &mut Held<'_>) -> Result<Bytes, Status>
where
    B: HttpBody<Data = Bytes, Error: Into<BoxError>>,
{
    let mut body = pin!(body);
    let (mut first, mut all) = (Bytes::new(), BytesMut::new());
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Status::cancelled("the request ended early"))?.into_data() else { continue };
        let length = first.len() + all.len() + data.len();
        if length > HEAD + LARGEST {
            return Err(too_large());
        }
        if length > UNREAD {
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

/// Whether a caller takes an answer that is packed.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPTED).and_then(|value| value.to_str().ok()).unwrap_or_default();
    accepted.split(',').any(|encoding| encoding.trim() == "gzip")
}

/// The same answer to a unary call, packed where that is worth it. A refusal ends with its headers, and has to: behind any frame of a
/// body, clients look for the status in trailers, and find none.
pub async fn pack(response: Response<Body>) -> Result<Response<Body>, Status> {
    if response.body().is_end_stream() {
        return Ok(response);
    }
    let (mut parts, body) = response.into_parts();
    let body = body.collect().await?;
    let trailers = body.trailers().cloned();
    let mut bytes = body.to_bytes();
    if bytes.len() > WORTH_PACKING && bytes[0] == 0 {
        bytes = packed(&bytes[HEAD..]).map_err(|error| status(Error::internal(error)))?;
        parts.headers.insert(ENCODING, GZIP);
        parts.headers.remove(CONTENT_LENGTH);
    }
    let body = Full::new(bytes).with_trailers(std::future::ready(trailers.map(Ok)));
    Ok(Response::from_parts(parts, Body::new(body)))
}

fn is_gzip(encoding: Option<&HeaderValue>) -> Result<bool, Status> {
    match encoding.map(HeaderValue::as_bytes) {
        None | Some(b"identity") => Ok(false),
        Some(b"gzip") => Ok(true),
        Some(_) => {
            let message = "messages are taken plain or packed with gzip";
            let mut refused = refusal(Layer::Message, Code::Unimplemented, "ENCODING_UNKNOWN", message, []);
            let accepted = tonic::metadata::MetadataValue::from_static("identity,gzip");
            refused.metadata_mut().insert("grpc-accept-encoding", accepted);
            Err(refused)
        }
    }
}

/// The message behind its head, unpacked.
fn plain(body: Bytes, gzip: bool) -> Result<Bytes, Status> {
    let Some((head, rest)) = body.split_first_chunk::<HEAD>() else {
        return Err(undecodable("there is no message"));
    };
    let [flag, length @ ..] = *head;
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    if length > LARGEST {
        return Err(too_large());
    }
    if length != rest.len() {
        return Err(undecodable("there is not one whole message"));
    }
    match flag {
        0 => Ok(body),
        1 if gzip => unpacked(rest),
        _ => Err(undecodable("the message is packed in a way that the headers don't name")),
    }
}

fn unpacked(packed: &[u8]) -> Result<Bytes, Status> {
    let mut framed = vec![0; HEAD];
    // One byte more than fits tells what is too large; a bomb is unpacked no further.
    let most = u64::try_from(LARGEST + 1).unwrap_or(u64::MAX);
    let unpacked = GzDecoder::new(packed).take(most).read_to_end(&mut framed);
    let length = unpacked.map_err(|_| undecodable("the message is not packed with gzip"))?;
    if length > LARGEST {
        return Err(too_large());
    }
    let length = u32::try_from(length).map_err(|_| too_large())?;
    framed[1..HEAD].copy_from_slice(&length.to_be_bytes());
    Ok(framed.into())
}

fn packed(message: &[u8]) -> std::io::Result<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(message)?;
    let packed = encoder.finish()?;
    let mut framed = BytesMut::with_capacity(HEAD + packed.len());
    framed.put_u8(1);
    framed.put_u32(u32::try_from(packed.len()).map_err(std::io::Error::other)?);
    framed.put_slice(&packed);
    Ok(framed.freeze())
}

fn undecodable(what: &str) -> Status {
    let message = format!("the request cannot be decoded: {what}");
    refusal(Layer::Message, Code::InvalidArgument, "REQUEST_UNDECODABLE", &message, [])
}

fn no_room() -> Status {
    let message = "the server holds as many bytes of requests as it may; call again later, and less often";
    let limit = ROOM.to_string();
    let refused = refusal(Layer::Message, Code::ResourceExhausted, "OVERLOADED", message, [("limit", limit.as_str())]);
    again(refused, Some(jitter(AGAIN)))
}

fn too_large() -> Status {
    let most = LARGEST.to_string();
    let message = "a request has at most 4 MiB, unpacked as well";
    refusal(Layer::Message, Code::ResourceExhausted, "REQUEST_TOO_LARGE", message, [("most_bytes", most.as_str())])
}
