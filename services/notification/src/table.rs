//! What was told to whom: one row a message. Whom, and in which words, lies sealed under the key of whom it is about.

mod migrations;
pub mod notification;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use contracts::tradewind::notification::v1::{Notification, NotificationKind};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{OnConflict, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, DerivePartialModel, EntityTrait, QueryFilter, QueryOrder, QuerySelect,
};
use tradewind_domain::Error;
use tradewind_sql::{chunks, db, from_micros, micros, padded, timestamp};
use tradewind_store::{Last, Store, Tx, Upsert};

pub(crate) use self::migrations::migrations;
use self::notification::{ActiveModel, Address, Column, Entity, Model};
use crate::mail::Written;
use crate::texts::Text;

/// Why a message is given up whose reader is erased.
pub(crate) const ERASED: &str = "ERASED";

/// Messages about accounts: what they said is not kept longer than it is needed, nor to whom they went.
const OF_ACCOUNTS: [NotificationKind; 6] = [
    NotificationKind::Verification,
    NotificationKind::SignUpRepeated,
    NotificationKind::PasswordReset,
    NotificationKind::PasswordChanged,
    NotificationKind::EmailChange,
    NotificationKind::EmailChanged,
];

static INSERT: LazyLock<Upsert<Entity>> = LazyLock::new(|| {
    let mut once = OnConflict::columns([Column::OrderId, Column::Kind]);
    Upsert::new(once.do_nothing().to_owned())
});

/// What a transaction knows of messages, and what became of some.
#[derive(Default)]
struct Messages {
    /// By order: which were written down already.
    written: BTreeMap<String, BTreeSet<i64>>,
    /// By kind: about which orders the mail system has them.
    sent: BTreeMap<i64, Vec<String>>,
}

/// Names a message.
#[derive(DerivePartialModel)]
#[sea_orm(entity = "Entity")]
struct Key {
    order_id: String,
    kind: i64,
}

/// Finds out in one statement which messages about these orders were written down already.
///
/// # Errors
/// When the database fails.
pub(crate) async fn look<'a>(tx: &mut Tx, orders: impl IntoIterator<Item = &'a str>) -> Result<(), Error> {
    let known = &tx.kept::<Messages>().written;
    let unknown: BTreeSet<_> = orders.into_iter().filter(|order_id| !known.contains_key(*order_id)).collect();
    let unknown: Vec<_> = unknown.into_iter().collect();
    for unknown in chunks(&unknown, 1) {
        let named = padded(unknown, unknown.last().copied().unwrap_or_default());
        let keys = Entity::find().filter(Column::OrderId.is_in(named)).into_partial_model::<Key>();
        let found = keys.all(&tx.reading()).await.map_err(db)?;
        let written = &mut tx.kept::<Messages>().written;
        written.extend(unknown.iter().map(|order_id| ((*order_id).to_owned(), BTreeSet::new())));
        for Key { order_id, kind } in found {
            written.entry(order_id).or_default().insert(kind);
        }
    }
    Ok(())
}

/// Writes a message down when `tx` is committed, under the key of `whose` it is, and returns how it is sent; none when it was written
/// down before.
///
/// # Errors
/// When the database fails.
pub(crate) async fn write(
    tx: &mut Tx,
    whose: &str,
    order_id: &str,
    kind: NotificationKind,
    recipient: &str,
    text: &Text,
) -> Result<Option<Written>, Error> {
    look(tx, [order_id]).await?;
    let kinds = tx.kept::<Messages>().written.entry(order_id.to_owned()).or_default();
    if !kinds.insert(number(kind)) {
        return Ok(None);
    }
    let (recipient, written) = (recipient.to_owned(), micros(tx.now()));
    let (subject, body) = (text.subject.clone(), text.body.clone());
    let row = Model {
        order_id: order_id.to_owned(),
        kind: number(kind),
        recipient: Address(tx.seal_text(whose, &recipient).await?),
        subject: tx.seal_text(whose, &subject).await?,
        body: tx.seal_text(whose, &body).await?,
        written,
        sent: false,
        sent_time: None,
        failed: false,
        failure: None,
    };
    tx.put(&INSERT, row);
    Ok(Some(Written { recipient, subject, body, written }))
}

/// The message as it was written down; none when there is no such message. Where its reader is erased, it has no recipient.
///
/// # Errors
/// When the database fails.
pub(crate) async fn find(store: &Store, order_id: &str, kind: NotificationKind) -> Result<Option<Written>, Error> {
    let row = Entity::find_by_id((order_id.to_owned(), number(kind))).one(store.reader()).await.map_err(db)?;
    let Some(Model { recipient, subject, body, written, .. }) = row else { return Ok(None) };
    let mut opened = opened(store, vec![recipient.0, subject, body]).await?;
    let mut next = || opened.next().unwrap_or_default();
    Ok(Some(Written { recipient: next(), subject: next(), body: next(), written }))
}

/// Texts as they were written; empty ones where whose they were is erased.
async fn opened(store: &Store, kept: Vec<String>) -> Result<impl Iterator<Item = String>, Error> {
    Ok(store.open_texts(kept).await?.into_iter().map(Option::unwrap_or_default))
}

/// Clears what is written of messages about an order, or of one about an account: also what lies there as it was before there were
/// seals. What is not sent by then is given up.
///
/// # Errors
/// When the database fails.
pub(crate) async fn clear(connection: &impl ConnectionTrait, order_id: &str) -> Result<(), Error> {
    let (recipient, subject, body) = (Set(Address(String::new())), Set(String::new()), Set(String::new()));
    let cleared = ActiveModel { recipient, subject, body, ..ActiveModel::default() };
    let dropped = ActiveModel { failed: Set(true), failure: Set(Some(ERASED.to_owned())), ..ActiveModel::default() };
    let these = |change| Entity::update_many().set(change).filter(Column::OrderId.eq(order_id));
    these(cleared).exec(connection).await.map_err(db)?;
    let waiting = these(dropped).filter(Column::Sent.eq(false)).filter(Column::Failed.eq(false));
    waiting.exec(connection).await.map(drop).map_err(db)
}

/// Records that the mail system has the message, when `tx` is committed.
pub(crate) fn mark_sent(tx: &mut Tx, order_id: &str, kind: NotificationKind) {
    tx.kept::<Messages>().sent.entry(number(kind)).or_default().push(order_id.to_owned());
}

impl Last for Messages {
    async fn close(self, tx: &mut Tx) -> Result<(), Error> {
        for (kind, orders) in &self.sent {
            for orders in chunks(orders, 1) {
                let named = padded(orders, orders.last().cloned().unwrap_or_default());
                let mut sent = Query::update();
                sent.table(Entity).value(Column::Sent, true).value(Column::SentTime, micros(tx.now()));
                if OF_ACCOUNTS.iter().any(|of| number(*of) == *kind) {
                    sent.value(Column::Body, "").value(Column::Recipient, "");
                }
                sent.and_where(Column::Kind.eq(*kind)).and_where(Column::OrderId.is_in(named));
                tx.change(sent);
            }
        }
        Ok(())
    }
}

/// Records that the message is given up, and why.
///
/// # Errors
/// When the database fails.
pub(crate) async fn mark_failed(
    connection: &impl ConnectionTrait,
    order_id: &str,
    kind: NotificationKind,
    reason: &str,
) -> Result<(), Error> {
    let mut failed = ActiveModel { failed: Set(true), failure: Set(Some(reason.to_owned())), ..ActiveModel::default() };
    if OF_ACCOUNTS.contains(&kind) {
        failed.body = Set(String::new());
        failed.recipient = Set(Address(String::new()));
    }
    let this = Entity::update_many().set(failed).filter(Column::OrderId.eq(order_id));
    this.filter(Column::Kind.eq(number(kind))).exec(connection).await.map(drop).map_err(db)
}

/// Drops the addresses of messages about accounts that were given up.
async fn forget_given_up(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    let forgotten = ActiveModel { recipient: Set(Address(String::new())), ..ActiveModel::default() };
    let these = Entity::update_many().set(forgotten).filter(Column::Failed.eq(true));
    these.filter(Column::Kind.is_in(OF_ACCOUNTS.map(number))).exec(connection).await.map(drop)
}

/// Up to `limit` messages about an order that follow the kind `after`, oldest first.
///
/// # Errors
/// When the database fails.
pub(crate) async fn page(
    store: &Store,
    order_id: &str,
    after: NotificationKind,
    limit: usize,
) -> Result<Vec<Notification>, Error> {
    let rows = Entity::find()
        .filter(Column::OrderId.eq(order_id))
        .filter(Column::Kind.gt(number(after)))
        .order_by_asc(Column::Kind)
        .limit(u64::try_from(limit).map_err(Error::internal)?);
    let rows = rows.all(store.reader()).await.map_err(db)?;
    let kept = rows.iter().flat_map(|row| [row.recipient.0.clone(), row.subject.clone()]).collect();
    let mut opened = opened(store, kept).await?;
    let mut next = || opened.next().unwrap_or_default();
    let whole = |row| Model { recipient: Address(next()), subject: next(), ..row };
    Ok(rows.into_iter().map(whole).map(Notification::from).collect())
}

impl From<Model> for Notification {
    fn from(row: Model) -> Self {
        Self {
            order_id: row.order_id,
            kind: i32::try_from(row.kind).unwrap_or_default(),
            recipient: row.recipient.0,
            subject: row.subject,
            sent: row.sent,
            sent_time: row.sent_time.map(|time| timestamp(from_micros(time))),
            failed: row.failed,
            failure_reason: row.failure.unwrap_or_default(),
        }
    }
}

fn number(kind: NotificationKind) -> i64 {
    i32::from(kind).into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tradewind_store::StoreOptions;
    use tradewind_testing::account::options;
    use tradewind_testing::{Database, both_stores};

    use super::*;

    async fn given_up(tx: &mut Tx, message: &str, kind: NotificationKind) {
        let text = Text { subject: "Yours".to_owned(), body: "It is.".to_owned() };
        write(tx, message, message, kind, "ada@example.com", &text).await.unwrap();
    }

    both_stores! {
        async fn what_was_given_up_of_an_account_before_keeps_no_address(database: Database) {
            let options = StoreOptions { migrations: migrations(), ..options(&database, "notification") };
            let store = Store::open(options).await.unwrap();
            let mut tx = store.begin().await.unwrap();
            given_up(&mut tx, "m-1", NotificationKind::PasswordChanged).await;
            given_up(&mut tx, "m-2", NotificationKind::EmailChanged).await;
            given_up(&mut tx, "o-1", NotificationKind::OrderShipped).await;
            tx.commit().await.unwrap();
            let tx = store.begin().await.unwrap();
            // As builds before did it.
            let failed = ActiveModel { failed: Set(true), ..ActiveModel::default() };
            let those = Entity::update_many().set(failed).filter(Column::OrderId.ne("m-2"));
            those.exec(tx.conn()).await.unwrap();
            forget_given_up(tx.conn()).await.unwrap();
            tx.commit().await.unwrap();
            for (message, kind, recipient) in [
                ("m-1", NotificationKind::PasswordChanged, ""),
                ("m-2", NotificationKind::EmailChanged, "ada@example.com"),
                ("o-1", NotificationKind::OrderShipped, "ada@example.com"),
            ] {
                assert_eq!(find(&store, message, kind).await.unwrap().unwrap().recipient, recipient, "{message}");
            }
        }
    }
}
