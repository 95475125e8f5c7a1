//! The documents of orders of a whole shop, fetched by the command line and read by a program that is not ours.

use std::path::Path;
use std::process::Command;

use contracts::tradewind::documents::v1::{DocumentKind, ListDocumentsRequest};
use contracts::tradewind::ordering::v1::OrderStatus;
use serde_json::Value;
use system_tests::PATIENCE;
use tradewind_testing::{Database, eventually, poppler, scratch};

use crate::explain::Program;
use crate::shop::{Shop, in_a_shop};

fn text_of(file: &Path) -> String {
    let output = Command::new(poppler().join("pdftotext")).arg("-layout").arg(file).arg("-").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn an_order_is_invoiced_at_what_it_cost_and_credited_with_what_was_paid_back() {
    in_a_shop(Database::sqlite, async |shop: &mut Shop| {
        let tradewind = Program::of(shop);
        let tea = shop.offer("tea", 450, 20).await;
        let order_id = shop.operator.place(tea.order(3)).await.order_id;
        let order = shop.operator.settled(&order_id).await;
        let invoice = shop.operator.invoiced(&order_id).await;
        assert_eq!((invoice.kind(), invoice.total.clone()), (DocumentKind::Invoice, order.total));

        let folder = scratch();
        let file = folder.path().join("invoice.pdf");
        let get = ["document", "get", &invoice.number, "--output", file.to_str().unwrap()];
        tradewind.says(&get).await.unwrap();
        let refused = tradewind.says(&get).await.unwrap_err();
        assert!(refused.contains("--force"), "{refused}");
        let text = text_of(&file);
        let recipient = order.recipient.unwrap();
        for said in [invoice.number.as_str(), &recipient.name, "4.50", "GBP 13.50"] {
            assert!(text.contains(said), "{said}:\n{text}");
        }
        let before = std::fs::read(&file).unwrap();

        shop.operator.cancel(&order_id).await.unwrap();
        let order = shop.operator.settled(&order_id).await;
        assert_eq!(order.status(), OrderStatus::Cancelled);
        let note = eventually(PATIENCE, "the order has a credit note", async || {
            let request = ListDocumentsRequest { order_id: order_id.clone() };
            let documents = shop.operator.documents().list_documents(request).await.unwrap().into_inner().documents;
            documents.get(1).cloned().ok_or(documents)
        })
        .await;
        assert_eq!((note.kind(), note.total.clone()), (DocumentKind::CreditNote, order.refunded));
        let listed = tradewind.says(&["document", "list", &order_id, "--json"]).await.unwrap();
        let listed: Value = serde_json::from_str(&listed).unwrap();
        assert_eq!(listed["documents"][1]["number"], note.number.as_str(), "{listed:#}");

        // What was said once is said again.
        tradewind.says(&[&get[..], &["--force"]].concat()).await.unwrap();
        assert!(std::fs::read(&file).unwrap() == before, "the same bytes");
    });
}
