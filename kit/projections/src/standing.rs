//! Which slot of each projection is read, and what is built in the other: one row a projection, which every replica sees.

use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder, QueryTrait};
use time::OffsetDateTime;
use tradewind_domain::Error;
use tradewind_sql::{Moment, brief, db, from_micros, micros};
use tradewind_store::{Store, Topic, Tx};

use crate::row::{ActiveModel, Column, Entity, Model};
use crate::{Projection, Slot};

/// Any of it changed.
pub(crate) static PROJECTIONS: Topic = Topic::all("projection");

/// How a projection stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What it is called.
    pub name: String,
    /// The slot that is read.
    pub slot: Slot,
    /// The oldest version that has written to it.
    pub version: u32,
    /// Since when it is read; `None` where it always was.
    pub since: Option<OffsetDateTime>,
    /// When somebody asked for it to be built anew, which has not begun yet.
    pub asked: Option<OffsetDateTime>,
    /// What is built in the other slot.
    pub build: Option<Build>,
}

/// A projection that is built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// What is built.
    pub version: u32,
    /// Since when.
    pub begun: OffsetDateTime,
    /// What keeps it from being built.
    pub failure: Option<String>,
}

impl TryFrom<Model> for Standing {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self, Error> {
        let version = |version| u32::try_from(version).map_err(Error::internal);
        let build = row.building.map(|building| {
            let begun = from_micros(row.begun.unwrap_or_default());
            Ok::<_, Error>(Build { version: version(building)?, begun, failure: row.failure })
        });
        Ok(Self {
            name: row.name,
            slot: Slot::numbered(row.slot)?,
            version: version(row.version)?,
            since: (row.since > 0).then(|| from_micros(row.since)),
            asked: row.asked.map(from_micros),
            build: build.transpose()?,
        })
    }
}

/// How all projections stand that a service has or had, by name.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn standings(store: &Store) -> Result<Vec<Standing>, Error> {
    let rows = store.find::<Model>(Entity::find().order_by_asc(Column::Name)).await?;
    rows.into_iter().map(Standing::try_from).collect()
}

/// The slot of a projection that is read.
pub(crate) async fn slot(store: &Store, name: &str) -> Result<Slot, Error> {
    let row = store.find::<Model>(Entity::find_by_id(name)).await?;
    row.first().map_or(Ok(Slot::First), |row| Slot::numbered(row.slot))
}

/// The same at a moment.
pub(crate) async fn slot_at(moment: &Moment<'_>, name: &str) -> Result<Slot, Error> {
    let row = Entity::find_by_id(name).one(moment).await.map_err(db)?;
    row.map_or(Ok(Slot::First), |row| Slot::numbered(row.slot))
}

/// Asks for a projection to be built anew; it is read as it is until then. `false` when there is none of that name.
///
/// # Errors
/// `Unavailable` when the database is.
pub async fn rebuild(tx: &mut Tx, name: &str) -> Result<bool, Error> {
    let asked = ActiveModel { asked: Set(Some(micros(tx.now()))), ..ActiveModel::default() };
    change(tx, name, asked, Expr::val(true)).await
}

/// Notes the projections that this process has, and tells how all stand. One that is new is read from the first slot, where it may
/// have been kept before there were versions. What an older version is going to write to is of that version.
pub(crate) async fn note(store: &Store, projections: &[Projection]) -> Result<Vec<Standing>, Error> {
    let there = standings(store).await?;
    let mut tx = None;
    for projection in projections {
        let standing = there.iter().find(|standing| standing.name == projection.name);
        if standing.is_some_and(|standing| standing.version <= projection.version) {
            continue;
        }
        let tx = match &mut tx {
            Some(tx) => tx,
            None => tx.insert(store.begin().await?),
        };
        if standing.is_some() {
            let lower = ActiveModel { version: Set(projection.version.into()), ..ActiveModel::default() };
            change(tx, projection.name, lower, Column::Version.gt(i64::from(projection.version))).await?;
        } else {
            add(tx, projection, store).await?;
        }
    }
    match tx {
        None => Ok(there),
        Some(tx) => {
            tx.commit().await?;
            standings(store).await
        }
    }
}

async fn add(tx: &mut Tx, projection: &Projection, store: &Store) -> Result<(), Error> {
    let kept = store.cursors().await?.keys().any(|(consumer, ..)| consumer == projection.name);
    let row = Model {
        name: projection.name.to_owned(),
        slot: Slot::First.number(),
        version: if kept { 1 } else { projection.version.into() },
        since: 0,
        asked: None,
        building: None,
        begun: None,
        failure: None,
    };
    let there = OnConflict::column(Column::Name).do_nothing().to_owned();
    let insert = Entity::insert(row.into_active_model()).on_conflict(there);
    insert.exec_without_returning(tx.conn()).await.map(drop).map_err(db)
}

/// Begins to build a projection in a slot, unless somebody else has just begun or ended it.
pub(crate) async fn begin(tx: &mut Tx, projection: &Projection, slot: Slot) -> Result<bool, Error> {
    let begun = ActiveModel {
        asked: Set(None),
        building: Set(Some(projection.version.into())),
        begun: Set(Some(micros(tx.now()))),
        failure: Set(None),
        ..ActiveModel::default()
    };
    change(tx, projection.name, begun, Column::Slot.eq(slot.other().number())).await
}

/// Lets a projection be read from the slot in which it was built, unless somebody else has begun again or ended it.
pub(crate) async fn end(
    tx: &mut Tx,
    projection: &Projection,
    slot: Slot,
    since: OffsetDateTime,
) -> Result<bool, Error> {
    let built = ActiveModel {
        slot: Set(slot.number()),
        version: Set(projection.version.into()),
        since: Set(micros(tx.now())),
        building: Set(None),
        begun: Set(None),
        failure: Set(None),
        ..ActiveModel::default()
    };
    // Another build of the same version may have emptied the slot.
    let is_built = Column::Begun
        .eq(micros(since))
        .and(Column::Slot.eq(slot.other().number()).and(Column::Building.eq(i64::from(projection.version))));
    change(tx, projection.name, built, is_built).await
}

/// Notes what keeps a projection from being built.
pub(crate) async fn fail(store: &Store, name: &str, failure: &str) -> Result<(), Error> {
    let mut tx = store.begin().await?;
    let failed = ActiveModel { failure: Set(Some(brief(failure).to_owned())), ..ActiveModel::default() };
    change(&mut tx, name, failed, Column::Building.is_not_null()).await?;
    tx.commit().await.map(drop)
}

async fn change(tx: &mut Tx, name: &str, to: ActiveModel, only: impl Into<Expr>) -> Result<bool, Error> {
    tx.wakes(&PROJECTIONS);
    let change = Entity::update_many().set(to).filter(Column::Name.eq(name)).filter(only.into());
    let changed = tx.conn().execute(change.as_query()).await.map_err(db)?;
    Ok(changed.rows_affected() == 1)
}
