//! Reads a request's body whole: not more than there may be, not for longer than it may take, and within what all bodies together may
//! hold.

use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use http_body::Body;
use http_body_util::BodyExt;
use tonic::Code;

use crate::crowd::{Asked, Held, Of, Waits, no_room};
use crate::refused::{Refused, refusal_of};

/// The most bytes of a gRPC message.
pub(crate) const LARGEST: usize = 4 << 20;
/// What frames a gRPC message.
pub(crate) const HEAD: usize = 5;
/// How long a body may take to come, and how long nothing of it may.
const WHOLE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_secs(10);
/// The most bytes that come of a body at a time.
const PART: usize = 32 << 10;
/// The most values of one body of JSON. Each of them is much more in memory than it is here, be it but `{}`; of bodies that are made
/// into messages there are as many at a time as there are processors, for nothing waits in between.
const VALUES: usize = 20_000;

/// All of a body of at most `most` bytes.
///
/// # Errors
/// Where it is larger, comes too slowly or not to its end, or there is no room for it.
pub(crate) async fn whole<B>(body: B, most: usize, asked: &Asked) -> Result<(Bytes, Held), Refused>
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut held = Held::none(asked, Of::Requests);
    if body.is_end_stream() {
        return Ok((Bytes::new(), held));
    }
    if body.size_hint().lower() > most as u64 {
        return Err(too_large(most));
    }
    asked.waits(Waits::Said);
    let read = tokio::select! {
        biased;
        // It may have come as quickly as it could.
        () = asked.evicted() => Err(no_room()),
        read = tokio::time::timeout(WHOLE, read(body, most, &mut held)) => read.unwrap_or_else(|_| Err(too_slow())),
    };
    asked.waits(Waits::Here);
    Ok((read?, held))
}

/// Reads nothing that there is no room for.
async fn read<B>(mut body: B, most: usize, held: &mut Held) -> Result<Bytes, Refused>
where
    B: Body<Data = Bytes> + Unpin,
{
    let (mut first, mut all) = (Bytes::new(), Vec::new());
    while !body.is_end_stream() {
        let length = first.len() + all.len();
        let next = usize::try_from(body.size_hint().upper().unwrap_or(u64::MAX)).unwrap_or(usize::MAX).min(PART);
        held.grow(all.capacity().max(length) + next).await?;
        let Some(frame) = tokio::time::timeout(PAUSE, body.frame()).await.map_err(|_| too_slow())? else { break };
        let Ok(data) = frame.map_err(|_| cut_short())?.into_data() else { continue };
        let length = length + data.len();
        if length > most {
            return Err(too_large(most));
        }
        if length == data.len() {
            first = data;
            continue;
        }
        if length > all.capacity() {
            let capacity = length.max(2 * all.capacity()).min(most);
            held.grow(capacity).await?;
            all.reserve_exact(capacity - all.len());
        }
        all.extend_from_slice(&std::mem::take(&mut first));
        all.extend_from_slice(&data);
    }
    held.become_of(all.capacity().max(first.len()));
    Ok(if all.is_empty() { first } else { all.into() })
}

/// Looks at JSON before it is read.
///
/// # Errors
/// Where it holds more values than a message may be made of.
pub(crate) fn json(body: &[u8]) -> Result<(), Refused> {
    if values(body) <= VALUES {
        return Ok(());
    }
    let text = format!("a body of JSON holds at most {VALUES} values");
    let status = refusal_of(Code::ResourceExhausted, "TOO_MANY_VALUES", &text);
    Err(Refused::from(status).with(StatusCode::PAYLOAD_TOO_LARGE))
}

/// At least so many values does JSON hold; whether it is JSON is not looked at.
fn values(body: &[u8]) -> usize {
    // Each takes a byte that parts it from others.
    if body.len() <= VALUES {
        return 0;
    }
    let (mut values, mut is_text, mut is_escaped) = (1_usize, false, false);
    for byte in body {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b',' | b'[' | b'{' if !is_text => values += 1,
            _ => {}
        }
    }
    values
}

fn too_large(most: usize) -> Refused {
    let text = format!("a request has at most {most} bytes");
    let status = refusal_of(Code::ResourceExhausted, "REQUEST_TOO_LARGE", &text);
    Refused::from(status).with(StatusCode::PAYLOAD_TOO_LARGE)
}

fn too_slow() -> Refused {
    let status = refusal_of(Code::DeadlineExceeded, "REQUEST_TOO_SLOW", "the request comes too slowly");
    Refused::from(status).with(StatusCode::REQUEST_TIMEOUT)
}

fn cut_short() -> Refused {
    refusal_of(Code::Cancelled, "REQUEST_CUT_SHORT", "the request ended early").into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_counted_where_they_are_no_text() {
        let text = |unit: &str| format!("[\"{}\"]", unit.repeat(VALUES));
        for short in ["[]".to_owned(), text(","), text("\\\"{,"), " ".repeat(VALUES * 2)] {
            assert!(json(short.as_bytes()).is_ok(), "{}", &short[..short.len().min(20)]);
        }
        for unit in ["{},", "[", "1,", "\"a\":[],"] {
            assert!(json(unit.repeat(VALUES + 1).as_bytes()).is_err(), "{unit}");
        }
    }
}
