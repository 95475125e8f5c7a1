//! The rows of quarantine, read.

use sea_orm::sea_query::{Condition, Expr, ExprTrait, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, Iterable, JoinType, Order, QueryFilter, QueryOrder,
    QuerySelect, QueryTrait,
};
use tradewind_domain::Error;
use tradewind_events::parked::{self, Column, Entity, Model};
use tradewind_sql::{db, from_micros, page, signed, unsigned};
use tradewind_store::Store;

use super::{ParkedEvent, ParkedStream, ParkedSummary};

/// The columns that name a stream in quarantine.
const STREAM: [Column; 3] = [Column::Consumer, Column::Source, Column::Stream];

/// How much of one source is in quarantine for one consumer.
pub(crate) struct Amount {
    pub(crate) consumer: String,
    pub(crate) source: String,
    pub(crate) streams: u64,
    pub(crate) events: u64,
}

#[derive(FromQueryResult)]
struct Counted {
    consumer: String,
    source: String,
    streams: i64,
    events: i64,
}

/// The first event of a stream, without its payload, and how many there are.
#[derive(FromQueryResult)]
struct First {
    #[sea_orm(nested)]
    first: Model,
    events: i64,
}

/// Everything of a stream.
pub(super) fn of(ParkedStream { consumer, source, stream }: &ParkedStream) -> Expr {
    parked::of(consumer, source).and(Column::Stream.eq(stream.as_str()))
}

/// Up to `limit` streams in quarantine that follow `after`, by consumer, source and name; where a key is given, those about it.
pub(super) async fn summaries(
    store: &Store,
    after: Option<&ParkedStream>,
    key: Option<&str>,
    limit: usize,
) -> Result<Vec<ParkedSummary>, Error> {
    let after = after.map_or(["", "", ""], |after| [&after.consumer, &after.source, after.stream.as_str()]);
    let follows = Expr::tuple(STREAM.map(Expr::col)).gt(Expr::tuple(after.map(Expr::value)));
    let mut streams = Query::select();
    streams.columns(STREAM).from(Entity).and_where(follows).group_by_columns(STREAM);
    streams.and_where_option(key.map(|key| Column::PartitionKey.eq(key)));
    streams.expr_as(Expr::col(Column::Position).min(), Column::Position);
    streams.expr_as(Expr::col(Column::Position).count(), "events");
    streams.order_by_columns(STREAM.map(|column| (column, Order::Asc)));
    streams.limit(u64::try_from(limit).map_err(Error::internal)?);
    let same = |column| Expr::col((Entity, column)).equals(("streams", column));
    let is_first = STREAM.into_iter().chain([Column::Position]).map(same).fold(Condition::all(), Condition::add);
    let mut firsts = Entity::find().select_only();
    firsts = firsts.columns(Column::iter().filter(|column| !matches!(column, Column::Payload)));
    firsts =
        firsts.expr_as(Expr::value(Vec::<u8>::new()), "payload").expr_as(Expr::col(("streams", "events")), "events");
    QueryTrait::query(&mut firsts).join_subquery(JoinType::InnerJoin, streams, "streams", is_first);
    for column in STREAM {
        firsts = firsts.order_by_asc(column);
    }
    let firsts = firsts.into_model::<First>().all(store.reader()).await.map_err(db)?;
    firsts.into_iter().map(summary).collect()
}

/// Up to `limit` events of a stream in quarantine that follow the position `after`, in order, and no more than a page has and
/// one.
pub(super) async fn events(
    store: &Store,
    stream: &ParkedStream,
    after: u64,
    limit: usize,
) -> Result<Vec<ParkedEvent>, Error> {
    let mut found = events_on(store.reader(), stream, after, limit).await?;
    let events = store.open_events(found.iter().map(|parked| parked.event.clone()).collect()).await?;
    found.iter_mut().zip(events).for_each(|(parked, event)| parked.event = event);
    Ok(found)
}

/// The same as `connection` sees them, with payloads as they lie there.
pub(super) async fn events_on<C: ConnectionTrait>(
    connection: &C,
    stream: &ParkedStream,
    after: u64,
    limit: usize,
) -> Result<Vec<ParkedEvent>, Error> {
    let follow = Entity::find().filter(of(stream)).filter(Column::Position.gt(signed(after)));
    let found = page(connection, follow.order_by_asc(Column::Position), [Column::Payload], limit).await?;
    found.into_iter().map(ParkedEvent::try_from).collect()
}

/// How many events of a stream are in quarantine.
pub(super) async fn count(store: &Store, stream: &ParkedStream) -> Result<u64, Error> {
    let parked = Entity::find().select_only().expr(Column::Position.count()).filter(of(stream));
    let count = parked.into_tuple::<i64>().one(store.reader()).await.map_err(db)?;
    Ok(count.map_or(0, unsigned))
}

/// How much is in quarantine, for every consumer and source of which anything is.
pub(crate) async fn amounts_parked(store: &Store) -> Result<Vec<Amount>, Error> {
    let amounts = Entity::find()
        .select_only()
        .columns([Column::Consumer, Column::Source])
        .expr_as(Expr::col(Column::Stream).count_distinct(), "streams")
        .expr_as(Column::Position.count(), "events")
        .group_by(Column::Consumer)
        .group_by(Column::Source);
    let amount = |Counted { consumer, source, streams, events }| Amount {
        consumer,
        source,
        streams: unsigned(streams),
        events: unsigned(events),
    };
    Ok(store.find(amounts).await?.into_iter().map(amount).collect())
}

fn summary(First { first, events }: First) -> Result<ParkedSummary, Error> {
    let (consumer, source) = (first.consumer.clone(), first.source.clone());
    let first = ParkedEvent::try_from(first)?;
    let stream = ParkedStream { consumer, source, stream: first.event.stream.clone() };
    Ok(ParkedSummary { stream, first, queued: unsigned(events - 1) })
}

impl TryFrom<Model> for ParkedEvent {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        let (reason, error) = (row.reason.clone(), row.error.clone());
        let (attempts, since) = (u32::try_from(row.attempts).unwrap_or(u32::MAX), from_micros(row.parked_at));
        Ok(Self { event: row.event()?, reason, error, attempts, since })
    }
}
