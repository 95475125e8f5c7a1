//! What follows the events of lending. Which reactions there are is in the contract; one that is missing does not compile.

use contracts::library::lending::v1::{BookLent, BookReturned};
use contracts::reactions;
use tradewind_domain::Error;
use tradewind_events::{Forward, Reactions, Received};
use tradewind_store::Tx;

use crate::reminder::{Command, Reminder};

pub(crate) fn reactions() -> Reactions {
    tradewind_runtime::reactions(reactions::Reminders {
        set_on_book_lent: Forward::new::<Reminder>(set_on_book_lent, drop_of),
        drop_on_book_returned,
    })
}

/// Awaits the book.
async fn set_on_book_lent(tx: &mut Tx, event: &Received<BookLent>) -> Result<(), Error> {
    let BookLent { loan_id, title, .. } = &event.data;
    let set = Command::Set { loan_id: loan_id.clone(), title: title.clone() };
    tx.execute::<Reminder>(loan_id, set).await.map(drop)
}

/// Takes that back.
async fn drop_on_book_returned(tx: &mut Tx, event: &Received<BookReturned>) -> Result<(), Error> {
    drop_of(tx, &event.data.loan_id).await
}

/// The book of this loan is awaited no longer, also where the event of its lending is given up.
async fn drop_of(tx: &mut Tx, loan_id: &str) -> Result<(), Error> {
    tx.execute::<Reminder>(loan_id, Command::Drop).await.map(drop)
}
