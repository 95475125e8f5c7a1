//! Holds what a service reacts to against what its contract says it reacts to: each must name the other, or the service doesn't start.

use std::collections::BTreeSet;

use anyhow::bail;
use tradewind_mesh::DeclaredReaction;

/// Compares the reactions that were composed with those of the contract.
///
/// # Errors
/// Names every reaction that is missing on either side.
pub(crate) fn compare(
    name: &str,
    composed: &[(String, &'static str)],
    declared: &[DeclaredReaction],
) -> anyhow::Result<()> {
    let composed: BTreeSet<(&str, &str)> =
        composed.iter().map(|(event, reaction)| (event.as_str(), *reaction)).collect();
    let declared: BTreeSet<(&str, &str)> =
        declared.iter().map(|declared| (declared.event.as_str(), declared.reaction.as_str())).collect();
    let list = |some: Vec<&(&str, &str)>| {
        some.into_iter().map(|(event, reaction)| format!("{reaction} on {event}")).collect::<Vec<_>>().join(", ")
    };
    let unwritten = list(declared.difference(&composed).collect());
    let undeclared = list(composed.difference(&declared).collect());
    match (unwritten.is_empty(), undeclared.is_empty()) {
        (true, true) => Ok(()),
        (false, true) => bail!("the contract declares reactions that {name} doesn't have: {unwritten}"),
        (true, false) => bail!("{name} has reactions that its contract doesn't declare: {undeclared}"),
        (false, false) => bail!(
            "the contract declares reactions that {name} doesn't have: {unwritten}; {name} has reactions that its contract doesn't declare: {undeclared}"
        ),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn declared(event: &str, reaction: &str) -> DeclaredReaction {
        DeclaredReaction { event: event.into(), reaction: reaction.into(), undo: None, role: "ROLE_OBSERVE".into() }
    }

    #[test]
    fn a_reaction_that_only_one_side_names_is_refused_by_name() {
        let contract = [declared("a.v1.Sailed", "log_on_sailed"), declared("a.v1.Sunk", "mourn_on_sunk")];
        let both = [("a.v1.Sailed".to_owned(), "log_on_sailed"), ("a.v1.Sunk".to_owned(), "mourn_on_sunk")];
        assert!(compare("harbour", &both, &contract).is_ok());
        let text = compare("harbour", &both[..1], &contract).unwrap_err().to_string();
        assert_eq!(text, "the contract declares reactions that harbour doesn't have: mourn_on_sunk on a.v1.Sunk");
        let text = compare("harbour", &both, &contract[..1]).unwrap_err().to_string();
        assert_eq!(text, "harbour has reactions that its contract doesn't declare: mourn_on_sunk on a.v1.Sunk");
    }
}
