//! The log of a context over the wire: serves the own one, reads the others'.

#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;

use std::sync::Arc;

use contracts::tradewind::eventlog::v1::{
    EventRecord, ReadKeyRequest, ReadKeyResponse, ReadLogRequest, ReadLogResponse,
    event_log_service_client::EventLogServiceClient,
    event_log_service_server::{EventLogService, EventLogServiceServer},
};
use futures::{FutureExt, future::BoxFuture};
use prost_types::Timestamp;
use time::OffsetDateTime;
use tonic::{Code, Request, Response, Status};
use tradewind_domain::request::{fit, invalid_page_token, page};
use tradewind_domain::{Error, ErrorKind};
use tradewind_events::LogSource;
use tradewind_mesh::{Channels, Reader, peer, status};
use tradewind_sql::{from_micros, timestamp};
use tradewind_store::{LogPage, Metadata, Recorded, Store, StreamName};
use uuid::Uuid;

/// The most events of one answer, also when the caller leaves it to the server.
const MOST: u32 = 1_000;
/// The most bytes of another context's answer: an event that was recorded before there was a limit comes whole, as a page of its
/// own, lest nobody gets past it.
const LARGEST_ANSWER: usize = 64 * 1024 * 1024;

/// Serves the log of a context from its own store; the runtime does so for every service.
#[must_use]
pub fn event_log(store: Store) -> EventLogServiceServer<impl EventLogService> {
    EventLogServiceServer::new(OwnLog { store })
}

struct OwnLog {
    store: Store,
}

#[tonic::async_trait]
impl EventLogService for OwnLog {
    async fn read_log(&self, request: Request<ReadLogRequest>) -> Result<Response<ReadLogResponse>, Status> {
        let reader = peer(&request)?.id.name().to_owned();
        let is_outside = Reader::of(&reader).is_some();
        let request = request.into_inner();
        let (partition, after, limit) = run(&request).map_err(status)?;
        // Whoever is outside has no say in whether a log is whole.
        if let Some((incarnation, id)) = (!is_outside).then(|| seen(&request)).transpose().map_err(status)?.flatten() {
            self.store.hear(incarnation, partition, (after, id), &reader).await.map_err(status)?;
        }
        let log = self.store.read_log(partition, after, limit).await.map_err(status)?;
        if partition >= log.partitions {
            return Err(status(no_such_partition()));
        }
        let told: fn(Recorded) -> EventRecord = if is_outside { shown } else { record };
        let mut events: Vec<_> = log.events.into_iter().map(told).collect();
        events.truncate(fit(&events));
        Ok(Response::new(ReadLogResponse {
            incarnation: log.incarnation.to_string(),
            head: log.head,
            partitions: log.partitions.into(),
            after_id: log.after.map(|id| id.to_string()).unwrap_or_default(),
            events,
        }))
    }

    async fn read_key(&self, request: Request<ReadKeyRequest>) -> Result<Response<ReadKeyResponse>, Status> {
        let ReadKeyRequest { key, page_token } = request.into_inner();
        if key.is_empty() {
            return Err(status(Error::invalid("key", "KEY_MISSING", "must name what the events are about")));
        }
        let after = recorded_at(&page_token).map_err(status)?;
        let limit = usize::try_from(MOST).map_err(|error| status(Error::internal(error)))?;
        let found = self.store.read_key(&key, after, limit + 1).await.map_err(status)?;
        let found = found.into_iter().map(record).collect();
        let (events, next_page_token) = page(found, limit, token_of);
        Ok(Response::new(ReadKeyResponse { events, next_page_token }))
    }
}

/// The run that is asked for: its partition, the position that it follows, and how many events.
fn run(request: &ReadLogRequest) -> Result<(u16, u64, usize), Error> {
    let limit = match request.limit {
        0 => MOST,
        limit @ 1..=MOST => limit,
        _ => {
            let refused = Error::invalid("limit", "LIMIT_TOO_LARGE", format!("must be at most {MOST}"));
            return Err(refused.with("limit", MOST.to_string()));
        }
    };
    let limit = usize::try_from(limit).map_err(Error::internal)?;
    let partition = u16::try_from(request.partition).map_err(|_| no_such_partition())?;
    Ok((partition, request.after, limit))
}

/// The log, and the event before the run, that whoever asks has seen; none where it has seen none.
fn seen(request: &ReadLogRequest) -> Result<Option<(Uuid, Uuid)>, Error> {
    if request.after_id.is_empty() {
        return Ok(None);
    }
    Ok(Some((uuid("incarnation", &request.incarnation)?, uuid("after_id", &request.after_id)?)))
}

/// Time and id of the last event of the page before.
pub(crate) fn recorded_at(token: &str) -> Result<Option<(OffsetDateTime, Uuid)>, Error> {
    if token.is_empty() {
        return Ok(None);
    }
    let parts = token.split_once('/').and_then(|(time, id)| Some((time.parse().ok()?, Uuid::try_parse(id).ok()?)));
    parts.map(|(time, id)| Some((from_micros(time), id))).ok_or_else(invalid_page_token)
}

fn token_of(event: &EventRecord) -> String {
    let time = event.time.unwrap_or_default();
    format!("{}/{}", time.seconds * 1_000_000 + i64::from(time.nanos / 1_000), event.id)
}

/// Reads the logs of other contexts through their owners.
pub(crate) struct OwnersLogs {
    channels: Channels,
}

impl OwnersLogs {
    pub(crate) fn new(channels: Channels) -> Arc<Self> {
        Arc::new(Self { channels })
    }
}

impl LogSource for OwnersLogs {
    fn read_log(&self, context: &str, partition: u16, after: u64, limit: u32) -> BoxFuture<'_, Result<LogPage, Error>> {
        let context = context.to_owned();
        async move {
            let channel = self.channels.to(&context).map_err(|error| away(&context, &error))?;
            let limit = limit.clamp(1, MOST);
            let request = ReadLogRequest { partition: partition.into(), after, limit, ..ReadLogRequest::default() };
            let mut owner = EventLogServiceClient::new(channel).max_decoding_message_size(LARGEST_ANSWER);
            let answer = owner.read_log(request).await;
            log_page(answer.map_err(|refusal| refused(&context, &refusal))?.into_inner())
        }
        .boxed()
    }

    fn report(
        &self,
        context: &str,
        incarnation: Uuid,
        partition: u16,
        (after, id): (u64, Uuid),
    ) -> BoxFuture<'_, Result<(), Error>> {
        let context = context.to_owned();
        async move {
            let channel = self.channels.to(&context).map_err(|error| away(&context, &error))?;
            let (after_id, incarnation) = (id.to_string(), incarnation.to_string());
            let request = ReadLogRequest { partition: partition.into(), after, limit: 1, after_id, incarnation };
            let answer = EventLogServiceClient::new(channel).read_log(request).await;
            answer.map(drop).map_err(|refusal| refused(&context, &refusal))
        }
        .boxed()
    }
}

fn no_such_partition() -> Error {
    Error::invalid("partition", "NO_SUCH_PARTITION", "the log has fewer partitions")
}

fn away(context: &str, cause: &dyn std::fmt::Display) -> Error {
    Error::unavailable("LOG_UNAVAILABLE", format!("the log of {context} cannot be read: {cause}"))
}

fn refused(context: &str, refusal: &Status) -> Error {
    match refusal.code() {
        // The owner has fewer partitions than it had: an answer about the log, not an outage.
        Code::InvalidArgument => no_such_partition(),
        Code::Unavailable | Code::DeadlineExceeded | Code::Cancelled | Code::ResourceExhausted | Code::Aborted => {
            away(context, &format_args!("{:?}: {}", refusal.code(), refusal.message()))
        }
        // Whoever waits for that may wait for ever.
        _ => {
            let text = format!("the log of {context} cannot be read: {:?}: {}", refusal.code(), refusal.message());
            Error::new(ErrorKind::Internal, "LOG_UNREADABLE", text)
        }
    }
}

/// An event as contracts write it.
pub(crate) fn record(event: Recorded) -> EventRecord {
    EventRecord {
        id: event.id.to_string(),
        stream: event.stream.to_string(),
        version: event.version,
        partition: event.partition.into(),
        position: event.position,
        r#type: event.type_name,
        payload: event.payload,
        time: Some(timestamp(event.time)),
        key: event.metadata.partition_key,
        correlation: event.metadata.correlation,
        causation: event.metadata.causation,
        traceparent: event.metadata.traceparent,
    }
}

/// What is shown of an event to whoever is outside. Callers choose correlation and causation.
fn shown(event: Recorded) -> EventRecord {
    let payload = contracts::shown(&event.type_name, &event.payload);
    EventRecord { payload, correlation: String::new(), causation: String::new(), ..record(event) }
}

/// What an owner answers.
fn log_page(answer: ReadLogResponse) -> Result<LogPage, Error> {
    let events = answer.events.into_iter().map(recorded).collect::<Result<_, _>>()?;
    let incarnation = parse("incarnation", &answer.incarnation)?;
    let partitions = u16::try_from(answer.partitions).map_err(|error| malformed("partitions", &error))?;
    // An owner of a release before does not tell.
    let after = Some(answer.after_id).filter(|id| !id.is_empty());
    let after = after.map(|id| parse("after_id", &id)).transpose()?;
    Ok(LogPage { incarnation, head: answer.head, partitions, after, events })
}

fn recorded(event: EventRecord) -> Result<Recorded, Error> {
    Ok(Recorded {
        id: parse("id", &event.id)?,
        stream: StreamName::from(event.stream),
        version: event.version,
        partition: u16::try_from(event.partition).map_err(|error| malformed("partition", &error))?,
        position: event.position,
        type_name: event.r#type,
        payload: event.payload,
        time: moment(event.time.unwrap_or_default())?,
        metadata: Metadata {
            correlation: event.correlation,
            causation: event.causation,
            traceparent: event.traceparent,
            partition_key: event.key,
        },
    })
}

/// Reads an id that a caller gives.
fn uuid(field: &'static str, text: &str) -> Result<Uuid, Error> {
    Uuid::parse_str(text).map_err(|_| Error::invalid(field, "NOT_A_UUID", "must be a UUID"))
}

fn moment(time: Timestamp) -> Result<OffsetDateTime, Error> {
    let nanos = u32::try_from(time.nanos).map_err(|error| malformed("time", &error))?;
    let second = OffsetDateTime::from_unix_timestamp(time.seconds).map_err(|error| malformed("time", &error))?;
    second.replace_nanosecond(nanos).map_err(|error| malformed("time", &error))
}

fn parse(field: &str, text: &str) -> Result<Uuid, Error> {
    Uuid::parse_str(text).map_err(|error| malformed(field, &error))
}

fn malformed(field: &str, cause: &dyn std::fmt::Display) -> Error {
    Error::internal(format_args!("an owner's log answered with a malformed {field}: {cause}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_event_survives_the_wire() {
        let sent = EventRecord {
            id: "0190163d-8694-739b-aea5-966c26f8ad91".into(),
            stream: "order-0190163d-8694-739b-aea5-966c26f8ad92".into(),
            version: 3,
            partition: 7,
            position: 41,
            r#type: "tradewind.ordering.v1.OrderPlaced".into(),
            payload: vec![1, 2, 3],
            time: Some(Timestamp { seconds: 1_700_000_000, nanos: 123_456_000 }),
            key: "k".into(),
            correlation: "c".into(),
            causation: "d".into(),
            traceparent: "t".into(),
        };
        assert_eq!(record(recorded(sent.clone()).unwrap()), sent);
        assert!(recorded(EventRecord { partition: 70_000, ..sent }).is_err());
    }
}
