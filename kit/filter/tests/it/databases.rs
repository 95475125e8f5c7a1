//! What a filter finds in a database is what it says of each row in memory, and pages of it leave nothing out.

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use sea_orm::sea_query::{Expr, Query};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DatabaseConnection, EntityTrait, IntoActiveModel, QueryFilter, QueryOrder,
    QuerySelect, Schema,
};
use tradewind_filter::{Check, check, compare, condition, contains, following, up_to};
use tradewind_testing::{Database, both_stores};

use crate::generated::{By, FIELDS, filters, holds, things};

const FILTERS: usize = 300;

mod thing {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "thing")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: i64,
        pub name: String,
        pub folded: String,
        pub size: i64,
        pub colour: i64,
        pub good: bool,
        pub made: i64,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

mod part {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "part")]
    pub(super) struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub thing: i64,
        #[sea_orm(primary_key, auto_increment = false)]
        pub name: String,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

async fn filled(database: &Database) -> DatabaseConnection {
    let url = database.url();
    // A file that is not there is made where it is asked for.
    let url = if tradewind_sql::sqlite_file(&url).is_some() { format!("{url}?mode=rwc") } else { url };
    let connection = tradewind_sql::connect(&url).await.unwrap();
    let schema = Schema::new(connection.get_database_backend());
    connection.execute(&schema.create_table_from_entity(thing::Entity)).await.unwrap();
    connection.execute(&schema.create_table_from_entity(part::Entity)).await.unwrap();
    for of in things() {
        for name in &of.parts {
            let row = part::Model { thing: of.id, name: name.clone() };
            part::Entity::insert(row.into_active_model()).exec_without_returning(&connection).await.unwrap();
        }
        let row = thing::Model {
            id: of.id,
            folded: of.name.to_lowercase(),
            name: of.name,
            size: of.size,
            colour: of.id % 3,
            good: of.good,
            made: of.made,
        };
        thing::Entity::insert(row.into_active_model()).exec_without_returning(&connection).await.unwrap();
    }
    connection
}

fn leaf(check: &Check<By>) -> Expr {
    use thing::Column;
    let parts = || Query::select().column(part::Column::Thing).from(part::Entity).take();
    match check {
        Check::Text(text) => contains(Expr::col((thing::Entity, Column::Folded)), text),
        Check::HasAny(_) => Column::Id.in_subquery(parts()),
        Check::Has(_, name) => {
            let named = compare(Expr::col(part::Column::Name), tradewind_filter::Operator::Equal, name);
            Column::Id.in_subquery(parts().and_where(named).take())
        }
        Check::Is(by, operator, bound) => {
            let column = match by {
                By::Name | By::Part => Column::Name,
                By::Size => Column::Size,
                By::Colour => Column::Colour,
                By::Good => Column::Good,
                By::Made | By::Day => Column::Made,
            };
            compare(Expr::col((thing::Entity, column)), *operator, bound)
        }
    }
}

both_stores! {
    async fn a_database_finds_what_the_filter_says(database: Database) {
        let (connection, things) = (filled(&database).await, things());
        let (mut runner, filters, mut some) = (TestRunner::default(), filters(), 0);
        for _ in 0..FILTERS {
            let tree = filters.new_tree(&mut runner).unwrap().current();
            let text = tree.to_string();
            let checked = check(tree, &FIELDS).unwrap();
            let found = thing::Entity::find().filter(condition(&checked, &leaf)).order_by_asc(thing::Column::Id);
            let found: Vec<_> = found.all(&connection).await.unwrap().into_iter().map(|row| row.id).collect();
            let expected: Vec<_> = things.iter().filter(|thing| holds(&checked, thing)).map(|thing| thing.id).collect();
            assert_eq!(found, expected, "{text}");
            some += usize::from(!found.is_empty() && found.len() < things.len());
        }
        assert!(some > FILTERS / 3, "only {some} filters find some and not all");
    }

    async fn pages_of_any_order_have_each_row_once(database: Database) {
        let connection = filled(&database).await;
        use thing::Column;
        for (size, id) in [(true, true), (true, false), (false, true), (false, false)] {
            let order = |descending| if descending { sea_orm::Order::Desc } else { sea_orm::Order::Asc };
            let all = || thing::Entity::find().order_by(Column::Size, order(size)).order_by(Column::Id, order(id));
            let expected: Vec<_> = all().all(&connection).await.unwrap();
            for (place, row) in expected.iter().enumerate() {
                let keys = [
                    (Column::Size.into_expr(), size, row.size.into()),
                    (Column::Id.into_expr(), id, row.id.into()),
                ];
                assert_eq!(all().filter(up_to(&keys)).all(&connection).await.unwrap(), expected[..=place]);
            }
            let mut paged: Vec<thing::Model> = Vec::new();
            loop {
                let page = match paged.last() {
                    None => all(),
                    Some(last) => all().filter(following(&[
                        (Column::Size.into_expr(), size, last.size.into()),
                        (Column::Id.into_expr(), id, last.id.into()),
                    ])),
                };
                let mut page = page.limit(4).all(&connection).await.unwrap();
                if page.is_empty() {
                    break;
                }
                paged.append(&mut page);
                assert!(paged.len() <= expected.len(), "a page repeats what was there");
            }
            assert_eq!(paged, expected);
        }
    }
}
