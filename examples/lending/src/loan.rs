//! A loan, as far as its events tell.

use contracts::library::lending::v1::{BookLent, BookReturned};
use tradewind_domain::{Aggregate, DomainError, ErrorKind};

tradewind_domain::events! {
    /// What can happen to a loan.
    pub(crate) enum LoanEvent { Lent(BookLent), Returned(BookReturned) }
}

/// What can be asked of a loan.
pub(crate) enum Command {
    /// Lends the book.
    Lend(BookLent),
    /// Takes it back.
    Return,
}

/// Why a loan can refuse.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoanError {
    /// The id is taken.
    #[error("there is a loan with this id already")]
    Exists,
    /// There is no such loan.
    #[error("there is no loan with this id")]
    NotFound,
}

impl DomainError for LoanError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Exists => ErrorKind::AlreadyExists,
            Self::NotFound => ErrorKind::NotFound,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::Exists => "LOAN_EXISTS",
            Self::NotFound => "LOAN_NOT_FOUND",
        }
    }
}

/// A loan; `Default` is one that never began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Loan {
    loan_id: String,
    returned: bool,
}

impl Aggregate for Loan {
    const NAME: &'static str = "loan";
    type Command = Command;
    type Event = LoanEvent;
    type Error = LoanError;

    fn decide(&self, command: Command) -> Result<Vec<LoanEvent>, LoanError> {
        match (command, self.loan_id.is_empty()) {
            (Command::Lend(lent), true) => Ok(vec![lent.into()]),
            (Command::Lend(_), false) => Err(LoanError::Exists),
            (Command::Return, true) => Err(LoanError::NotFound),
            (Command::Return, false) if self.returned => Ok(Vec::new()),
            (Command::Return, false) => Ok(vec![BookReturned { loan_id: self.loan_id.clone() }.into()]),
        }
    }

    fn evolve(&mut self, event: &LoanEvent) {
        match event {
            LoanEvent::Lent(lent) => self.loan_id.clone_from(&lent.loan_id),
            LoanEvent::Returned(_) => self.returned = true,
        }
    }
}
