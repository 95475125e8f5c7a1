//! What operators did to readers and to the quarantine: written down in the transaction of the act, and never changed.

use sea_orm::{ConnectionTrait, QueryResult, Value};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{brief, db, from_micros, micros, page_text, signed, statement, unsigned};
use tradewind_store::{Recorded, Store, Tx};
use uuid::Uuid;

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
        Resume = "RESUME"
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
    let insert = "INSERT INTO act (time, principal, kind, consumer, source, stream, position, event_id, outcome, detail) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let values: [Value; 10] = [
        micros(tx.now()).into(),
        act.principal.as_str().into(),
        act.kind.word().into(),
        act.consumer.as_str().into(),
        act.source.as_str().into(),
        act.stream.as_str().into(),
        signed(act.position).into(),
        act.event_id.into(),
        act.outcome.word().into(),
        act.detail.as_str().into(),
    ];
    tx.conn().execute_raw(statement(tx.backend(), insert, values)).await.map_err(db)?;
    Ok(())
}

/// Up to `limit` acts of operators before the one with the number `before`, or before any that is still to come; the
/// latest first.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn acts(store: &Store, before: Option<u64>, limit: usize) -> Result<Vec<Act>, Error> {
    let columns = "number, time, principal, kind, consumer, source, stream, position, event_id, outcome, detail";
    let query = page_text(columns, "LENGTH(detail)", "act WHERE number < $1 ORDER BY number DESC", "$2");
    let values: [Value; 2] = [before.map_or(i64::MAX, signed).into(), i64::try_from(limit).unwrap_or(i64::MAX).into()];
    let rows = store.reader().query_all_raw(statement(store.backend(), query, values)).await.map_err(db)?;
    rows.iter().map(act).collect()
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

fn act(row: &QueryResult) -> Result<Act, Error> {
    let number = |column: &str| row.try_get::<i64>("", column).map_err(db);
    let text = |column: &str| row.try_get::<String>("", column).map_err(db);
    Ok(Act {
        number: unsigned(number("number")?),
        time: from_micros(number("time")?),
        principal: text("principal")?,
        kind: ActKind::parse(&text("kind")?)?,
        consumer: text("consumer")?,
        source: text("source")?,
        stream: text("stream")?,
        position: unsigned(number("position")?),
        event_id: row.try_get("", "event_id").map_err(db)?,
        outcome: ActOutcome::parse(&text("outcome")?)?,
        detail: text("detail")?,
    })
}
