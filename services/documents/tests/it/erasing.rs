//! Whoever is erased is in no document any more, and nowhere else here.

use std::io::Write as _;
use std::process::{Command, Stdio};

use contracts::tradewind::documents::v1::DocumentKind;
use contracts::tradewind::documents::v1::document_service_client::DocumentServiceClient;
use tradewind_mesh::Channel;
use tradewind_runtime::Settings;
use tradewind_testing::{Database, both_stores, columns_with, eventually, traces, unsealed};

use crate::surroundings::{DEADLINE, EMAIL, NAME, STREET, Surroundings, get, has};

const BOTH: [DocumentKind; 2] = [DocumentKind::Invoice, DocumentKind::CreditNote];

/// What pdftotext reads of a document.
async fn text(client: &DocumentServiceClient<Channel>, number: &str) -> String {
    let bytes = get(client, number).await.unwrap();
    let mut program = Command::new(tradewind_testing::poppler().join("pdftotext"))
        .args(["-layout", "-enc", "UTF-8", "-", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    program.stdin.take().unwrap().write_all(&bytes).unwrap();
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap()
}

/// Waits until the document names nobody, and returns what it says.
async fn sees_erased(client: &DocumentServiceClient<Channel>, number: &str) -> String {
    eventually(DEADLINE, "it names nobody", async || {
        let text = text(client, number).await;
        if text.contains(NAME) { Err(text) } else { Ok(text) }
    })
    .await
}

/// What whoever keeps the books needs is there, and who it was is not.
fn is_of_nobody(text: &str, number: &str, amount: &str) {
    for told in [number, "Name and address are erased.", "GR", amount] {
        assert!(text.contains(told), "{told}:\n{text}");
    }
    for gone in [NAME, STREET, "105 63"] {
        assert!(!text.contains(gone), "{gone}:\n{text}");
    }
}

async fn nothing_lies_open(around: &Surroundings) {
    for about in [NAME, STREET, EMAIL] {
        assert_eq!(traces(&around.database, about).await, [""; 0], "{about}");
    }
}

both_stores! {
    async fn documents_of_an_order_that_is_erased_name_nobody_and_are_made_anew_to_the_byte(database: Database) {
        let around = Surroundings::open(database).await;
        let running = around.start().await;
        let client = around.documents("operator", &running);
        let (gone, stays) = (around.placed("Tea").await, around.placed("Tea").await);
        for order in [&gone, &stays] {
            around.confirmed(order).await;
            around.refunded(order).await;
            has(&client, order, &BOTH).await;
        }
        let [invoice, note, other] = [("INV", &gone), ("CRN", &gone), ("INV", &stays)].map(|(kind, order)| format!("{kind}-{order}"));
        let before = get(&client, &other).await.unwrap();
        for number in [&invoice, &note] {
            let text = text(&client, number).await;
            assert!(text.contains(NAME) && text.contains(STREET), "{text}");
        }
        nothing_lies_open(&around).await;

        around.erased(&gone).await;
        let text = sees_erased(&client, &invoice).await;
        is_of_nobody(&text, &invoice, "GBP 9.00");
        assert!(text.contains("Tea") && text.contains("4.50"), "{text}");
        is_of_nobody(&sees_erased(&client, &note).await, &note, "GBP 9.00");
        assert_eq!(get(&client, &other).await.unwrap(), before);
        let own = around.of_customer("ada", &running);
        let after = [get(&own, &invoice).await.unwrap(), get(&own, &note).await.unwrap()];
        nothing_lies_open(&around).await;

        // What others said of it is there as it was: a stand-in erases nothing.
        around.rebuilt(&running).await;
        assert_eq!([get(&client, &invoice).await.unwrap(), get(&client, &note).await.unwrap()], after);
        assert_eq!(get(&client, &other).await.unwrap(), before);
        nothing_lies_open(&around).await;
    }

    async fn an_order_that_is_confirmed_after_it_is_erased_has_an_invoice_to_nobody(database: Database) {
        let around = Surroundings::open(database).await;
        let running = around.start().await;
        let client = around.documents("operator", &running);
        let order = around.placed("Tea").await;
        around.erased(&order).await;
        around.refunded(&order).await;
        around.confirmed(&order).await;
        has(&client, &order, &BOTH).await;
        let invoice = format!("INV-{order}");
        is_of_nobody(&sees_erased(&client, &invoice).await, &invoice, "GBP 9.00");
        nothing_lies_open(&around).await;
    }

    async fn what_was_kept_before_there_were_seals_is_read_and_reduced_in_both_slots(database: Database) {
        let around = Surroundings::open(database).await;
        let mut running = around.start().await;
        running.stop();
        running.wait().await.unwrap();
        unsealed(&around.database).await;
        let mut running = around.start().await;
        let (gone, stays) = (around.placed("Tea").await, around.placed("Tea").await);
        let [invoice, other] = [&gone, &stays].map(|order| format!("INV-{order}"));
        let client = around.documents("operator", &running);
        for order in [&gone, &stays] {
            around.confirmed(order).await;
            has(&client, order, &[DocumentKind::Invoice]).await;
        }
        around.rebuilt(&running).await;
        assert_eq!(columns_with(&around.database, NAME).await, ["sale.said", "sale_2.said"]);
        let before = get(&client, &other).await.unwrap();
        running.stop();
        running.wait().await.unwrap();

        let running = around.start_with(Settings { seal: true, ..around.settings() }).await;
        let client = around.documents("operator", &running);
        assert_eq!(get(&client, &other).await.unwrap(), before);
        around.erased(&gone).await;
        is_of_nobody(&sees_erased(&client, &invoice).await, &invoice, "GBP 9.00");
        let erased = get(&client, &invoice).await.unwrap();
        around.erased(&stays).await;
        sees_erased(&client, &other).await;
        assert_eq!(columns_with(&around.database, NAME).await, [""; 0]);
        around.rebuilt(&running).await;
        assert_eq!(get(&client, &invoice).await.unwrap(), erased);
        assert_eq!(columns_with(&around.database, NAME).await, [""; 0]);
    }
}
