//! What was told to whom: one row a message.

mod migrations;
pub mod notification;

use contracts::tradewind::notification::v1::{Notification, NotificationKind};
use sea_orm::ActiveValue::Set;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QuerySelect, TryInsertResult,
};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{db, from_micros, micros, timestamp};

pub(crate) use self::migrations::migrations;
use self::notification::{ActiveModel, Address, Column, Entity, Model};
use crate::mail::Letter;
use crate::texts::Text;

/// Writes a message down; `false`, and nothing changes, when it was before.
///
/// # Errors
/// When the database fails.
pub(crate) async fn insert(
    connection: &impl ConnectionTrait,
    order_id: &str,
    kind: NotificationKind,
    recipient: &str,
    text: &Text,
    now: OffsetDateTime,
) -> Result<bool, Error> {
    let row = Model {
        order_id: order_id.to_owned(),
        kind: number(kind),
        recipient: Address(recipient.to_owned()),
        subject: text.subject.clone(),
        body: text.body.clone(),
        written: micros(now),
        sent: false,
        sent_time: None,
        failed: false,
        failure: None,
    };
    let insert = Entity::insert(row.into_active_model()).on_conflict_do_nothing();
    let done = insert.exec_without_returning(connection).await.map_err(db)?;
    Ok(matches!(done, TryInsertResult::Inserted(1)))
}

/// The message as it is sent under this `key`; none when there is no such message.
///
/// # Errors
/// When the database fails.
pub(crate) async fn letter(
    connection: &impl ConnectionTrait,
    order_id: &str,
    kind: NotificationKind,
    key: String,
) -> Result<Option<Letter>, Error> {
    let row = Entity::find_by_id((order_id.to_owned(), number(kind))).one(connection).await.map_err(db)?;
    Ok(row.map(|row| Letter {
        key,
        to: row.recipient.0,
        subject: row.subject,
        body: row.body,
        written: from_micros(row.written),
    }))
}

/// Records that the mail system has the message since `now`.
///
/// # Errors
/// When the database fails.
pub(crate) async fn mark_sent(
    connection: &impl ConnectionTrait,
    order_id: &str,
    kind: NotificationKind,
    now: OffsetDateTime,
) -> Result<(), Error> {
    let sent = ActiveModel { sent: Set(true), sent_time: Set(Some(micros(now))), ..ActiveModel::default() };
    change(connection, order_id, kind, sent).await
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
    let failed = ActiveModel { failed: Set(true), failure: Set(Some(reason.to_owned())), ..ActiveModel::default() };
    change(connection, order_id, kind, failed).await
}

/// Up to `limit` messages about an order that follow the kind `after`, oldest first.
///
/// # Errors
/// When the database fails.
pub(crate) async fn page(
    connection: &impl ConnectionTrait,
    order_id: &str,
    after: NotificationKind,
    limit: usize,
) -> Result<Vec<Notification>, Error> {
    let rows = Entity::find()
        .filter(Column::OrderId.eq(order_id))
        .filter(Column::Kind.gt(number(after)))
        .order_by_asc(Column::Kind)
        .limit(u64::try_from(limit).map_err(Error::internal)?);
    Ok(rows.all(connection).await.map_err(db)?.into_iter().map(Notification::from).collect())
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

async fn change(
    connection: &impl ConnectionTrait,
    order_id: &str,
    kind: NotificationKind,
    to: ActiveModel,
) -> Result<(), Error> {
    let change =
        Entity::update_many().set(to).filter(Column::OrderId.eq(order_id)).filter(Column::Kind.eq(number(kind)));
    change.exec(connection).await.map(drop).map_err(db)
}

fn number(kind: NotificationKind) -> i64 {
    i32::from(kind).into()
}
