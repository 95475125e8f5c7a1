//! The fields that a service offers, and a filter that is checked against them.

use tradewind_domain::Error;

use crate::parse::{UNSUPPORTED, fault};
use crate::tree::{Operator, Says, Term, Tree, Written};
use crate::value::{Bound, Kind};

/// A field that a list can be filtered by.
#[derive(Clone, Copy, Debug)]
pub struct Field<F> {
    name: &'static str,
    field: F,
    kind: Kind,
    /// It is of the items of a list within what is listed.
    many: bool,
}

/// A restriction that is checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Check<F> {
    /// Whatever is searched has this text, in any case.
    Text(String),
    /// A field compares so with a value.
    Is(F, Operator, Bound),
    /// A list has an item whose field is that.
    Has(F, Bound),
    /// A list has any item.
    HasAny(F),
}

impl<F> Field<F> {
    /// One that each item has once. `name` is as the contract has it, with at most one dot.
    #[must_use]
    pub const fn one(name: &'static str, field: F, kind: Kind) -> Self {
        Self { name, field, kind, many: false }
    }

    /// One that the items of a list have: it is asked for by `:`.
    #[must_use]
    pub const fn many(name: &'static str, field: F, kind: Kind) -> Self {
        Self { name, field, kind, many: true }
    }
}

impl Kind {
    fn compares(self, operator: Operator) -> bool {
        match operator {
            Operator::Equal | Operator::NotEqual => true,
            Operator::Has => false,
            _ => matches!(self, Self::Number | Self::Time | Self::Day | Self::Duration),
        }
    }
}

/// The same filter, once every restriction is about one of `fields` in a way that it can be asked for.
///
/// # Errors
/// `Invalid` about the field `filter`, with the position: `FILTER_FIELD_UNKNOWN`, `FILTER_OPERATOR_UNKNOWN` or `FILTER_VALUE_INVALID`
/// says what could stand there, `FILTER_UNSUPPORTED` names what of AIP-160 is not offered.
pub fn check<F: Copy>(tree: Tree<Term>, fields: &[Field<F>]) -> Result<Tree<Check<F>>, Error> {
    tree.try_map(&|Term { at, says }| match says {
        Says::Text(text) => Ok(Check::Text(text.text)),
        Says::Field { name, operator, value } => {
            let field = fields.iter().find(|field| field.name == name).ok_or_else(|| unknown(at, &name, fields))?;
            field.checked(at, operator, &value)
        }
    })
}

fn unknown<F>(at: usize, name: &str, fields: &[Field<F>]) -> Error {
    if name.split('.').count() > 2 {
        return fault(at, UNSUPPORTED, format!("{name} is deeper than one dot, which is not supported"));
    }
    let names: Vec<_> = fields.iter().map(|field| field.name).collect();
    let name: String = name.chars().take(40).collect();
    fault(at, "FILTER_FIELD_UNKNOWN", format!("there is no field {name:?}; there are {}", names.join(", ")))
}

impl<F: Copy> Field<F> {
    fn checked(&self, at: usize, operator: Operator, value: &Written) -> Result<Check<F>, Error> {
        let Self { name, field, kind, many } = *self;
        match (many, operator) {
            (true, Operator::Has) if value.text == "*" && !value.quoted => return Ok(Check::HasAny(field)),
            (true, Operator::Has) => {}
            (true, _) => {
                let what = format!("{name} is of a list, of which it is asked what it has: {name}:{value}");
                return Err(fault(at, "FILTER_OPERATOR_UNKNOWN", what));
            }
            (false, _) if kind.compares(operator) => {}
            (false, Operator::Has) => {
                let what = format!("{name} is of no list: ask for {name} = {value}");
                return Err(fault(at, "FILTER_OPERATOR_UNKNOWN", what));
            }
            (false, _) => {
                let what = format!("{name} is compared by = and != alone, not by {}", operator.text());
                return Err(fault(at, "FILTER_OPERATOR_UNKNOWN", what));
            }
        }
        if value.text.contains('*') {
            return Err(fault(value.at, UNSUPPORTED, "wildcards are not supported in values"));
        }
        let Some(bound) = kind.read(&value.text) else {
            let what = format!("expected {} for {name}, found {value}", kind.expects());
            return Err(fault(value.at, "FILTER_VALUE_INVALID", what));
        };
        Ok(if many { Check::Has(field, bound) } else { Check::Is(field, operator, bound) })
    }
}
