//! Gives a request its `request_id`, where the method takes one and the caller gave none: once for the call, so that all its
//! attempts carry the same, and whoever has answered one of them knows the others. A request that is packed is unpacked for that,
//! and sent plain.

use std::io::Read;

use bytes::Bytes;
use contracts::tables::{Content, Field, Method};
use contracts::tradewind::options::v1::RetryClass;
use flate2::read::GzDecoder;
use http::{HeaderMap, HeaderName};
use uuid::Uuid;

use super::call::{Answer, Call, Failure, Payload, Sends};
use crate::form;
use crate::named::REQUEST_ID;

/// The flag and the length before a message.
const HEAD: usize = 5;
/// The flag of one that is not packed, and of one that is.
const PLAIN: u8 = 0;
const PACKED: u8 = 1;
const ENCODING: HeaderName = HeaderName::from_static("grpc-encoding");
/// What is larger, unpacked, is sent as it is: no server takes it.
const LARGEST: usize = 4 << 20;

/// The layer.
pub(super) struct Name<S> {
    below: S,
}

impl<S> Name<S> {
    pub(super) const fn over(below: S) -> Self {
        Self { below }
    }
}

impl<S: Sends> Sends for Name<S> {
    async fn send(&self, mut call: Box<Call>) -> Result<Answer, Failure> {
        if let (Payload::Whole(message), Some(method)) = (&mut call.payload, call.method)
            && let Some(field) = field(method)
        {
            // A flag says of each message whether it is packed: the headers stay as they are.
            if let Some(plain) = unpacked(message, &call.head.headers) {
                *message = plain;
            }
            if let Some(named) = named(message, method, field) {
                *message = named;
            }
        }
        self.below.send(call).await
    }
}

/// Whether the request says which one it is.
pub(super) fn is_named(framed: &[u8], method: &Method) -> bool {
    message(framed).is_some_and(|message| form::has_text(method.request, REQUEST_ID, message))
}

/// The request with a name, where it has to have one and has none.
fn named(framed: &[u8], method: &Method, field: &Field) -> Option<Bytes> {
    let message = message(framed)?;
    if form::has_text(method.request, REQUEST_ID, message) {
        return None;
    }
    let id = Uuid::now_v7().to_string();
    form::with_text(framed, field.tag, &id)
}

fn field(method: &Method) -> Option<&'static Field> {
    if method.retry != RetryClass::WithRequestId {
        return None;
    }
    let is_it = |field: &&Field| field.name == REQUEST_ID && matches!(field.content, Content::Text { .. });
    method.request.fields.iter().find(is_it)
}

/// What is behind the head of the one message of a request.
fn message(framed: &[u8]) -> Option<&[u8]> {
    behind(PLAIN, framed)
}

fn behind(flag: u8, framed: &[u8]) -> Option<&[u8]> {
    let (head, message) = framed.split_first_chunk::<HEAD>()?;
    let [found, length @ ..] = *head;
    let whole = usize::try_from(u32::from_be_bytes(length)) == Ok(message.len());
    (found == flag && whole).then_some(message)
}

/// The same message plain, if it is packed in the way that is known here.
fn unpacked(framed: &[u8], headers: &HeaderMap) -> Option<Bytes> {
    let packed = behind(PACKED, framed)?;
    if headers.get(ENCODING)? != "gzip" {
        return None;
    }
    let mut plain = vec![PLAIN; HEAD];
    // One byte more than fits tells what is too large.
    let most = u64::try_from(LARGEST + 1).ok()?;
    let length = GzDecoder::new(packed).take(most).read_to_end(&mut plain).ok().filter(|length| *length <= LARGEST)?;
    plain[1..HEAD].copy_from_slice(&u32::try_from(length).ok()?.to_be_bytes());
    Some(plain.into())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::io::Write;

    use contracts::CONTRACT;
    use contracts::tradewind::ordering::v1::PlaceOrderRequest;
    use prost::Message;

    use super::*;

    fn method(name: &str) -> &'static Method {
        CONTRACT.methods.iter().find(|method| method.path.ends_with(name)).unwrap()
    }

    fn given(framed: &[u8], method: &Method) -> Option<Bytes> {
        named(framed, method, field(method)?)
    }

    fn framed(request: &PlaceOrderRequest) -> Vec<u8> {
        let message = request.encode_to_vec();
        let length = u32::try_from(message.len()).unwrap().to_be_bytes();
        [&[PLAIN][..], &length, &message].concat()
    }

    #[test]
    fn a_request_without_a_name_gets_one_and_stays_what_it_is() {
        let place = method("/PlaceOrder");
        let request = PlaceOrderRequest { customer_id: "c-1".to_owned(), ..Default::default() };
        let all = given(&framed(&request), place).unwrap();
        assert!(is_named(&all, place));
        let read = PlaceOrderRequest::decode(message(&all).unwrap()).unwrap();
        assert_eq!((read.customer_id.as_str(), read.request_id.len()), ("c-1", 36));
        assert_eq!(given(&all, place), None, "it has one now");
    }

    #[test]
    fn nothing_else_is_touched() {
        let request = PlaceOrderRequest { request_id: "mine".to_owned(), ..Default::default() };
        assert_eq!(given(&framed(&request), method("/PlaceOrder")), None);
        assert_eq!(given(&framed(&PlaceOrderRequest::default()), method("/GetOrder")), None);
        for odd in [&b""[..], &[0, 0, 0], &[1, 0, 0, 0, 0], &[0, 0, 0, 0, 9, 1]] {
            assert_eq!(given(odd, method("/PlaceOrder")), None, "{odd:?}");
        }
    }

    #[test]
    fn what_is_not_packed_in_a_known_way_or_is_too_large_is_sent_as_it_is() {
        let gzip = HeaderMap::from_iter([(ENCODING, "gzip".parse().unwrap())]);
        let packed = |message: &[u8]| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            encoder.write_all(message).unwrap();
            let packed = encoder.finish().unwrap();
            [&[PACKED][..], &u32::try_from(packed.len()).unwrap().to_be_bytes(), &packed].concat()
        };
        let whole = packed(b"abc");
        assert_eq!(unpacked(&whole, &gzip).unwrap(), [&[0, 0, 0, 0, 3][..], b"abc"].concat());
        assert_eq!(unpacked(&packed(&vec![0; LARGEST]), &gzip).map(|plain| plain.len()), Some(LARGEST + HEAD));
        assert_eq!(unpacked(&packed(&vec![0; LARGEST + 1]), &gzip), None);
        assert_eq!(unpacked(&whole, &HeaderMap::new()), None);
        assert_eq!(unpacked(&whole, &HeaderMap::from_iter([(ENCODING, "zstd".parse().unwrap())])), None);
        for odd in [&whole[..whole.len() - 1], &[1, 0, 0, 0, 3, 1, 2, 3], &[0, 0, 0, 0, 0], b""] {
            assert_eq!(unpacked(odd, &gzip), None, "{odd:?}");
        }
    }
}
