//! gRPC-Web: gRPC for whoever cannot read trailers. They are the last frame of the body; as text, all of it is base64.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::{BufMut, Bytes, BytesMut};
use http::{HeaderMap, HeaderValue};
use tonic::Code;

use crate::reading::HEAD;
use crate::refused::{Refused, refusal_of};

/// The flag of the frame that holds the trailers.
const TRAILERS: u8 = 0x80;
/// Characters that stand for three bytes.
const GROUP: usize = 4;

/// How a caller of gRPC-Web writes and reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Web {
    Binary,
    Text,
}

impl Web {
    /// The media type of an answer.
    pub(crate) const fn content_type(self) -> HeaderValue {
        match self {
            Self::Binary => HeaderValue::from_static("application/grpc-web+proto"),
            Self::Text => HeaderValue::from_static("application/grpc-web-text+proto"),
        }
    }

    /// What was written, as gRPC has it.
    ///
    /// # Errors
    /// Text that is no base64.
    pub(crate) fn read(self, body: Bytes) -> Result<Bytes, Refused> {
        match self {
            Self::Binary => Ok(body),
            Self::Text => {
                let text = "the body is not base64";
                plain(&body).ok_or_else(|| refusal_of(Code::InvalidArgument, "NOT_BASE64", text).into())
            }
        }
    }

    /// A part of an answer.
    pub(crate) fn write(self, part: Bytes) -> Bytes {
        match self {
            Self::Binary => part,
            Self::Text => STANDARD.encode(part).into(),
        }
    }

    /// Its end.
    pub(crate) fn end(self, trailers: &HeaderMap) -> Bytes {
        self.write(framed(trailers))
    }
}

fn framed(trailers: &HeaderMap) -> Bytes {
    let mut frame = BytesMut::with_capacity(64);
    frame.put_u8(TRAILERS);
    frame.put_u32(0);
    for (name, value) in trailers {
        frame.put_slice(name.as_str().as_bytes());
        frame.put_slice(b":");
        frame.put_slice(value.as_bytes());
        frame.put_slice(b"\r\n");
    }
    let length = u32::try_from(frame.len() - HEAD).unwrap_or(u32::MAX);
    frame[1..HEAD].copy_from_slice(&length.to_be_bytes());
    frame.freeze()
}

/// What base64 stands for that may have been padded in the middle, where one part ended.
fn plain(text: &[u8]) -> Option<Bytes> {
    let mut plain = Vec::with_capacity(text.len() / GROUP * 3);
    let mut rest = text.trim_ascii();
    while !rest.is_empty() {
        let padded = rest.iter().position(|byte| *byte == b'=').map(|at| (at / GROUP + 1) * GROUP);
        let (part, after) = rest.split_at_checked(padded.unwrap_or(rest.len()))?;
        STANDARD.decode_vec(part, &mut plain).ok()?;
        rest = after;
    }
    Some(plain.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn text_is_read_in_parts_of_any_length() {
        for parts in [&["abc", "de"][..], &["a", "bc", "def"], &["", "abcdefg", ""], &[]] {
            let text: String = parts.iter().map(|part| STANDARD.encode(part)).collect();
            assert_eq!(plain(text.as_bytes()).unwrap(), parts.concat(), "{parts:?}");
        }
        for odd in ["YQ", "YQ=", "YQ==YQ", "Y?==", "=", "===="] {
            assert_eq!(plain(odd.as_bytes()), None, "{odd}");
        }
    }

    #[test]
    fn trailers_are_a_frame_of_lines() {
        let mut trailers = HeaderMap::new();
        trailers.insert("grpc-status", HeaderValue::from_static("5"));
        trailers.insert("grpc-message", HeaderValue::from_static("none"));
        let frame = Web::Binary.end(&trailers);
        assert_eq!(&frame[..HEAD], [0x80, 0, 0, 0, 34]);
        assert_eq!(&frame[HEAD..], b"grpc-status:5\r\ngrpc-message:none\r\n");
        assert_eq!(Web::Text.end(&trailers), STANDARD.encode(frame));
    }
}
