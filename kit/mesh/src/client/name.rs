//! Gives a request its `request_id`, where the method takes one and the caller gave none: once for the call, so that all its
//! attempts carry the same, and whoever has answered one of them knows the others.

use bytes::{BufMut, Bytes, BytesMut};
use contracts::tables::{Content, Field, Method};
use contracts::tradewind::options::v1::RetryClass;
use prost::encoding::{WireType, encode_key, encode_varint};
use uuid::Uuid;

use super::call::{Answer, Call, Failure, Payload, Sends};
use crate::form;

/// The flag and the length before a message.
const HEAD: usize = 5;
/// The flag of one that is not packed.
const PLAIN: u8 = 0;
const REQUEST_ID: &str = "request_id";

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
    async fn send(&self, mut call: Call) -> Result<Answer, Failure> {
        if let (Payload::Whole(message), Some(method)) = (&call.payload, call.method)
            && let Some(named) = named(message, method)
        {
            call.payload = Payload::Whole(named);
        }
        self.below.send(call).await
    }
}

/// Whether the request says which one it is.
pub(super) fn is_named(framed: &[u8], method: &Method) -> bool {
    message(framed).is_some_and(|message| form::has_text(method.request, REQUEST_ID, message))
}

/// The request with a name, where it has to have one and has none.
fn named(framed: &[u8], method: &Method) -> Option<Bytes> {
    let field = field(method)?;
    let message = message(framed)?;
    if form::has_text(method.request, REQUEST_ID, message) {
        return None;
    }
    let id = Uuid::now_v7().to_string();
    let mut all = BytesMut::with_capacity(framed.len() + id.len() + 2 * HEAD);
    all.extend_from_slice(framed);
    // The last value of a field counts: what is added replaces an empty one.
    encode_key(field.tag, WireType::LengthDelimited, &mut all);
    encode_varint(id.len() as u64, &mut all);
    all.put_slice(id.as_bytes());
    let length = u32::try_from(all.len() - HEAD).ok()?;
    all[1..HEAD].copy_from_slice(&length.to_be_bytes());
    Some(all.freeze())
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
    let (head, message) = framed.split_first_chunk::<HEAD>()?;
    let [flag, length @ ..] = *head;
    let whole = usize::try_from(u32::from_be_bytes(length)) == Ok(message.len());
    (flag == PLAIN && whole).then_some(message)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use contracts::CONTRACT;
    use contracts::tradewind::ordering::v1::PlaceOrderRequest;
    use prost::Message;

    use super::*;

    fn method(name: &str) -> &'static Method {
        CONTRACT.methods.iter().find(|method| method.path.ends_with(name)).unwrap()
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
        let all = named(&framed(&request), place).unwrap();
        assert!(is_named(&all, place));
        let read = PlaceOrderRequest::decode(message(&all).unwrap()).unwrap();
        assert_eq!((read.customer_id.as_str(), read.request_id.len()), ("c-1", 36));
        assert_eq!(named(&all, place), None, "it has one now");
    }

    #[test]
    fn nothing_else_is_touched() {
        let request = PlaceOrderRequest { request_id: "mine".to_owned(), ..Default::default() };
        assert_eq!(named(&framed(&request), method("/PlaceOrder")), None);
        assert_eq!(named(&framed(&PlaceOrderRequest::default()), method("/GetOrder")), None);
        for odd in [&b""[..], &[0, 0, 0], &[1, 0, 0, 0, 0], &[0, 0, 0, 0, 9, 1]] {
            assert_eq!(named(odd, method("/PlaceOrder")), None, "{odd:?}");
        }
    }
}
