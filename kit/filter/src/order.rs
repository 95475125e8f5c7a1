//! In which order a list is wanted, as AIP-132 writes it.

use tradewind_domain::Error;

/// One thing that a list is sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sorted<F> {
    /// The field.
    pub by: F,
    /// The largest first.
    pub descending: bool,
}

/// What an `order_by` such as `create_time desc, total.minor` sorts by, in that order; nothing where it is empty. `fields` are those that
/// can be sorted by.
///
/// # Errors
/// `Invalid` about the field `order_by`, `INVALID_ORDER_BY`: a field that is not there or there twice, or anything but `asc` or
/// `desc` behind it.
pub fn order_by<F: Copy + PartialEq>(text: &str, fields: &[(&str, F)]) -> Result<Vec<Sorted<F>>, Error> {
    let invalid = |what: String| Error::invalid("order_by", "INVALID_ORDER_BY", what);
    let mut sorted: Vec<Sorted<F>> = Vec::new();
    if text.trim().is_empty() {
        return Ok(sorted);
    }
    for part in text.split(',') {
        let mut words = part.split_whitespace();
        let (name, direction, rest) = (words.next().unwrap_or_default(), words.next(), words.next());
        let Some((_, by)) = fields.iter().find(|(known, _)| *known == name) else {
            let (name, names): (String, Vec<_>) =
                (name.chars().take(40).collect(), fields.iter().map(|(name, _)| *name).collect());
            return Err(invalid(format!("cannot sort by {name:?}; there are {}", names.join(", "))));
        };
        let descending = match (direction, rest) {
            (None | Some("asc"), None) => false,
            (Some("desc"), None) => true,
            _ => return Err(invalid(format!("expected a comma, asc or desc behind {name}"))),
        };
        if sorted.iter().any(|sorted| sorted.by == *by) {
            return Err(invalid(format!("{name} is there twice")));
        }
        sorted.push(Sorted { by: *by, descending });
    }
    Ok(sorted)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FIELDS: [(&str, u8); 2] = [("time", 1), ("total.minor", 2)];

    #[test]
    fn fields_are_sorted_by_in_the_order_in_which_they_stand() {
        let read = |text| order_by(text, &FIELDS).unwrap().iter().map(|by| (by.by, by.descending)).collect::<Vec<_>>();
        assert_eq!(read("  time   desc ,total.minor"), [(1, true), (2, false)]);
        assert_eq!((read("total.minor asc"), read(" ")), (vec![(2, false)], Vec::new()));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let said = |text| order_by(text, &FIELDS).unwrap_err().violations.remove(0).description;
        assert_eq!(said("size"), "cannot sort by \"size\"; there are time, total.minor");
        assert_eq!(said("time,"), "cannot sort by \"\"; there are time, total.minor");
        assert_eq!(said("time down"), "expected a comma, asc or desc behind time");
        assert_eq!(said("time desc desc"), "expected a comma, asc or desc behind time");
        assert_eq!(said("time, time desc"), "time is there twice");
    }
}
