//! What is written of each event. Whatever an order says is written once more by whoever reads it again; stock adds up.

use std::sync::LazyLock;

use sea_orm::sea_query::{Expr, ExprTrait as _, OnConflict};
use tradewind_projections::{Table, Writer};
use tradewind_store::Upsert;

use super::counting::COUNT;
use super::{customer, sale, sale_line, stock, stock_taken};
use crate::domain::{Fact, Line, Moved, Placed, Reached, Span, month_text};

use sale::Column as Of;

const PLACED: [Of; 11] = [
    Of::CustomerId,
    Of::Country,
    Of::Currency,
    Of::Units,
    Of::Amount,
    Of::Day,
    Of::Week,
    Of::Month,
    Of::Placed,
    Of::Reason,
    Of::Changed,
];

static PLACE: LazyLock<Table<sale::Entity>> = LazyLock::new(|| sale_with(&PLACED));
static CONFIRM_STOCK: LazyLock<Table<sale::Entity>> = LazyLock::new(|| sale_with(&[Of::StockConfirmed, Of::Changed]));
static PAY: LazyLock<Table<sale::Entity>> = LazyLock::new(|| sale_with(&[Of::Paid, Of::Changed]));
static CONFIRM: LazyLock<Table<sale::Entity>> = LazyLock::new(|| sale_with(&[Of::Confirmed, Of::Changed]));
static SHIP: LazyLock<Table<sale::Entity>> = LazyLock::new(|| sale_with(&[Of::Shipped, Of::Changed]));
static DELIVER: LazyLock<Table<sale::Entity>> = LazyLock::new(|| sale_with(&[Of::Delivered, Of::Changed]));
static CANCEL: LazyLock<Table<sale::Entity>> = LazyLock::new(|| sale_with(&[Of::Cancelled, Of::Reason, Of::Changed]));

static PUT_LINE: LazyLock<Table<sale_line::Entity>> =
    LazyLock::new(|| Table::replacing([sale_line::Column::OrderId, sale_line::Column::ProductId]));

/// Logs are read one beside the other, so an order that was placed before may come after.
static MEET: LazyLock<Table<customer::Entity>> = LazyLock::new(|| {
    Table::new(|| {
        use customer::{Column, Entity};
        let (here, new) =
            (|column: Column| Expr::col((Entity, column)), |column: Column| Expr::col(("excluded", column)));
        let earlier = || new(Column::Cohort).lt(here(Column::Cohort));
        let mut meet = OnConflict::column(Column::CustomerId);
        meet.value(Column::Cohort, Expr::case(earlier(), new(Column::Cohort)).finally(here(Column::Cohort)))
            .value(Column::Moved, Expr::case(earlier(), Expr::val(1_i64)).finally(here(Column::Moved)));
        Upsert::new(meet)
    })
});

static ADD_STOCK: LazyLock<Table<stock::Entity>> = LazyLock::new(|| {
    Table::new(|| {
        use stock::{Column, Entity};
        let sum = Expr::col((Entity, Column::Available)).add(Expr::col(("excluded", Column::Available)));
        Upsert::new(OnConflict::columns([Column::Sku, Column::Location]).value(Column::Available, sum).to_owned())
    })
});

static ADD_TAKEN: LazyLock<Table<stock_taken::Entity>> = LazyLock::new(|| {
    Table::new(|| {
        use stock_taken::{Column, Entity};
        let sum = Expr::col((Entity, Column::Units)).add(Expr::col(("excluded", Column::Units)));
        let key = [Column::Sku, Column::Location, Column::Day];
        Upsert::new(OnConflict::columns(key).value(Column::Units, sum).to_owned())
    })
});

fn sale_with(columns: &'static [Of]) -> Table<sale::Entity> {
    Table::new(|| Upsert::new(OnConflict::column(Of::OrderId).update_columns(columns.iter().copied()).to_owned()))
}

/// Writes a fact.
pub(crate) fn put(writer: &mut Writer<'_>, fact: Fact) {
    match fact {
        Fact::Placed(placed) => put_placed(writer, placed),
        Fact::Reached { order_id, reached, at, .. } => put_reached(writer, order_id, reached, at),
        Fact::Moved(moved) => put_moved(writer, moved),
    }
}

/// Writes an order that was placed, what it is of, and that its customer is one since then.
fn put_placed(writer: &mut Writer<'_>, placed: Placed) {
    let Placed { order_id, customer_id, country, currency, at, day, units, amount, lines } = placed;
    writer.put(&MEET, customer::Model { customer_id: customer_id.clone(), cohort: month_text(day), moved: 0 });
    for Line { product_id, units, amount } in lines {
        writer.put(&PUT_LINE, sale_line::Model { order_id: order_id.clone(), product_id, units, amount });
    }
    let row = sale::Model {
        order_id,
        customer_id,
        country,
        currency,
        units,
        amount,
        day,
        week: Span::Week.start(day),
        month: Span::Month.start(day),
        placed: Some(at),
        changed: 1,
        ..sale::Model::default()
    };
    put_sale(writer, &PLACE, row);
}

/// Writes that an order has come so far, and when.
fn put_reached(writer: &mut Writer<'_>, order_id: String, reached: Reached, at: i64) {
    let row = sale::Model { order_id, changed: 1, ..sale::Model::default() };
    let at = Some(at);
    match reached {
        Reached::StockConfirmed => put_sale(writer, &CONFIRM_STOCK, sale::Model { stock_confirmed: at, ..row }),
        Reached::Paid => put_sale(writer, &PAY, sale::Model { paid: at, ..row }),
        Reached::Confirmed => put_sale(writer, &CONFIRM, sale::Model { confirmed: at, ..row }),
        Reached::Shipped => put_sale(writer, &SHIP, sale::Model { shipped: at, ..row }),
        Reached::Delivered => put_sale(writer, &DELIVER, sale::Model { delivered: at, ..row }),
        Reached::Cancelled(reason) => put_sale(writer, &CANCEL, sale::Model { cancelled: at, reason, ..row }),
    }
}

fn put_sale(writer: &mut Writer<'_>, table: &'static Table<sale::Entity>, row: sale::Model) {
    writer.put(table, row);
    writer.then(&COUNT);
}

/// Adds to what is available, and takes from what was taken on that day where it is about that.
fn put_moved(writer: &mut Writer<'_>, Moved { sku, location, day, change, is_taken, .. }: Moved) {
    writer.put(&ADD_STOCK, stock::Model { sku: sku.clone(), location: location.clone(), available: change });
    if is_taken {
        writer.put(&ADD_TAKEN, stock_taken::Model { sku, location, day, units: -change });
    }
}
