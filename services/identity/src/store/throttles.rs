//! What was tried how often, counted in the database so that all replicas count together.

use std::time::Duration;

use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, IntoActiveModel, QueryFilter};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{db, micros};

use super::throttle::{Column, Entity, Model};
use crate::domain::limits::Try;
use crate::secrets;

/// Counts some tries, by name so that two who count the same do so in one order; for how long the first that may not be is too
/// early. What was counted before it stands until the transaction is undone.
pub(crate) async fn take(
    connection: &impl ConnectionTrait,
    tries: &[Try],
    now: OffsetDateTime,
) -> Result<Result<(), Duration>, Error> {
    let now = micros(now);
    for each in sorted(tries) {
        let (name, limit) = (secrets::hash(&each.name), each.limit());
        let first = Model { name: name.clone(), until: now + limit.pause() };
        let insert = Entity::insert(first.into_active_model()).on_conflict_do_nothing();
        if matches!(insert.exec_without_returning(connection).await.map_err(db)?, sea_orm::TryInsertResult::Inserted(1))
        {
            continue;
        }
        let until = Expr::col(Column::Until);
        let later = Expr::case(until.clone().gt(now), until.clone()).finally(now);
        let counted = Entity::update_many()
            .col_expr(Column::Until, Expr::expr(later).add(limit.pause()))
            .filter(Column::Name.eq(name.as_str()))
            .filter(Column::Until.lte(now.saturating_add(limit.ahead())));
        if counted.exec(connection).await.map_err(db)?.rows_affected == 0 {
            let kept = Entity::find_by_id(name).one(connection).await.map_err(db)?.map_or(0, |row| row.until);
            return Ok(Err(limit.take(kept, now).err().unwrap_or_default()));
        }
    }
    Ok(Ok(()))
}

/// For how long it is too early for one of some tries, if it is: a look that writes nothing, and counts nothing.
pub(crate) async fn look(
    connection: &impl ConnectionTrait,
    tries: &[Try],
    now: OffsetDateTime,
) -> Result<Result<(), Duration>, Error> {
    let names = tries.iter().map(|each| secrets::hash(&each.name));
    let kept = Entity::find().filter(Column::Name.is_in(names)).all(connection).await.map_err(db)?;
    let now = micros(now);
    Ok(tries.iter().try_for_each(|each| {
        let name = secrets::hash(&each.name);
        let until = kept.iter().find(|row| row.name == name).map_or(0, |row| row.until);
        each.limit().take(until, now).map(drop)
    }))
}

/// Takes tries back that were none: whoever tried was right, or nothing was looked at.
pub(crate) async fn give_back(connection: &impl ConnectionTrait, tries: &[Try]) -> Result<(), Error> {
    for each in sorted(tries) {
        let back = Entity::update_many()
            .col_expr(Column::Until, Expr::col(Column::Until).sub(each.limit().pause()))
            .filter(Column::Name.eq(secrets::hash(&each.name)));
        back.exec(connection).await.map_err(db)?;
    }
    Ok(())
}

/// Forgets what is as if it had never been.
pub(crate) async fn forget_past(connection: &impl ConnectionTrait, now: OffsetDateTime) -> Result<(), Error> {
    Entity::delete_many().filter(Column::Until.lte(micros(now))).exec(connection).await.map(drop).map_err(db)
}

fn sorted(tries: &[Try]) -> Vec<&Try> {
    let mut tries: Vec<_> = tries.iter().collect();
    tries.sort_unstable();
    tries
}
