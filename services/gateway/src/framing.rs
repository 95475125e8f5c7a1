//! What breaks the protocol itself: it is told as the protocol has it, by a code and without details.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::reading::HEAD;

/// How what is sent is packed; it is read here.
pub(crate) const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");

/// Whether a body is one message, packed as its headers say. What its bytes are is looked at where they are unpacked.
///
/// # Errors
/// What gRPC has for a call that is none: of no message, of more than one, or of one that cannot be unpacked.
pub(crate) fn is_one(headers: &HeaderMap, body: &Bytes) -> Result<(), Status> {
    let is_packed = match headers.get(&ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"identity") => false,
        Some(b"gzip") => true,
        Some(_) => return Err(unknown_encoding()),
    };
    if body.is_empty() {
        return Err(Status::unimplemented("the call has one message, and none was sent"));
    }
    let Some((&[flag, ref length @ ..], rest)) = body.split_first_chunk::<HEAD>() else { return Err(cut_short()) };
    let length = usize::try_from(u32::from_be_bytes(*length)).unwrap_or(usize::MAX);
    match flag {
        _ if rest.len() < length => Err(cut_short()),
        _ if rest.len() > length => Err(Status::unimplemented("the call has one message, and more were sent")),
        0 => Ok(()),
        1 if is_packed => Ok(()),
        1 => Err(Status::internal("the message is packed, and its headers don't say how")),
        _ => Err(Status::internal("the message has a flag that is not known")),
    }
}

/// There is no such method.
pub(crate) fn no_method() -> Status {
    Status::unimplemented("there is no such method")
}

fn cut_short() -> Status {
    Status::internal("the message ends early")
}

fn unknown_encoding() -> Status {
    let mut status = Status::new(Code::Unimplemented, "messages are taken plain or packed with gzip");
    status.metadata_mut().insert("grpc-accept-encoding", MetadataValue::from_static("identity,gzip"));
    status
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_is_one_message_that_is_packed_as_it_says() {
        let decided = |encoding: Option<&'static str>, body: &'static [u8]| {
            let mut headers = HeaderMap::new();
            headers.extend(encoding.map(|encoding| (ENCODING, HeaderValue::from_static(encoding))));
            is_one(&headers, &Bytes::from_static(body)).err().map(|status| {
                assert_eq!(status.details(), b"");
                status.code()
            })
        };
        let rows = [
            (None, &[0, 0, 0, 0, 0][..], None),
            (Some("identity"), &[0, 0, 0, 0, 1, 7], None),
            (Some("gzip"), &[0, 0, 0, 0, 1, 7], None),
            (Some("gzip"), &[1, 0, 0, 0, 1, 7], None),
            (None, &[], Some(Code::Unimplemented)),
            (None, &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0], Some(Code::Unimplemented)),
            (Some("zstd"), &[0, 0, 0, 0, 0], Some(Code::Unimplemented)),
            (None, &[1, 0, 0, 0, 1, 7], Some(Code::Internal)),
            (Some("identity"), &[1, 0, 0, 0, 1, 7], Some(Code::Internal)),
            (Some("gzip"), &[2, 0, 0, 0, 1, 7], Some(Code::Internal)),
            (None, &[0, 0, 0], Some(Code::Internal)),
            (None, &[0, 0, 0, 0, 2, 7], Some(Code::Internal)),
        ];
        for (encoding, body, code) in rows {
            assert_eq!(decided(encoding, body), code, "{encoding:?} {body:?}");
        }
    }
}
