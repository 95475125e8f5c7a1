//! A card provider that does as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use contracts::tradewind::money::v1::Money;
use tokio::sync::Notify;

use crate::app::{CardProvider, Charge, ChargeAnswer, NoAnswer, Receipt, Refund};

/// What the provider does when it is called; it does the last of them for ever.
#[derive(Clone)]
pub(super) enum Act {
    Charge(Result<ChargeAnswer, NoAnswer>),
    Refund(Result<Receipt, NoAnswer>),
    /// Answers only after [`Script::let_go`].
    Held(ChargeAnswer),
}

/// A card provider with a script for each action.
#[derive(Clone, Default)]
pub(super) struct Script(Arc<Inner>);

#[derive(Default)]
struct Inner {
    charge: Mutex<VecDeque<Act>>,
    void: Mutex<VecDeque<Act>>,
    refund: Mutex<VecDeque<Act>>,
    called: Mutex<Vec<&'static str>>,
    refunds: Mutex<Vec<Money>>,
    go: Notify,
}

impl Script {
    pub(super) fn charge(self, acts: impl IntoIterator<Item = Act>) -> Self {
        self.0.charge.lock().unwrap().extend(acts);
        self
    }

    pub(super) fn void(self, acts: impl IntoIterator<Item = Act>) -> Self {
        self.0.void.lock().unwrap().extend(acts);
        self
    }

    pub(super) fn refund(self, acts: impl IntoIterator<Item = Act>) -> Self {
        self.0.refund.lock().unwrap().extend(acts);
        self
    }

    pub(super) fn let_go(&self) {
        self.0.go.notify_one();
    }

    pub(super) fn times(&self, action: &str) -> usize {
        self.0.called.lock().unwrap().iter().filter(|called| **called == action).count()
    }

    /// What it was asked to give back, call by call.
    pub(super) fn refunds(&self) -> Vec<Money> {
        self.0.refunds.lock().unwrap().clone()
    }

    fn next(&self, action: &'static str, acts: &Mutex<VecDeque<Act>>) -> Act {
        self.0.called.lock().unwrap().push(action);
        let mut acts = acts.lock().unwrap();
        let act = acts.front().cloned().unwrap_or_else(|| panic!("{action} is not in the script"));
        if acts.len() > 1 {
            acts.pop_front();
        }
        act
    }

    async fn charged(&self, act: Act) -> Result<ChargeAnswer, NoAnswer> {
        match act {
            Act::Charge(answer) => answer,
            Act::Held(answer) => {
                self.0.go.notified().await;
                Ok(answer)
            }
            Act::Refund(_) => panic!("a refund is no answer to this"),
        }
    }
}

impl CardProvider for Script {
    async fn charge(&self, charge: &Charge) -> Result<ChargeAnswer, NoAnswer> {
        assert_eq!((charge.amount.to_string().as_str(), charge.token.expose().as_str()), ("GBP 20.00", "tok_ok"));
        self.charged(self.next("charge", &self.0.charge)).await
    }

    async fn void(&self, _: &str) -> Result<ChargeAnswer, NoAnswer> {
        self.charged(self.next("void", &self.0.void)).await
    }

    async fn refund(&self, refund: &Refund) -> Result<Receipt, NoAnswer> {
        self.0.refunds.lock().unwrap().push(refund.amount.clone());
        match self.next("refund", &self.0.refund) {
            Act::Refund(answer) => answer,
            Act::Charge(_) | Act::Held(_) => panic!("a charge is no answer to this"),
        }
    }
}
