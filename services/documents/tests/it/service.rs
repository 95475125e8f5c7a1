//! The whole service beside stand-ins for those whose events its documents are made of.

use contracts::tradewind::documents::v1::DocumentKind;
use tonic::Code;
use tradewind_mesh::reason;
use tradewind_testing::{Database, both_stores};
use uuid::Uuid;

use crate::surroundings::{Surroundings, gbp, get, has, list};

both_stores! {
    async fn an_order_has_an_invoice_and_a_credit_note_which_are_made_anew_to_the_byte(database: Database) {
        let around = Surroundings::open(database).await;
        let running = around.start().await;
        let client = around.documents("operator", &running);
        let order = around.placed("Τσάι 烏龍茶").await;
        has(&client, &order, &[]).await;
        let invoice = format!("INV-{order}");
        let none = get(&client, &invoice).await.unwrap_err();
        assert_eq!((none.code(), reason(&none).as_deref()), (Code::NotFound, Some("DOCUMENT_NOT_FOUND")));

        around.confirmed(&order).await;
        let found = has(&client, &order, &[DocumentKind::Invoice]).await;
        assert_eq!((found[0].number.as_str(), found[0].total.clone()), (invoice.as_str(), gbp(900)));
        let before = get(&client, &invoice).await.unwrap();
        around.refunded(&order).await;
        let found = has(&client, &order, &[DocumentKind::Invoice, DocumentKind::CreditNote]).await;
        let note = get(&client, &found[1].number).await.unwrap();
        assert_eq!(get(&client, &invoice).await.unwrap(), before);

        around.rebuilt(&running).await;
        assert_eq!(get(&client, &invoice).await.unwrap(), before);
        assert_eq!(get(&client, &format!("CRN-{order}")).await.unwrap(), note);
    }

    async fn events_come_in_any_order_and_what_was_said_while_it_was_away_is_read(database: Database) {
        let around = Surroundings::open(database).await;
        let mut running = around.start().await;
        // As an order of before lines had names.
        let order = around.placed("").await;
        around.refunded(&order).await;
        has(&around.documents("operator", &running), &order, &[DocumentKind::CreditNote]).await;
        running.stop();
        running.wait().await.unwrap();
        around.confirmed(&order).await;
        let running = around.start().await;
        let client = around.documents("operator", &running);
        let found = has(&client, &order, &[DocumentKind::Invoice, DocumentKind::CreditNote]).await;
        assert!(get(&client, &found[0].number).await.unwrap().starts_with(b"%PDF-"));
    }

    async fn customers_have_their_own_documents_and_strangers_none(database: Database) {
        let around = Surroundings::open(database).await;
        let running = around.start().await;
        let order = around.placed("Tea").await;
        around.confirmed(&order).await;
        let operator = around.documents("operator", &running);
        let invoice = has(&operator, &order, &[DocumentKind::Invoice]).await[0].number.clone();
        let own = around.of_customer("ada", &running);
        assert_eq!(list(&own, &order).await.unwrap().len(), 1);
        get(&own, &invoice).await.unwrap();

        // What is another's is as what is not there.
        let other = around.of_customer("eve", &running);
        let (unknown, none) = (Uuid::now_v7().to_string(), format!("INV-{}", Uuid::now_v7()));
        for (refused, why) in [
            (list(&other, &order).await.unwrap_err(), "ORDER_NOT_FOUND"),
            (list(&own, &unknown).await.unwrap_err(), "ORDER_NOT_FOUND"),
            (list(&operator, &unknown).await.unwrap_err(), "ORDER_NOT_FOUND"),
            (get(&other, &invoice).await.unwrap_err(), "DOCUMENT_NOT_FOUND"),
            (get(&own, &none).await.unwrap_err(), "DOCUMENT_NOT_FOUND"),
            (get(&operator, &none).await.unwrap_err(), "DOCUMENT_NOT_FOUND"),
        ] {
            assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::NotFound, Some(why)));
        }
        let refused = get(&operator, "INV-7").await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::InvalidArgument, Some("INVALID_NUMBER")));
        let refused = list(&operator, "7").await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::InvalidArgument, Some("INVALID_ORDER_ID")));
        let refused = list(&around.documents("shipping", &running), &order).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
}
