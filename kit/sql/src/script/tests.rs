use sea_orm::sea_query::{Expr, ExprTrait, Query};

use super::*;

#[test]
fn postgresql_is_told_with_the_last_statement_that_the_commit_can_be_on_disk_later() {
    let later = "set_config('synchronous_commit', 'off', true)";
    let mut script = Script::new(DbBackend::Postgres);
    script.start("INSERT INTO a VALUES ").row([Value::from(1_i64)]);
    script.follow("DELETE FROM b");
    script.answered_before_it_is_on_disk();
    let expected = ["INSERT INTO a VALUES ($1)".to_owned(), format!("WITH part0 AS (DELETE FROM b) SELECT {later}")];
    assert_eq!(texts(script), expected);

    let mut script = Script::new(DbBackend::Postgres);
    script.exactly(1, "UPDATE a SET b = 1");
    script.answered_before_it_is_on_disk();
    let [text] = texts(script).try_into().unwrap();
    assert!(text.ends_with(&format!("THEN 1 ELSE 0 END, {later}")), "{text}");
}

fn texts(script: Script) -> Vec<String> {
    script.sent().map(|sent| sent.sql).collect()
}

#[test]
fn statements_are_joined_as_the_database_can() {
    for (backend, expected) in [
        (DbBackend::Sqlite, ["INSERT INTO a VALUES (?)", "INSERT INTO b VALUES (?)", "COMMIT"].as_slice()),
        (DbBackend::Postgres, &["WITH part0 AS (INSERT INTO a VALUES ($1)) INSERT INTO b VALUES ($2)", "COMMIT"]),
    ] {
        let mut script = Script::new(backend);
        script.start("INSERT INTO a VALUES ").row([Value::from(1_i64)]);
        script.start("INSERT INTO b VALUES ").row([Value::from(1_i64)]);
        script.follow("COMMIT");
        assert_eq!(texts(script), expected, "{backend:?}");
    }
}

#[test]
fn a_statement_can_read_what_another_returns() {
    let mut script = Script::new(DbBackend::Postgres);
    script.start("DELETE FROM a");
    script.start("DELETE FROM b RETURNING id").with(|deleted| format!("INSERT INTO c SELECT id FROM {deleted}"));
    assert_eq!(
        texts(script),
        ["WITH part0 AS (DELETE FROM a), part1 AS (DELETE FROM b RETURNING id) INSERT INTO c SELECT id FROM part1"]
    );
}

#[test]
fn rows_are_lists_of_values_or_columns_of_arrays() {
    let rows = || [[Value::from("a"), Value::from(1_i64)], [Value::from("b"), Value::from(2_i64)]];
    let write = |backend, rows: &[[Value; 2]]| {
        let mut script = Script::new(backend);
        let after = " ON CONFLICT DO NOTHING";
        script.list(&Listed { before: "INSERT INTO a ", after, ..Listed::default() }, rows.iter().cloned());
        texts(script)
    };
    let values = "INSERT INTO a VALUES (?, ?), (?, ?) ON CONFLICT DO NOTHING";
    let arrays = "INSERT INTO a SELECT * FROM unnest(CAST($1 AS text[]), CAST($2 AS int8[])) ON CONFLICT DO NOTHING";
    assert_eq!(write(DbBackend::Sqlite, &rows()), [values]);
    assert_eq!(write(DbBackend::Postgres, &rows()), [arrays]);
    let one = "INSERT INTO a VALUES ($1, $2) ON CONFLICT DO NOTHING";
    assert_eq!(write(DbBackend::Postgres, &rows()[..1]), [one], "one row is cheaper as it is");
    assert_eq!(write(DbBackend::Postgres, &[]), [""; 0]);
}

#[test]
fn what_must_change_so_many_rows_is_counted() {
    for (backend, expected) in [
        (DbBackend::Sqlite, ["DELETE FROM a WHERE b IN (VALUES (?))", "DELETE FROM c"].as_slice()),
        (
            DbBackend::Postgres,
            &["WITH part0 AS (DELETE FROM a WHERE b IN (VALUES ($1)) RETURNING 1), part1 AS (DELETE FROM c) \
               SELECT 1 / CASE WHEN (SELECT COUNT(*) FROM part0) = $2 THEN 1 ELSE 0 END"],
        ),
    ] {
        let mut script = Script::new(backend);
        let delete = Listed { before: "DELETE FROM a WHERE b IN (", after: ")", each: true, ..Listed::default() };
        script.list(&delete, [[Value::from("x")]]);
        script.start("DELETE FROM c");
        assert_eq!(texts(script), expected, "{backend:?}");
    }
}

#[test]
fn what_a_builder_makes_is_numbered_on() {
    for (backend, place) in [(DbBackend::Sqlite, "?"), (DbBackend::Postgres, "$2")] {
        let mut script = Script::new(backend);
        script.start("INSERT INTO a VALUES ").row([Value::from(1_i64)]);
        let mut delete = Query::delete();
        delete.from_table("b").and_where(Expr::col("c").eq("d"));
        script.start("").add(&delete);
        let text = texts(script).join("");
        assert!(text.ends_with(&format!(r#"DELETE FROM "b" WHERE "c" = {place}"#)), "{text}");
    }
}

#[test]
fn many_parameters_are_sent_alone() {
    let mut script = Script::new(DbBackend::Postgres);
    script.start("INSERT INTO a VALUES ").row(vec![Value::from(1_i64); JOINED + 1]);
    script.start("DELETE FROM b");
    assert_eq!(texts(script).len(), 2);
}
