//! What operators ask of a service's consumers and of its quarantine, over the wire.

mod convert;
#[cfg(any(test, feature = "fuzzed"))]
pub(crate) mod fuzzed;

use contracts::tradewind::consumer::v1::{
    Act, DiscardParkedEventRequest, DiscardParkedEventResponse, GetParkedStreamRequest, GetParkedStreamResponse,
    GetProgressRequest, GetProgressResponse, ListActsRequest, ListActsResponse, ListConsumersRequest,
    ListConsumersResponse, ListParkedStreamsRequest, ListParkedStreamsResponse, ListProjectionsRequest,
    ListProjectionsResponse, PauseConsumerRequest, PauseConsumerResponse, RebuildProjectionRequest,
    RebuildProjectionResponse, ReplayParkedStreamRequest, ReplayParkedStreamResponse, ResumeConsumerRequest,
    ResumeConsumerResponse,
    consumer_service_server::{ConsumerService, ConsumerServiceServer},
};
use tonic::{Request, Response, Status};
use tradewind_domain::Error;
use tradewind_domain::request::{page, page_size, page_token};
use tradewind_mesh::{principal, status};
use tradewind_operate::{Consumers, Projections, Quarantine, acts};
use tradewind_store::Store;
use tradewind_work::open;

use crate::Engine;

/// The most streams in quarantine that are told of where it is asked about one key.
const MOST_PARKED: usize = 100;

/// Serves what operators ask of a service's consumers; the runtime does so for every service.
pub(crate) fn consumers(store: Store, engine: &Engine) -> ConsumerServiceServer<impl ConsumerService> {
    let (consumers, quarantine, projections) = (engine.consumers(), engine.quarantine(), engine.projections());
    ConsumerServiceServer::new(OwnConsumers { store, consumers, quarantine, projections })
}

struct OwnConsumers {
    store: Store,
    consumers: Consumers,
    quarantine: Quarantine,
    projections: Projections,
}

#[tonic::async_trait]
impl ConsumerService for OwnConsumers {
    async fn list_consumers(
        &self,
        _: Request<ListConsumersRequest>,
    ) -> Result<Response<ListConsumersResponse>, Status> {
        let consumers = self.consumers.list().await.map_err(status)?;
        let consumers = self.projections.at_work(consumers).await.map_err(status)?;
        Ok(Response::new(ListConsumersResponse { consumers: consumers.into_iter().map(convert::consumer).collect() }))
    }

    async fn get_progress(
        &self,
        request: Request<GetProgressRequest>,
    ) -> Result<Response<GetProgressResponse>, Status> {
        let key = request.into_inner().key;
        if key.is_empty() {
            return Err(status(Error::invalid("key", "KEY_MISSING", "must name what is asked about")));
        }
        let asked = tokio::try_join!(
            self.consumers.list_without_heads(),
            self.quarantine.streams_about(&key, MOST_PARKED),
            open(&self.store, &key)
        );
        let (consumers, parked, open) = asked.map_err(status)?;
        let consumers = self.projections.at_work(consumers).await.map_err(status)?;
        Ok(Response::new(convert::progress(consumers, parked, open)))
    }

    async fn pause_consumer(
        &self,
        request: Request<PauseConsumerRequest>,
    ) -> Result<Response<PauseConsumerResponse>, Status> {
        let principal = principal(&request)?;
        let PauseConsumerRequest { consumer, reason } = request.into_inner();
        let reason = convert::reason(reason).map_err(status)?;
        let pause = self.consumers.pause(&consumer, &principal, &reason).await.map_err(convert::refused(&consumer))?;
        Ok(Response::new(PauseConsumerResponse { pause: Some(convert::pause(pause)) }))
    }

    async fn resume_consumer(
        &self,
        request: Request<ResumeConsumerRequest>,
    ) -> Result<Response<ResumeConsumerResponse>, Status> {
        let principal = principal(&request)?;
        let consumer = request.into_inner().consumer;
        self.consumers.resume(&consumer, &principal).await.map_err(convert::refused(&consumer))?;
        Ok(Response::new(ResumeConsumerResponse {}))
    }

    async fn list_parked_streams(
        &self,
        request: Request<ListParkedStreamsRequest>,
    ) -> Result<Response<ListParkedStreamsResponse>, Status> {
        let ListParkedStreamsRequest { page_size: size, page_token: token } = request.into_inner();
        let size = page_size(size).map_err(status)?;
        let after = convert::stream_token(&token).map_err(status)?;
        let found = self.quarantine.streams(after.as_ref(), size + 1).await.map_err(status)?;
        let found = found.into_iter().map(convert::summary).collect();
        let (streams, next_page_token) = page(found, size, convert::token_of);
        Ok(Response::new(ListParkedStreamsResponse { streams, next_page_token }))
    }

    async fn get_parked_stream(
        &self,
        request: Request<GetParkedStreamRequest>,
    ) -> Result<Response<GetParkedStreamResponse>, Status> {
        let GetParkedStreamRequest { consumer, source, stream, page_size: size, page_token: token } =
            request.into_inner();
        let stream = convert::stream(consumer, source, stream).map_err(status)?;
        let size = page_size(size).map_err(status)?;
        let after: u64 = page_token(&token).map_err(status)?.unwrap_or_default();
        let found = self.quarantine.events(&stream, after, size + 1).await.map_err(status)?;
        let found = found.into_iter().map(convert::parked).collect();
        let (events, next_page_token) = page(found, size, convert::position_of);
        let total_size = self.quarantine.count(&stream).await.map_err(status)?;
        Ok(Response::new(GetParkedStreamResponse { events, next_page_token, total_size }))
    }

    async fn replay_parked_stream(
        &self,
        request: Request<ReplayParkedStreamRequest>,
    ) -> Result<Response<ReplayParkedStreamResponse>, Status> {
        let principal = principal(&request)?;
        let ReplayParkedStreamRequest { consumer, source, stream, dry_run } = request.into_inner();
        let stream = convert::stream(consumer, source, stream).map_err(status)?;
        let drained = if dry_run {
            self.quarantine.rehearse(&stream, None).await
        } else {
            self.quarantine.replay(&stream, &principal).await
        };
        let (events, remaining) = convert::drained(drained.map_err(convert::refused_of(&stream))?);
        Ok(Response::new(ReplayParkedStreamResponse { events, remaining }))
    }

    async fn discard_parked_event(
        &self,
        request: Request<DiscardParkedEventRequest>,
    ) -> Result<Response<DiscardParkedEventResponse>, Status> {
        let principal = principal(&request)?;
        let DiscardParkedEventRequest { consumer, source, stream, position, reason, dry_run } = request.into_inner();
        let stream = convert::stream(consumer, source, stream).map_err(status)?;
        let reason = convert::reason(reason).map_err(status)?;
        let drained = if dry_run {
            self.quarantine.rehearse(&stream, Some(position)).await
        } else {
            self.quarantine.discard(&stream, position, &principal, &reason).await
        };
        let (events, remaining) = convert::drained(drained.map_err(convert::refused_of(&stream))?);
        Ok(Response::new(DiscardParkedEventResponse { events, remaining }))
    }

    async fn list_projections(
        &self,
        _: Request<ListProjectionsRequest>,
    ) -> Result<Response<ListProjectionsResponse>, Status> {
        let projections = self.projections.list().await.map_err(status)?;
        let projections = projections.into_iter().map(convert::projection).collect();
        Ok(Response::new(ListProjectionsResponse { projections }))
    }

    async fn rebuild_projection(
        &self,
        request: Request<RebuildProjectionRequest>,
    ) -> Result<Response<RebuildProjectionResponse>, Status> {
        let principal = principal(&request)?;
        let RebuildProjectionRequest { projection, reason } = request.into_inner();
        let reason = convert::reason(reason).map_err(status)?;
        let asked = self.projections.rebuild(&projection, &principal, &reason).await;
        asked.map_err(convert::refused_projection(&projection))?;
        Ok(Response::new(RebuildProjectionResponse {}))
    }

    async fn list_acts(&self, request: Request<ListActsRequest>) -> Result<Response<ListActsResponse>, Status> {
        let ListActsRequest { page_size: size, page_token: token } = request.into_inner();
        let size = page_size(size).map_err(status)?;
        let before = page_token(&token).map_err(status)?;
        let found = acts(&self.store, before, size + 1).await.map_err(status)?;
        let found = found.into_iter().map(convert::act).collect();
        let (acts, next_page_token) = page(found, size, |last: &Act| last.number.to_string());
        Ok(Response::new(ListActsResponse { acts, next_page_token }))
    }
}
