//! Both services over mTLS gRPC, a real broker and a database each.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use contracts::library::lending::v1::lending_service_client::LendingServiceClient;
use contracts::library::lending::v1::{LendBookRequest, ReturnBookRequest};
use contracts::library::reminders::v1::GetReminderRequest;
use contracts::library::reminders::v1::reminders_service_client::RemindersServiceClient;
use tonic::Code;
use tradewind_mesh::{IdentityFiles, pki, reason};
use tradewind_runtime::{Running, Service, Settings};
use tradewind_testing::{Database, Nats, both_stores, channel, eventually, scratch};

const DEADLINE: Duration = Duration::from_secs(20);

fn settings(folder: &Path, service: &Service, database: &Database, nats: &Nats) -> Settings {
    Settings::in_process(IdentityFiles::in_dir(folder, service.name()), database.url(), nats.url())
}

/// Starts a service and waits until it is ready.
async fn start(service: Service, settings: Settings) -> Running {
    let mut running = service.start(settings).await.unwrap();
    running.ready(DEADLINE).await.unwrap();
    running
}

both_stores! {
    async fn a_book_is_awaited_while_it_is_lent(database: Database) {
        let (folder, nats, lendings) = (scratch(), Nats::start_for_services(), Database::sqlite());
        let folder = folder.path();
        pki::init(folder, &["lending", "reminders", "operator"], "tradewind.local").unwrap();
        let (lending, reminders) = (lending::service(), reminders::service());
        let of_lending = settings(folder, &lending, &lendings, &nats);
        let of_reminders = settings(folder, &reminders, &database, &nats);
        let lending = start(lending, of_lending).await;
        let reminders = start(reminders, of_reminders.with_peer("lending", lending.grpc_addr().to_string())).await;
        let mut lender = LendingServiceClient::new(channel(folder, "operator", "lending", lending.grpc_addr()));
        let asking = RemindersServiceClient::new(channel(folder, "operator", "reminders", reminders.grpc_addr()));
        let reminder = async || {
            let loan_id = "one".to_owned();
            asking.clone().get_reminder(GetReminderRequest { loan_id }).await.map(|got| got.into_inner().title)
        };

        let lend = |request_id: &str| LendBookRequest {
            request_id: request_id.to_owned(),
            loan_id: "one".to_owned(),
            title: "Moby-Dick".to_owned(),
            borrower: "Ada".to_owned(),
        };
        lender.lend_book(lend("r-1")).await.unwrap();
        lender.lend_book(lend("r-1")).await.unwrap();
        let refused = lender.lend_book(lend("r-2")).await.unwrap_err();
        assert_eq!((refused.code(), reason(&refused).as_deref()), (Code::AlreadyExists, Some("LOAN_EXISTS")));
        assert_eq!(eventually(DEADLINE, "the book is awaited", async || reminder().await).await, "Moby-Dick");

        let back = ReturnBookRequest { request_id: "r-3".to_owned(), loan_id: "one".to_owned() };
        lender.return_book(back).await.unwrap();
        eventually(DEADLINE, "it is awaited no longer", async || match reminder().await {
            Err(none) if none.code() == Code::NotFound => Ok(()),
            other => Err(format!("{other:?}")),
        })
        .await;
        let stranger = channel(folder, "reminders", "lending", lending.grpc_addr());
        let refused = LendingServiceClient::new(stranger).lend_book(lend("r-4")).await.unwrap_err();
        assert_eq!(refused.code(), Code::PermissionDenied);
    }
}
