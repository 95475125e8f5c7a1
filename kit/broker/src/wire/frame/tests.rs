#![allow(clippy::unwrap_used, reason = "a test that cannot go on panics")]
use tradewind_testing::recorded;

use super::*;

const LOG: Uuid = Uuid::from_u128(9);

/// Two events of an order and one whose key and correlation are no stream's id.
fn events() -> Vec<Recorded> {
    let event = |number: u64, stream: &str, name: &str, key: &str, correlation: &str| Recorded {
        id: Uuid::from_u128(number.into()),
        version: number,
        partition: 5,
        position: 1_000 + number,
        type_name: format!("tradewind.ordering.v1.{name}"),
        payload: vec![1, 2, 3],
        time: time::macros::datetime!(2026-11-21 10:00:00.123456 UTC),
        metadata: Metadata {
            correlation: correlation.to_owned(),
            causation: "cause\r\n".to_owned(),
            traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
            partition_key: key.to_owned(),
        },
        ..recorded(stream, number)
    };
    vec![
        event(1, "order-42", "OrderPlaced", "42", "42"),
        event(2, "order-42", "OrderPaid", "42", ""),
        event(3, "note", "OrderPlaced", "7", "a story"),
    ]
}

fn sent(after: Option<Uuid>) -> Envelope {
    encode("ordering", LOG, after, &events())
}

fn read(body: &Bytes) -> Result<Frame, Malformed> {
    decode("ordering", 5, body.clone(), |_| true)
}

/// What is read after the body was changed.
fn changed(change: impl FnOnce(&mut Body)) -> Result<Frame, Malformed> {
    let mut body = Body::decode(sent(None).body).unwrap();
    change(&mut body);
    read(&body.encode_to_vec().into())
}

#[test]
fn events_survive_the_wire() {
    let before = Some(Uuid::from_u128(6));
    let sent = self::sent(before);
    assert_eq!(sent.subject, "tw.ordering.5.frame");
    let frame = read(&sent.body).unwrap();
    assert_eq!((frame.incarnation, frame.first, frame.last(), frame.after), (LOG, 1_001, 1_003, before));
    assert_eq!(frame.last_id(), Some(Uuid::from_u128(3)));
    let received: Vec<_> = frame.entries.into_iter().map(|entry| entry.event.unwrap()).collect();
    assert_eq!(received, events());
    assert_eq!(read(&self::sent(None).body).unwrap().after, None);
}

#[test]
fn what_nobody_wants_is_not_decoded() {
    let mut body = Body::decode(sent(None).body).unwrap();
    // Its id and type are there, and its stream is no text.
    let brief = Brief { id: Uuid::from_u128(2).as_bytes().to_vec(), type_index: 1 };
    body.events[1] = [brief.encode_to_vec().as_slice(), &[0x1a, 1, 0xff]].concat().into();
    let body: Bytes = body.encode_to_vec().into();
    assert!(read(&body).is_err());
    let frame = decode("ordering", 5, body, |name| name.ends_with("OrderPlaced")).unwrap();
    let wanted: Vec<_> = frame.entries.iter().map(|entry| entry.event.is_some()).collect();
    assert_eq!(wanted, [true, false, true]);
}

#[test]
fn what_a_later_build_adds_to_a_frame_or_its_events_is_passed_over() {
    let later = |mut bytes: Vec<u8>| {
        prost::encoding::string::encode(15_000, &"of a later build".to_owned(), &mut bytes);
        Bytes::from(bytes)
    };
    let mut body = Body::decode(sent(None).body).unwrap();
    body.events = body.events.into_iter().map(|event| later(event.to_vec())).collect();
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("tw-later", "1");
    let frame = crate::wire::read("ordering", 5, Some(&headers), &later(body.encode_to_vec()), |_| true).unwrap();
    let received: Vec<_> = frame.entries.into_iter().map(|entry| entry.event.unwrap()).collect();
    assert_eq!(received, events());
}

#[test]
fn one_event_alone_is_a_frame_of_one() {
    let sent = encode("ordering", LOG, None, &events()[..1]);
    assert_eq!(read(&sent.body).unwrap().entries.len(), 1);
}

#[test]
fn a_frame_of_another_partition_or_context_is_malformed() {
    let body = sent(None).body;
    assert!(decode("ordering", 4, body.clone(), |_| true).is_err());
    assert!(decode("payment", 5, body, |_| true).is_err());
}

#[test]
fn whatever_is_cut_off_or_is_no_frame_is_malformed() {
    let whole = sent(None).body;
    for end in 0..whole.len() {
        // Where the cut is between two events, what is left is a shorter run.
        if let Ok(frame) = read(&whole.slice(..end)) {
            assert!(frame.entries.len() < 3 && frame.first == 1_001, "{end}");
        }
    }
    for other in [&b""[..], b"+ACK", b"{\"type\":\"io.nats.jetstream.api.v1.stream_info_response\"}"] {
        assert!(read(&Bytes::from_static(other)).is_err());
    }
    assert!(read(&vec![0; LARGEST_EVENT + 1].into()).is_err());
}

#[test]
fn claims_that_cannot_be_are_malformed() {
    assert!(changed(|_| {}).is_ok());
    assert!(changed(|body| body.first = 0).is_err());
    assert!(changed(|body| body.first = u64::MAX).is_err());
    assert!(changed(|body| body.first = u64::MAX - 3).is_err());
    let last = |last: i64| changed(|body| body.first = last.unsigned_abs() - 2);
    assert!(last(i64::MAX).is_ok_and(|frame| frame.last() == i64::MAX.unsigned_abs()));
    assert!(changed(|body| body.first = i64::MAX.unsigned_abs() - 1).is_err());
    assert!(changed(|body| body.events.clear()).is_err());
    assert!(changed(|body| body.types.truncate(1)).is_err());
    assert!(changed(|body| body.log.truncate(3)).is_err());
    assert!(changed(|body| body.after = vec![1]).is_err());
    let event = |event: Event| changed(|body| body.events = vec![event.encode_to_vec().into()]);
    let id = LOG.as_bytes().to_vec();
    assert!(event(Event { id: id.clone(), ..Event::default() }).is_ok());
    assert!(event(Event::default()).is_err());
    assert!(event(Event { id, time: i64::MAX, ..Event::default() }).is_err());
}

#[test]
fn a_frame_is_bounded_but_takes_one_event_however_large() {
    let large = |bytes| Recorded { payload: vec![0; bytes], ..recorded("order-1", 1) };
    let small: Vec<_> = (0..8).map(|_| large(100_000)).collect();
    assert_eq!(fitting(&small, LARGEST_EVENT), 5);
    assert_eq!(fitting(&small, 500_000), 2);
    assert_eq!(fitting(&[large(LARGEST_EVENT), large(1)], LARGEST_EVENT), 1);
    assert_eq!(fitting(&[], LARGEST_EVENT), 0);
    let sent = encode("ordering", LOG, None, &small[..5]);
    assert!(sent.body.len() < LARGEST_EVENT / 2);
}
