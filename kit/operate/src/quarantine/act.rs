//! What operators did to readers and to the quarantine: written down in the transaction of the act, and never changed.

mod row;

use sea_orm::ActiveValue::{NotSet, Set};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{Id, brief, db, from_micros, micros, page, signed, unsigned};
use tradewind_store::{Recorded, Store, Tx};
use uuid::Uuid;

use self::row::{ActiveModel, Column, Entity, Model};
use super::ParkedStream;

/// One act of an operator, whatever came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Act {
    /// Its number: later acts have higher ones.
    pub number: u64,
    /// When.
    pub time: OffsetDateTime,
    /// The workload that asked for it.
    pub principal: String,
    /// What was asked for.
    pub kind: ActKind,
    /// The consumer it was about.
    pub consumer: String,
    /// The stream it was about and its source; empty for acts on a whole consumer.
    pub source: String,
    /// See `source`.
    pub stream: String,
    /// The event's position in its source's log; 0 where the act was not about an event.
    pub position: u64,
    /// The event's id.
    pub event_id: Option<Uuid>,
    /// What came of it.
    pub outcome: ActOutcome,
    /// The operator's reason, or the error.
    pub detail: String,
}

macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$meaning:meta])* $variant:ident = $word:literal),+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$meaning])* $variant,)+
        }

        impl $name {
            /// The word that stands for it in tables and logs.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            fn parse(word: &str) -> Result<Self, Error> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(Error::internal(format!("unknown word {word:?} in the table of acts"))),
                }
            }
        }
    };
}

words! {
    /// What an operator asked for.
    ActKind {
        /// An event in quarantine to be handled.
        Replay = "REPLAY",
        /// An event in quarantine to be given up.
        Discard = "DISCARD",
        /// A consumer to stop reading.
        Pause = "PAUSE",
        /// A consumer to read on.
        Resume = "RESUME",
        /// A projection to be built anew; its name stands in the place of a consumer's.
        Rebuild = "REBUILD"
    }
}

words! {
    /// What came of an act.
    ActOutcome {
        /// It was done.
        Done = "DONE",
        /// It was tried, and the event failed once more.
        Failed = "FAILED",
        /// It was not possible, and nothing changed.
        Refused = "REFUSED"
    }
}

impl Act {
    /// An act that was done, on a whole consumer.
    pub(crate) fn on(consumer: &str, kind: ActKind, principal: &str) -> Self {
        Self {
            number: 0,
            time: OffsetDateTime::UNIX_EPOCH,
            principal: principal.to_owned(),
            kind,
            consumer: consumer.to_owned(),
            source: String::new(),
            stream: String::new(),
            position: 0,
            event_id: None,
            outcome: ActOutcome::Done,
            detail: String::new(),
        }
    }

    /// An act that was done, on a stream in quarantine.
    pub(super) fn on_stream(stream: &ParkedStream, kind: ActKind, principal: &str) -> Self {
        let (source, name) = (stream.source.clone(), stream.stream.to_string());
        Self { source, stream: name, ..Self::on(&stream.consumer, kind, principal) }
    }

    pub(super) fn about(self, event: &Recorded) -> Self {
        Self { position: event.position, event_id: Some(event.id), ..self }
    }

    pub(crate) fn because(self, detail: &str) -> Self {
        Self { detail: detail.to_owned(), ..self }
    }

    pub(crate) fn ended(self, outcome: ActOutcome, error: &Error) -> Self {
        Self { outcome, detail: format!("{}: {}", error.reason, brief(&error.message)), ..self }
    }

    /// Tells the log of an act that is written down.
    pub(crate) fn log(&self) {
        let Self { principal, kind, consumer, source, stream, position, outcome, detail, .. } = self;
        let (act, outcome) = (kind.word(), outcome.word());
        tracing::info!(principal, act, consumer, source, stream, position, outcome, detail, "an operator acted");
    }
}

/// Writes an act down with the rest of the transaction.
pub(crate) async fn record(tx: &mut Tx, act: &Act) -> Result<(), Error> {
    let Act { principal, kind, consumer, source, stream, position, event_id, outcome, detail, .. } = act.clone();
    let row = ActiveModel {
        number: NotSet,
        time: Set(micros(tx.now())),
        principal: Set(principal),
        kind: Set(kind.word().to_owned()),
        consumer: Set(consumer),
        source: Set(source),
        stream: Set(stream),
        position: Set(signed(position)),
        event_id: Set(event_id.map(Id)),
        outcome: Set(outcome.word().to_owned()),
        detail: Set(detail),
    };
    Entity::insert(row).exec_without_returning(tx.conn()).await.map(drop).map_err(db)
}

/// Up to `limit` acts of operators before the one with the number `before`, or before any that is still to come; the
/// latest first.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn acts(store: &Store, before: Option<u64>, limit: usize) -> Result<Vec<Act>, Error> {
    let earlier = Entity::find().filter(Column::Number.lt(before.map_or(i64::MAX, signed)));
    let rows = page(store.reader(), earlier.order_by_desc(Column::Number), [Column::Detail], limit).await?;
    rows.into_iter().map(Act::try_from).collect()
}

/// Returns what became of an act, and writes it down where it was refused, which changed nothing else.
pub(crate) async fn audit<T>(store: &Store, act: &Act, outcome: Result<T, Error>) -> Result<T, Error> {
    let Err(error) = &outcome else { return outcome };
    let act = act.clone().ended(ActOutcome::Refused, error);
    let recorded = async {
        let mut tx = store.begin().await?;
        record(&mut tx, &act).await?;
        tx.commit().await
    };
    if let Err(error) = recorded.await {
        tracing::warn!(%error, "a refused act is not in the table of acts");
    }
    act.log();
    outcome
}

impl TryFrom<Model> for Act {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        let Model { number, time, principal, kind, consumer, source, stream, position, event_id, outcome, detail } =
            row;
        Ok(Self {
            number: unsigned(number),
            time: from_micros(time),
            principal,
            kind: ActKind::parse(&kind)?,
            consumer,
            source,
            stream,
            position: unsigned(position),
            event_id: event_id.map(|Id(id)| id),
            outcome: ActOutcome::parse(&outcome)?,
            detail,
        })
    }
}
