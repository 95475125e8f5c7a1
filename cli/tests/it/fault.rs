//! Whoever is at fault is named, with its last words.

use crate::program::{Folder, complained};

#[test]
fn a_broker_that_does_not_start_is_what_the_complaint_is_about() {
    let folder = Folder::new();
    let text = "[ \"$1\" = --version ] && exec echo 'nats-server: v2.11.0'\n\
                echo 'nats-server: nats.conf:7: unknown field \"jetsteam\"' >&2\nexit 3";
    let server = folder.script("nats-server", text);
    for command in [&["demo"][..], &["replay", "sales.csv"]] {
        let sales = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n\
                     1,10001,BLUE MUG,6,2010-12-01 08:26:00,3.39,1,United Kingdom\n";
        std::fs::write(folder.path().join("sales.csv"), sales).unwrap();
        let output = folder.tradewind(command).env("NATS_SERVER", &server).current_dir(folder.path()).output().unwrap();
        let complaint = complained(&output);
        assert_eq!(output.status.code(), Some(1), "{complaint}");
        let line = complaint.lines().last().unwrap();
        assert!(line.starts_with("tradewind: nats died 3 times"), "{complaint}");
        assert!(line.contains("exit status: 3") && line.contains("unknown field \"jetsteam\""), "{complaint}");
        assert!(line.contains("nats.log") && !complaint.contains("catalog was"), "{complaint}");
    }
}
