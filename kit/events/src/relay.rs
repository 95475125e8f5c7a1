//! Publishes the own log to the broker, in log order: what it finds waiting in a partition goes out as one frame.
//!
//! An event alone goes out at once, and while that is on its way, what comes meanwhile makes the next frame. Where that is much, a
//! moment is waited for more. Its cursor follows the broker's contiguous acknowledgements and is saved lazily: publishing an event
//! twice is harmless, and one that cannot be published is a gap that readers fill from this process. The relay never decides what
//! is true.

pub(crate) mod age;
mod gather;
mod in_flight;
mod lanes;

use std::time::Duration;

use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tradewind_broker::{Broker, Link, is_of_the_message, wire};
use tradewind_domain::Error;
use tradewind_fault::{Point, hit};
use tradewind_sql::Backoff;
use tradewind_store::{Recorded, Store, changed};
use uuid::Uuid;

use crate::fault;
use crate::metrics::metrics;
use crate::told;
use in_flight::{Acknowledged, InFlight};
use lanes::Lane;

/// The consumer under which the relay keeps its place in the own log.
pub(crate) const CONSUMER: &str = "relay";

/// Events in a frame.
const FRAME_EVENTS: usize = 256;
const SAVE_AFTER: Duration = Duration::from_millis(500);
const POLL_FIRST: Duration = Duration::from_millis(100);
const POLL_LAST: Duration = Duration::from_secs(1);
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(2));
const LAST_ACKNOWLEDGEMENTS: Duration = Duration::from_secs(2);
/// After so many refusals of one event in a row it is left out.
const REFUSALS: u32 = 5;

/// The publisher of the own log.
pub(crate) struct Relay {
    store: Store,
    broker: Broker,
    link: watch::Receiver<Link>,
    grown: watch::Receiver<u64>,
    /// Changes when what is remembered of the log may no longer be so.
    epoch: watch::Receiver<u64>,
    lanes: Vec<Lane>,
    in_flight: InFlight,
    /// Lane, last position and count of the refusals of one message.
    refused: (usize, u64, u32),
    attempt: u32,
    /// When the oldest acknowledgement came that is not in the saved cursor.
    dirty_since: Option<Instant>,
}

enum Woken {
    Stop,
    Read,
}

impl Relay {
    pub(crate) fn new(store: Store, broker: Broker) -> Self {
        let (link, grown, epoch) = (broker.link(), store.log_grew(), store.epoch());
        Self {
            store,
            broker,
            link,
            grown,
            epoch,
            lanes: Vec::new(),
            in_flight: InFlight::default(),
            refused: (0, 0, 0),
            attempt: 0,
            dirty_since: None,
        }
    }

    /// Publishes until `stop`, then what waits still, and saves its cursor.
    pub(crate) async fn run(mut self, stop: CancellationToken) -> Result<(), Error> {
        while let Err(error) = self.session(&stop).await {
            tracing::warn!(%error, "publishing broke off; it goes back to the last acknowledged event");
            metrics().relay_failures.add(1, &[]);
            self.go_back();
            let wait = tokio::time::sleep(BACKOFF.wait(self.attempt));
            self.attempt = self.attempt.saturating_add(1);
            if stop.run_until_cancelled(wait).await.is_none() {
                break;
            }
        }
        if let Err(error) = self.save().await {
            // Whoever publishes next begins a little further back, which is harmless.
            tracing::warn!(%error, "the last acknowledgements were not saved; what they are for is published again");
        }
        Ok(())
    }

    /// Publishes over one connection; `Ok` means that it was stopped.
    async fn session(&mut self, stop: &CancellationToken) -> Result<(), Error> {
        let connected = self.link.wait_for(|link| link.up);
        match stop.run_until_cancelled(connected).await {
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Ok(()),
        }
        self.link.mark_unchanged();
        self.broker.ready()?;
        stream_is_there(&self.broker, self.store.context()).await?;
        self.store.may_grow().await?;
        if self.epoch.has_changed().is_ok_and(|changed| changed) || self.lanes.is_empty() {
            self.epoch.mark_unchanged();
            self.load().await?;
        }
        let mut poll = POLL_FIRST;
        loop {
            self.grown.mark_unchanged();
            let (published, since) = (self.publish_new().await?, Instant::now());
            poll = if published > 0 { POLL_FIRST } else { (poll * 2).min(POLL_LAST) };
            self.measure();
            if let Woken::Stop = self.rest(stop, poll).await? {
                return self.finish().await;
            }
            if gather::is_worth_it(published, since) {
                gather::wait_for_more(&mut self.grown).await;
            }
        }
    }

    /// Publishes a frame of what waits in each partition that has none on its way; returns how many events there were.
    async fn publish_new(&mut self) -> Result<usize, Error> {
        if self.epoch.has_changed().is_ok_and(|changed| changed) {
            return Err(was_away());
        }
        self.store.intact()?;
        let single = self.lanes.len() == 1;
        if !single {
            for (lane, head) in self.lanes.iter_mut().zip(self.store.follow_heads().await?) {
                lane.head = head;
            }
        }
        let mut published = 0;
        for index in 0..self.lanes.len() {
            let Some(lane) = self.lanes.get_mut(index).filter(|lane| lane.has_room()) else { continue };
            if !single && !lane.waits() {
                continue;
            }
            let most = if lane.published < lane.alone_through { 1 } else { FRAME_EVENTS };
            let page = self.store.follow_log(lane.partition, lane.published, most).await?;
            lane.head = page.head;
            let fitting = wire::fitting(&page.events, self.broker.client().max_payload());
            if let Some(frame) = page.events.get(..fitting).filter(|frame| !frame.is_empty()) {
                self.publish(index, page.after, frame).await?;
                published += frame.len();
            }
        }
        Ok(published)
    }

    /// Publishes a run of events as one message.
    async fn publish(&mut self, lane: usize, after: Option<Uuid>, events: &[Recorded]) -> Result<(), Error> {
        let Some(last) = events.last().map(|last| last.position) else { return Ok(()) };
        let envelope = wire::encode(self.store.context(), self.store.incarnation(), after, events);
        let reached = |point| events.iter().for_each(|event| hit(point, &event.type_name));
        if fault::takes(&self.broker, &envelope) {
            self.in_flight.push_done(lane, last, events.len());
        } else {
            reached(Point::PublishBefore);
            let parts = events.iter().filter_map(|event| told::sending(event, events.len())).collect();
            let message = PublishMessage::build().payload(envelope.body);
            match self.broker.jetstream().send_publish(envelope.subject, message).await {
                Ok(acknowledgement) => {
                    reached(Point::PublishSent);
                    self.in_flight.push(lane, last, events.len(), parts, acknowledgement);
                }
                Err(error) if error.kind() == PublishErrorKind::MaxPayloadExceeded => {
                    events.iter().for_each(|event| left_out(event, &error));
                    self.in_flight.push_done(lane, last, 0);
                }
                Err(error) => return Err(unavailable(&error)),
            }
        }
        if let Some(lane) = self.lanes.get_mut(lane) {
            lane.sent(last);
        }
        Ok(())
    }

    fn acknowledge(
        &mut self,
        Acknowledged { lane: index, position, events, result }: Acknowledged,
    ) -> Result<(), Error> {
        let Some(lane) = self.lanes.get_mut(index) else { return Ok(()) };
        if let Err(error) = result {
            let refused = is_of_the_message(&error);
            if refused && events > 1 {
                lane.alone_through = position;
            }
            let (refused_lane, refused_position, count) = self.refused;
            let count = if (refused_lane, refused_position) == (index, position) { count + 1 } else { 1 };
            self.refused = (index, position, count);
            if !refused || events > 1 || count < REFUSALS {
                return Err(unavailable(&error));
            }
            tracing::error!(position, %error, "an event is refused by the broker again and again; readers fetch it here");
        } else {
            metrics().relay_published.add(u64::try_from(events).unwrap_or_default(), &[]);
            metrics().relay_frames.add(1, &[]);
            (0..events).for_each(|_| hit(Point::PublishAcknowledged, ""));
        }
        lane.arrived(position);
        self.attempt = 0;
        self.dirty_since.get_or_insert_with(Instant::now);
        Ok(())
    }

    /// Collects acknowledgements and saves the cursor until there may be something to publish.
    async fn rest(&mut self, stop: &CancellationToken, poll: Duration) -> Result<Woken, Error> {
        let (read_at, mut epoch) = (Instant::now() + poll, self.epoch.clone());
        loop {
            let save_at = self.dirty_since.map_or(read_at, |since| since + SAVE_AFTER);
            let has_room = self.lanes.iter().any(Lane::has_room);
            tokio::select! {
                biased;
                () = stop.cancelled() => return Ok(Woken::Stop),
                acknowledged = self.in_flight.next() => {
                    self.acknowledge(acknowledged)?;
                    while let Some(acknowledged) = self.in_flight.next_ready() {
                        self.acknowledge(acknowledged)?;
                    }
                    self.save_if_many().await?;
                    if self.lanes.iter().any(|lane| lane.has_room() && lane.waits()) {
                        return Ok(Woken::Read);
                    }
                }
                grown = self.grown.changed(), if has_room => {
                    // The sender lives in the store, which this relay holds.
                    grown.map_err(Error::internal)?;
                    return Ok(Woken::Read);
                }
                error = broken(&mut self.link) => return Err(error),
                () = changed(&mut epoch) => return Err(was_away()),
                () = tokio::time::sleep_until(save_at), if self.dirty_since.is_some() => self.save().await?,
                () = tokio::time::sleep_until(read_at) => return Ok(Woken::Read),
            }
        }
    }

    /// Publishes what waits still, a frame of each partition at most, and waits for the last acknowledgements, but not for long.
    async fn finish(&mut self) -> Result<(), Error> {
        let deadline = Instant::now() + LAST_ACKNOWLEDGEMENTS;
        self.collect(deadline).await?;
        self.publish_new().await?;
        self.collect(deadline).await
    }

    async fn collect(&mut self, deadline: Instant) -> Result<(), Error> {
        while !self.in_flight.is_empty() {
            match tokio::time::timeout_at(deadline, self.in_flight.next()).await {
                Ok(acknowledged) => self.acknowledge(acknowledged)?,
                Err(_) => break,
            }
        }
        Ok(())
    }
}

/// Nothing that is published without one is kept.
async fn stream_is_there(broker: &Broker, context: &str) -> Result<(), Error> {
    let name = wire::stream_name(context);
    broker.jetstream().get_stream(&name).await.map(drop).map_err(|cause| {
        let text = format!("{name}: {cause}; `tradewind broker init` makes streams");
        Error::unavailable("STREAM_MISSING", text)
    })
}

/// Ends when the connection changes: what is in flight then is as good as lost.
async fn broken(link: &mut watch::Receiver<Link>) -> Error {
    // An error means that the broker's client is gone, which is no better.
    let _ = link.changed().await;
    Error::unavailable("BROKER_DISCONNECTED", "the connection to the broker changed")
}

fn was_away() -> Error {
    Error::unavailable("DATABASE_WAS_AWAY", "the database was away; where publishing stands is read again")
}

fn unavailable(error: &async_nats::jetstream::context::PublishError) -> Error {
    Error::unavailable("PUBLISH_FAILED", error.to_string())
}

fn left_out(event: &Recorded, cause: &dyn std::fmt::Display) {
    tracing::error!(
        stream = %event.stream, position = event.position, %cause,
        "an event cannot be published; readers fetch it here"
    );
}
