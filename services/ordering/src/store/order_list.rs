//! Every order under what it is listed by, as the API shows it.

#[cfg(test)]
mod tests;

use std::sync::LazyLock;

use contracts::tradewind::ordering::v1::{Order, OrderPlaced, OrderStatus, Recipient};
use prost::Message;
use prost_types::Timestamp;
use sea_orm::sea_query::{Expr, ExprTrait, OnConflict};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select};
use tradewind_domain::{Error, OrderId};
use tradewind_filter::{Key, Sorted, condition, following, up_to};
use tradewind_projections::{Slot, Table, Writer};
use tradewind_sql::{db, from_micros, timestamp};
use tradewind_store::{Opened, Store, Upsert, about};

use super::listed_line;
use super::listed_order::{Column, Entity, Model};
use super::order_fields::{By, Wanted, found_by_index, found_by_line, leaf, names_one};

/// How many orders are looked at for a page, at most, where not all of them may be wanted.
const LOOKED_AT: u64 = 10_000;

/// An entry never goes back.
static PUT: LazyLock<Table<Entity>> = LazyLock::new(|| {
    Table::new(|| {
        let is_older = Expr::col((Entity, Column::Version)).lt(Expr::col(("excluded", Column::Version)));
        let mut newer = OnConflict::column(Column::OrderId);
        let changes = [
            Column::Status,
            Column::Version,
            Column::Body,
            Column::Updated,
            Column::Currency,
            Column::TotalMinor,
            Column::Country,
            Column::Recipient,
        ];
        newer.update_columns(changes).action_and_where(is_older);
        Upsert::new(newer)
    })
});

static PUT_LINE: LazyLock<Table<listed_line::Entity>> =
    LazyLock::new(|| Table::replacing([listed_line::Column::OrderId, listed_line::Column::ProductId]));

/// Puts an order in its place, unless a newer version of it is there. Its creation is that of the first version put.
pub(crate) fn put(writer: &mut Writer<'_>, mut order: Order) -> Result<(), Error> {
    let created = order.create_time.take().unwrap_or_default();
    let total = order.total.clone().unwrap_or_default();
    let recipient = order.recipient.take().map(|recipient| about(&order.order_id, &[], &recipient.encode_to_vec()));
    let row = Model {
        order_id: order.order_id.clone(),
        customer_id: order.customer_id.clone(),
        status: order.status.into(),
        version: i64::try_from(order.version).map_err(Error::internal)?,
        created: micros(&created),
        updated: micros(&order.update_time.unwrap_or_default()),
        currency: total.currency,
        total_minor: total.minor,
        country: order.country.clone(),
        recipient,
        body: order.encode_to_vec(),
    };
    writer.put(&PUT, row);
    Ok(())
}

fn micros(time: &Timestamp) -> i64 {
    time.seconds * 1_000_000 + i64::from(time.nanos / 1_000)
}

/// Puts the lines of an order in their place, once for all.
pub(crate) fn put_lines(writer: &mut Writer<'_>, placed: &OrderPlaced) {
    for line in &placed.lines {
        let folded = format!("{}\n{}\n{}", line.name, line.product_id, line.sku).to_lowercase();
        let row = listed_line::Model {
            order_id: placed.order_id.clone(),
            product_id: line.product_id.clone(),
            sku: line.sku.clone(),
            name: line.name.clone(),
            folded,
        };
        writer.put(&PUT_LINE, row);
    }
}

/// The ids of up to `limit` orders of a customer that follow `after`, in their order, from a slot.
pub(crate) async fn ids(
    connection: &impl ConnectionTrait,
    slot: Slot,
    customer_id: &str,
    after: &str,
    limit: u64,
) -> Result<Vec<String>, Error> {
    let theirs = Entity::find().filter(Column::CustomerId.eq(customer_id)).filter(Column::OrderId.gt(after));
    let ids = slot.select(theirs.order_by_asc(Column::OrderId).limit(limit)).select_only().column(Column::OrderId);
    ids.into_tuple().all(connection).await.map_err(db)
}

/// Which orders of the list are wanted, and in which order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) customer_id: Option<String>,
    pub(crate) status: Option<OrderStatus>,
    pub(crate) wanted: Option<Wanted>,
    /// Newest first where it is empty.
    pub(crate) order: Vec<Sorted<By>>,
    /// Those that follow that place.
    pub(crate) behind: Option<Place>,
}

/// A place in an order of the list: what an order there has that is sorted by, and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place(pub(crate) Vec<i64>, pub(crate) OrderId);

/// Some of the orders that are wanted, each with its place.
pub(crate) struct Found {
    pub(crate) orders: Vec<(Order, Place)>,
    /// How far was looked, where more may follow that is wanted.
    pub(crate) looked: Option<Place>,
}

/// Up to `limit` of the orders that are wanted, in the order that is, from a slot.
pub(crate) async fn page(store: &Store, slot: Slot, filter: &Filter, limit: usize) -> Result<Found, Error> {
    let looked = looked(store.reader(), slot, filter).await?;
    let rows = rows(slot, filter, looked.as_ref());
    let mut rows = tradewind_sql::page(store.reader(), rows, [Column::Body, Column::Recipient], limit).await?;
    let recipients = rows.iter_mut().map(|row| row.recipient.take().unwrap_or_default()).collect();
    let recipients = store.open_sealed(recipients).await?.into_iter().map(Opened::into_bytes);
    let place = |(row, recipient): (Model, Vec<u8>)| Ok((filter.place(&row)?, row, recipient));
    let orders = rows.into_iter().zip(recipients).map(place).collect::<Result<Vec<_>, Error>>()?;
    let orders = orders.into_iter().map(|(place, row, recipient)| Ok((order(row, &recipient)?, place)));
    Ok(Found { orders: orders.collect::<Result<_, Error>>()?, looked })
}

/// All that are wanted as far as is looked.
fn rows(slot: Slot, filter: &Filter, looked: Option<&Place>) -> Select<Entity> {
    let mut rows = filter.narrowed(Entity::find()).apply_if(filter.status, with_status);
    if let Some(wanted) = &filter.wanted {
        rows = rows.filter(condition(wanted, &|check| leaf(slot, check)));
        if let Some(mut lines) = filter.lines(slot) {
            // What is limited is found first, and not looked for again by each order. New orders do not push out what was looked at.
            match looked {
                Some(Place(_, last)) => lines.and_where(listed_line::Column::OrderId.gte(last.to_string())),
                None => lines.limit(LOOKED_AT),
            };
            rows = rows.filter(Column::OrderId.in_subquery(lines));
        }
    }
    rows = rows.apply_if(looked, |rows, last| rows.filter(up_to(&filter.keys(last))));
    slot.select(filter.sorted(rows))
}

/// The last order that is looked at where there are more than that; nothing where what is listed is found by an index alone.
async fn looked(connection: &impl ConnectionTrait, slot: Slot, filter: &Filter) -> Result<Option<Place>, Error> {
    let is_whole = match &filter.wanted {
        None => filter.order.is_empty() || filter.status.is_none(),
        Some(wanted) => names_one(wanted),
    };
    if is_whole {
        return Ok(None);
    }
    let mut rows = filter.narrowed(Entity::find());
    if let Some(wanted) = &filter.wanted {
        rows = rows.filter(found_by_index(wanted, &filter.order));
    }
    if filter.order.is_empty() {
        rows = rows.apply_if(filter.status, with_status);
    }
    if let Some(mut lines) = filter.lines(slot) {
        let last = lines.offset(LOOKED_AT - 1).limit(1).take();
        rows = Entity::find().filter(Column::OrderId.in_subquery(last));
    } else {
        let mut sorted = filter.sorted(rows);
        QueryTrait::query(&mut sorted).offset(LOOKED_AT - 1).limit(1);
        rows = sorted;
    }
    let row = slot.select(rows).one(connection).await.map_err(db)?;
    row.map(|row| filter.place(&row)).transpose()
}

fn with_status(rows: Select<Entity>, status: OrderStatus) -> Select<Entity> {
    rows.filter(Column::Status.eq(i64::from(i32::from(status))))
}

impl Filter {
    /// Those of the customer that follow the page before.
    fn narrowed(&self, rows: Select<Entity>) -> Select<Entity> {
        rows.apply_if(self.customer_id.as_ref(), |rows, customer| rows.filter(Column::CustomerId.eq(customer)))
            .apply_if(self.behind.as_ref(), |rows, place| rows.filter(following(&self.keys(place))))
    }

    /// The orders that follow the page before and have a line that is asked for, newest first, where lines are what finds them best.
    fn lines(&self, slot: Slot) -> Option<sea_orm::sea_query::SelectStatement> {
        let wanted = self.wanted.as_ref().filter(|_| self.order.is_empty() && self.customer_id.is_none())?;
        let mut lines = found_by_line(slot, wanted)?;
        let id = listed_line::Column::OrderId;
        if let Some(Place(_, behind)) = &self.behind {
            lines.and_where(id.lt(behind.to_string()));
        }
        Some(lines.order_by((listed_line::Entity, id), sea_orm::Order::Desc).take())
    }

    fn sorted(&self, mut rows: Select<Entity>) -> Select<Entity> {
        for (column, descending) in self.columns() {
            let order = if descending { sea_orm::Order::Desc } else { sea_orm::Order::Asc };
            QueryTrait::query(&mut rows).order_by_expr(column, order);
        }
        rows
    }

    /// What is sorted by, the id last, and whether the largest comes first.
    fn columns(&self) -> impl Iterator<Item = (Expr, bool)> {
        let descending = self.order.last().is_none_or(|last| last.descending);
        let sorted = self.order.iter().map(|sorted| (sorted.by.column(), sorted.descending));
        sorted.chain([(By::OrderId.column(), descending)])
    }

    fn keys(&self, Place(numbers, id): &Place) -> Vec<Key> {
        let numbers = numbers.iter().map(|number| (*number).into()).chain([id.to_string().into()]);
        self.columns().zip(numbers).map(|((column, descending), value)| (column, descending, value)).collect()
    }

    fn place(&self, row: &Model) -> Result<Place, Error> {
        let id = row.order_id.parse().map_err(|_| Error::internal("the list has an order without an id"))?;
        Ok(Place(self.order.iter().map(|sorted| sorted.by.of(row)).collect(), id))
    }
}

fn order(row: Model, recipient: &[u8]) -> Result<Order, Error> {
    let mut order = Order::decode(row.body.as_slice()).map_err(Error::internal)?;
    if !recipient.is_empty() {
        order.recipient = Some(Recipient::decode(recipient).map_err(Error::internal)?);
    }
    order.create_time = Some(timestamp(from_micros(row.created)));
    Ok(order)
}
