//! What operators ask, as functions of bytes.

use contracts::tradewind::consumer::v1::{
    DiscardParkedEventRequest, GetParkedStreamRequest, GetProgressRequest, ListActsRequest, ListParkedStreamsRequest,
    ParkedStream, PauseConsumerRequest, RebuildProjectionRequest, ReplayParkedStreamRequest, ResumeConsumerRequest,
};
use prost::Message;
use tradewind_domain::request::{page_size, page_token};

use super::convert;

/// Which request, and its bytes.
pub(crate) fn consumer_requests(bytes: &[u8]) {
    let Some((which, bytes)) = bytes.split_first() else { return };
    match which % 9 {
        0 => _ = ListParkedStreamsRequest::decode(bytes).map(|request| list_parked_streams(&request)),
        1 => _ = GetParkedStreamRequest::decode(bytes).map(get_parked_stream),
        2 => {
            let request = ReplayParkedStreamRequest::decode(bytes);
            let _ = request.map(|request| convert::stream(request.consumer, request.source, request.stream));
        }
        3 => {
            let Ok(request) = DiscardParkedEventRequest::decode(bytes) else { return };
            let _ =
                (convert::stream(request.consumer, request.source, request.stream), convert::reason(request.reason));
        }
        4 => _ = PauseConsumerRequest::decode(bytes).map(|request| convert::reason(request.reason)),
        5 => _ = RebuildProjectionRequest::decode(bytes).map(|request| convert::reason(request.reason)),
        6 => {
            _ = ListActsRequest::decode(bytes)
                .map(|request| (page_size(request.page_size), page_token::<u64>(&request.page_token)))
        }
        7 => _ = ResumeConsumerRequest::decode(bytes),
        _ => _ = GetProgressRequest::decode(bytes),
    }
}

/// A page goes on behind the stream that its token names.
fn list_parked_streams(request: &ListParkedStreamsRequest) {
    let _ = page_size(request.page_size);
    if let Ok(Some(last)) = convert::stream_token(&request.page_token) {
        let (consumer, source, stream) = (last.consumer, last.source, last.stream.to_string());
        let last = ParkedStream { consumer, source, stream, ..ParkedStream::default() };
        assert_eq!(convert::token_of(&last), request.page_token);
    }
}

fn get_parked_stream(request: GetParkedStreamRequest) {
    let _ = (page_size(request.page_size), page_token::<u64>(&request.page_token));
    let _ = convert::stream(request.consumer, request.source, request.stream);
}
