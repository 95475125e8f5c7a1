//! A replay of a few made-up invoices.

use std::fs;

use crate::program::{Folder, complained, printed};

const INVOICES: &str = "\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,10001,BLUE MUG,6,2010-12-01 08:26:00,3.39,1,United Kingdom
1,10002,RED MUG,2,2010-12-01 08:26:00,2.00,1,United Kingdom
2,10001,BLUE MUG,1,2010-12-01 08:30:00,3.50,2,France
2,POST,POSTAGE,1,2010-12-01 08:30:00,18.00,2,France
3,10002,RED MUG,4,2010-12-01 09:00:00,2.00,3,Germany
C4,10002,RED MUG,-4,2010-12-02 09:00:00,2.00,3,Germany
C5,10001,BLUE MUG,-3,2010-12-02 09:00:00,3.39,1,United Kingdom
";

#[test]
fn every_invoice_ends_as_planned_and_every_row_is_accounted_for() {
    let folder = Folder::new();
    let file = folder.path().join("sales.csv");
    fs::write(&file, INVOICES).unwrap();
    let output = folder.tradewind(&["--json", "replay"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}\n{}", printed(&output), complained(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["rows"], 7);
    assert_eq!(report["passed_over"], serde_json::json!({ "no_product": 1 }));
    assert_eq!((&report["orders"], &report["as_planned"]), (&3.into(), &3.into()));
    assert_eq!((&report["cancellations"], &report["no_matching_order"]), (&1.into(), &1.into()));
    assert_eq!(report["differing_prices"], 1);
    assert_eq!(report["books_hold"], true);
    assert_eq!(folder.processes(), Vec::<String>::new());
}

#[test]
fn a_file_of_another_kind_is_refused_by_the_name_of_what_is_missing() {
    let folder = Folder::new();
    let file = folder.path().join("sales.csv");
    fs::write(&file, "a,b,c\n1,2,3\n").unwrap();
    let output = folder.tradewind(&["replay"]).arg(&file).output().unwrap();
    assert!(!output.status.success());
    assert!(complained(&output).contains("no column InvoiceNo"), "{}", complained(&output));
}

/// Invoices as a German spreadsheet saves them, on consecutive days, and these rows after them.
fn german(invoices: u32, rows: &str) -> Vec<u8> {
    let mut text = "Invoice;StockCode;Description;Quantity;InvoiceDate;Price;Customer ID;Country\r\n".to_owned();
    for day in 1..=invoices {
        text += &format!("{day};10001;TASSE, CAF\u{c9};1;{day:02}.12.10 08:26;3,39;{day};Germany\r\n");
    }
    (text + rows).chars().map(|one| u8::try_from(u32::from(one)).unwrap()).collect()
}

#[test]
fn a_row_that_cannot_be_costs_only_itself_and_many_of_them_the_exit_code() {
    let folder = Folder::new();
    let file = folder.path().join("sales.csv");
    let bad = "100;10001;TASSE;2.000.000;02.12.10 08:26;3,39;1;Germany\r\n";
    for (rows, code, lines) in [(bad.to_owned(), Some(0), 0), (bad.repeat(3), Some(65), 1)] {
        fs::write(&file, german(24, &rows)).unwrap();
        let output = folder.tradewind(&["replay"]).arg(&file).output().unwrap();
        let (text, complaint) = (printed(&output), complained(&output));
        assert_eq!(output.status.code(), code, "{text}\n{complaint}");
        assert!(text.contains("passed over: impossible_quantity") && text.contains("line 26: 2.000.000: "), "{text}");
        assert_eq!(text.lines().last(), Some("replay: 24 orders, 24 ended as planned"), "{text}");
        assert_eq!(complaint.lines().filter(|line| line.contains("are malformed, which is more")).count(), lines);
    }
}

#[test]
fn a_date_that_nothing_tells_is_refused_until_somebody_says_what_it_is() {
    let folder = Folder::new();
    let file = folder.path().join("sales.csv");
    let header = INVOICES.lines().next().unwrap();
    fs::write(&file, format!("{header}\n1,10001,MUG,1,12/1/10 8:26,3.39,1,France\n")).unwrap();
    let replay = |arguments: &[&str]| folder.tradewind(&[&["replay"], arguments].concat()).arg(&file).output().unwrap();
    let refused = replay(&[]);
    assert_eq!(refused.status.code(), Some(1));
    let complaint = complained(&refused);
    assert!(
        complaint.contains("line 2 has the date \"12/1/10 8:26\"") && complaint.contains("--dates month-first"),
        "{complaint}"
    );
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    let played = replay(&["--dates", "month-first"]);
    assert!(played.status.success(), "{}\n{}", printed(&played), complained(&played));
}
