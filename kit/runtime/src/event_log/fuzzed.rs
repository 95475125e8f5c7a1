//! Requests for a log, and what is read of others', as functions of bytes.

use contracts::tradewind::eventlog::v1::{ReadKeyRequest, ReadLogRequest, ReadLogResponse};
use prost::Message;

use super::{MOST, log_page, record, recorded, recorded_at, run, seen};

/// Which request, and its bytes.
pub(crate) fn log_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    if which % 2 == 1 {
        let _ = ReadKeyRequest::decode(bytes).map(|request| recorded_at(&request.page_token));
        return;
    }
    let Ok(request) = ReadLogRequest::decode(bytes) else { return };
    let _ = seen(&request);
    assert!(run(&request).is_ok_and(|(.., limit)| limit > 0) || request.limit > MOST || request.partition > 65_535);
}

/// What an owner answers. An event of it is told as it was read.
pub(crate) fn logs_of_others(bytes: &[u8]) {
    let Ok(Ok(page)) = ReadLogResponse::decode(bytes).map(log_page) else { return };
    for event in page.events {
        let again = recorded(record(event.clone()));
        assert!(again.is_ok_and(|again| again == event), "it is another event: {event:?}");
    }
}
