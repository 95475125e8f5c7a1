//! What was told to whom: one row a message.

use contracts::tradewind::notification::v1::{Notification, NotificationKind};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, QueryResult, Statement, Value};
use sea_orm_migration::async_trait::async_trait;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_events::{db, from_micros, micros, timestamp};

use crate::mail::Letter;
use crate::reactions::key;
use crate::texts::Text;

/// The tables of this context, oldest first.
pub(crate) fn migrations() -> Vec<Box<dyn MigrationTrait>> {
    vec![Box::new(CreateNotification), Box::new(AddFailure)]
}

struct CreateNotification;

impl MigrationName for CreateNotification {
    fn name(&self) -> &str {
        "notification_0001_create_notification"
    }
}

#[async_trait]
impl MigrationTrait for CreateNotification {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        let clustered = if connection.get_database_backend() == DbBackend::Sqlite { " WITHOUT ROWID" } else { "" };
        connection.execute_unprepared(&format!("{NOTIFICATION}{clustered}")).await?;
        Ok(())
    }
}

/// Adds why a message was given up.
struct AddFailure;

impl MigrationName for AddFailure {
    fn name(&self) -> &str {
        "notification_0002_add_failure"
    }
}

#[async_trait]
impl MigrationTrait for AddFailure {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let column = "ALTER TABLE notification ADD COLUMN failure TEXT NULL";
        manager.get_connection().execute_unprepared(column).await.map(drop)
    }
}

/// `kind` is the contract's number, which follows the order's course; times are microseconds since the Unix epoch.
const NOTIFICATION: &str = "CREATE TABLE notification (
    order_id TEXT NOT NULL,
    kind BIGINT NOT NULL,
    recipient TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL,
    written BIGINT NOT NULL,
    sent BOOLEAN NOT NULL,
    sent_time BIGINT NULL,
    failed BOOLEAN NOT NULL,
    PRIMARY KEY (order_id, kind))";

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
    let insert = "INSERT INTO notification (order_id, kind, recipient, subject, body, written, sent, sent_time, failed) \
         VALUES ($1, $2, $3, $4, $5, $6, FALSE, NULL, FALSE) ON CONFLICT (order_id, kind) DO NOTHING";
    let values: [Value; 6] = [
        order_id.into(),
        number(kind).into(),
        recipient.into(),
        text.subject.as_str().into(),
        text.body.as_str().into(),
        micros(now).into(),
    ];
    execute(connection, insert, values).await
}

/// The message as it is sent; none when there is no such message.
///
/// # Errors
/// When the database fails.
pub(crate) async fn letter(
    connection: &impl ConnectionTrait,
    order_id: &str,
    kind: NotificationKind,
) -> Result<Option<Letter>, Error> {
    let query = "SELECT recipient, subject, body, written FROM notification WHERE order_id = $1 AND kind = $2";
    let values: [Value; 2] = [order_id.into(), number(kind).into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), query, values);
    let row = connection.query_one_raw(statement).await.map_err(db)?;
    let letter = |row: QueryResult| {
        Ok(Letter {
            key: format!("mail/{}", key(order_id, kind)),
            to: row.try_get("", "recipient")?,
            subject: row.try_get("", "subject")?,
            body: row.try_get("", "body")?,
            written: from_micros(row.try_get("", "written")?),
        })
    };
    row.map(letter).transpose().map_err(db)
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
    let update = "UPDATE notification SET sent = TRUE, sent_time = $3 WHERE order_id = $1 AND kind = $2";
    let values: [Value; 3] = [order_id.into(), number(kind).into(), micros(now).into()];
    execute(connection, update, values).await.map(drop)
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
    let update = "UPDATE notification SET failed = TRUE, failure = $3 WHERE order_id = $1 AND kind = $2";
    let values: [Value; 3] = [order_id.into(), number(kind).into(), reason.into()];
    execute(connection, update, values).await.map(drop)
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
    let query = "SELECT order_id, kind, recipient, subject, sent, sent_time, failed, failure FROM notification \
         WHERE order_id = $1 AND kind > $2 ORDER BY kind LIMIT $3";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values: [Value; 3] = [order_id.into(), number(after).into(), limit.into()];
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), query, values);
    let rows = connection.query_all_raw(statement).await.map_err(db)?;
    rows.iter().map(notification).collect::<Result<_, _>>().map_err(db)
}

fn notification(row: &QueryResult) -> Result<Notification, DbErr> {
    let (kind, sent_time): (i64, Option<i64>) = (row.try_get("", "kind")?, row.try_get("", "sent_time")?);
    let failure: Option<String> = row.try_get("", "failure")?;
    Ok(Notification {
        order_id: row.try_get("", "order_id")?,
        kind: i32::try_from(kind).unwrap_or_default(),
        recipient: row.try_get("", "recipient")?,
        subject: row.try_get("", "subject")?,
        sent: row.try_get("", "sent")?,
        sent_time: sent_time.map(|time| timestamp(from_micros(time))),
        failed: row.try_get("", "failed")?,
        failure_reason: failure.unwrap_or_default(),
    })
}

/// Runs a statement and tells whether it changed a row.
async fn execute(
    connection: &impl ConnectionTrait,
    text: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<bool, Error> {
    let statement = Statement::from_sql_and_values(connection.get_database_backend(), text, values);
    Ok(connection.execute_raw(statement).await.map_err(db)?.rows_affected() > 0)
}

fn number(kind: NotificationKind) -> i64 {
    i32::from(kind).into()
}
