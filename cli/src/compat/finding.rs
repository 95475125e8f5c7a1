//! What is told of a change that breaks somebody.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Value, json};

/// How many uses of one party are named.
const USES: usize = 3;

/// Whom a change breaks, and by what each is concerned: a workload, or a party outside → `calls PlaceOrder`.
pub(crate) type Hurt = BTreeMap<String, BTreeSet<String>>;

/// What is no more.
pub(super) const GONE: &str = "gone";
/// Whoever uses the edge.
pub(super) const OUTSIDE: &str = "clients of the edge";

/// Who lets people in.
pub(super) const EDGE: &str = "gateway";

/// Whose release brings a change about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Bringer {
    /// A service or the gateway.
    Workload(String),
    /// Every service: all of them serve that contract, or share it.
    All,
}

/// A change that breaks somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// The rule that refuses it: an option's path, as `method.callers`, or what of a shape it is about.
    pub(crate) rule: &'static str,
    /// The file of the contract.
    pub(crate) contract: String,
    /// Full name of what has changed.
    pub(crate) element: String,
    /// What it was.
    pub(crate) was: String,
    /// What it is now.
    pub(crate) is: String,
    /// What comes of it.
    pub(crate) why: &'static str,
    /// Whom it breaks.
    pub(crate) hurt: Hurt,
    /// Whose release brings it about.
    pub(crate) by: Bringer,
}

/// Where something stands that may change.
#[derive(Clone)]
pub(super) struct Place {
    pub(super) contract: String,
    pub(super) element: String,
    pub(super) by: Bringer,
}

impl Place {
    /// A change here that breaks somebody.
    pub(super) fn breaks(&self, rule: &'static str, [was, is]: [&str; 2], why: &'static str, hurt: Hurt) -> Finding {
        let Self { contract, element, by } = self.clone();
        Finding { rule, contract, element, was: was.to_owned(), is: is.to_owned(), why, hurt, by }
    }
}

impl Finding {
    /// For programs.
    pub(crate) fn json(&self) -> Value {
        json!({
            "rule": self.rule,
            "contract": self.contract,
            "element": self.element,
            "was": self.was,
            "is": self.is,
            "why": self.why,
            "breaks": self.hurt,
        })
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, contract, element, was, is, why, hurt, .. } = self;
        write!(f, "{contract}: {element}: {rule} was {was}, is {is}: {why}")?;
        for (at, (who, uses)) in hurt.iter().enumerate() {
            f.write_str(if at == 0 { "; breaks " } else { ", " })?;
            let named: Vec<&str> = uses.iter().take(USES).map(String::as_str).collect();
            let more = uses.len().saturating_sub(USES);
            let more = if more == 0 { String::new() } else { format!(" and {more} more") };
            write!(f, "{who} ({}{more})", named.join(", "))?;
        }
        Ok(())
    }
}
