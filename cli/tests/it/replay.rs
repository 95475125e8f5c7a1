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
6,10001,BLUE MUG,none,2010-12-02 09:00:00,3.39,1,United Kingdom
";

#[test]
fn every_invoice_ends_as_planned_and_every_row_is_accounted_for() {
    let folder = Folder::new();
    let file = folder.path().join("sales.csv");
    fs::write(&file, INVOICES).unwrap();
    let output = folder.tradewind(&["--json", "replay"]).arg(&file).output().unwrap();
    assert!(output.status.success(), "{}\n{}", printed(&output), complained(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["rows"], 8);
    assert_eq!(report["passed_over"], serde_json::json!({ "malformed": 1, "no_product": 1 }));
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
