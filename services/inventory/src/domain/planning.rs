//! Which units of which location cover an order: a function of what is asked for and what there is.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use contracts::tradewind::inventory::v1::Allocation;
use contracts::tradewind::ordering::v1::{PricedLine, ShortLine};
use prost::Message;
use tradewind_domain::{DomainError, ErrorKind, LARGEST_EVENT};

/// Bytes that the parts of one order may take, so that the event that lists them has room for the rest.
const MOST_BYTES: usize = LARGEST_EVENT - 64 * 1024;

/// What one location can still give of one SKU.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Level {
    /// What.
    pub sku: String,
    /// Where.
    pub location: String,
    /// Units that can still be set aside; never negative.
    pub available: i64,
}

/// The units an order needs of each SKU; lines of the same SKU are added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand(BTreeMap<String, i64>);

/// Why the lines of an order are no demand. Ordering never places such an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidDemand {
    /// There are no lines.
    #[error("the order has no lines")]
    NoLines,
    /// A line asks for nothing, or for less.
    #[error("a line asks for {0} units")]
    Quantity(i32),
}

impl DomainError for InvalidDemand {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    fn reason(&self) -> &'static str {
        "INVALID_DEMAND"
    }
}

/// How an order is to be answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Plan {
    /// These units cover it: by SKU, within a SKU from the fullest location down, equally full ones by name.
    Covered(Vec<Allocation>),
    /// These SKUs, and no others, are short.
    Short(Vec<ShortLine>),
}

impl Demand {
    /// Adds up the lines of an order.
    ///
    /// # Errors
    /// When there are none, or one asks for less than one unit.
    pub fn of(lines: &[PricedLine]) -> Result<Self, InvalidDemand> {
        if lines.is_empty() {
            return Err(InvalidDemand::NoLines);
        }
        let mut units = BTreeMap::new();
        for line in lines {
            if line.quantity < 1 {
                return Err(InvalidDemand::Quantity(line.quantity));
            }
            let sum: &mut i64 = units.entry(line.sku.clone()).or_default();
            *sum = sum.saturating_add(i64::from(line.quantity));
        }
        Ok(Self(units))
    }

    /// The SKUs, in order.
    #[must_use]
    pub fn skus(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// Covers every SKU from `levels`, or names every SKU that they do not cover. An order that would have to be gathered from
    /// more places than an event can list is answered as if each SKU had to come from one.
    #[must_use]
    pub fn plan(&self, levels: &[Level]) -> Plan {
        match self.plan_from(levels, usize::MAX) {
            Plan::Covered(parts) if parts.iter().map(|part| part.encoded_len() + 4).sum::<usize>() > MOST_BYTES => {
                self.plan_from(levels, 1)
            }
            plan => plan,
        }
    }

    /// The plan that takes each SKU from at most so many places.
    fn plan_from(&self, levels: &[Level], places: usize) -> Plan {
        let mut by_sku: BTreeMap<&str, Vec<&Level>> = BTreeMap::new();
        for level in levels.iter().filter(|level| level.available > 0) {
            by_sku.entry(&level.sku).or_default().push(level);
        }
        let mut allocations = Vec::new();
        let mut short_lines = Vec::new();
        for (sku, &requested) in &self.0 {
            let mut sources = by_sku.remove(sku.as_str()).unwrap_or_default();
            sources.sort_by_key(|level| (Reverse(level.available), level.location.as_str()));
            sources.truncate(places);
            let available = sources.iter().fold(0_i64, |sum, level| sum.saturating_add(level.available));
            if available < requested {
                short_lines.push(ShortLine { sku: sku.clone(), requested, available });
                continue;
            }
            let mut missing = requested;
            for level in sources {
                if missing == 0 {
                    break;
                }
                let quantity = missing.min(level.available);
                missing -= quantity;
                allocations.push(Allocation { sku: sku.clone(), location: level.location.clone(), quantity });
            }
        }
        if short_lines.is_empty() { Plan::Covered(allocations) } else { Plan::Short(short_lines) }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]
    use super::*;
    use proptest::prelude::*;

    fn line(sku: &str, quantity: i32) -> PricedLine {
        PricedLine { sku: sku.to_owned(), quantity, ..PricedLine::default() }
    }

    fn level(sku: &str, location: &str, available: i64) -> Level {
        Level { sku: sku.to_owned(), location: location.to_owned(), available }
    }

    fn taken(sku: &str, location: &str, quantity: i64) -> Allocation {
        Allocation { sku: sku.to_owned(), location: location.to_owned(), quantity }
    }

    #[test]
    fn takes_from_the_fullest_location_first_then_by_name() {
        let demand = Demand::of(&[line("a", 9)]).unwrap();
        let levels = [level("a", "york", 3), level("a", "bath", 3), level("a", "hull", 5), level("a", "ayr", 1)];
        let expected = vec![taken("a", "hull", 5), taken("a", "bath", 3), taken("a", "york", 1)];
        assert_eq!(demand.plan(&levels), Plan::Covered(expected));
    }

    #[test]
    fn lines_of_one_sku_are_added_up() {
        let demand = Demand::of(&[line("a", 2), line("b", 1), line("a", 2)]).unwrap();
        let short = ShortLine { sku: "a".to_owned(), requested: 4, available: 3 };
        assert_eq!(demand.plan(&[level("a", "hull", 3), level("b", "hull", 1)]), Plan::Short(vec![short]));
    }

    #[test]
    fn every_short_line_is_named_with_what_there_is_everywhere() {
        let demand = Demand::of(&[line("c", 1), line("a", 4), line("b", 1)]).unwrap();
        let short = |sku: &str, requested, available| ShortLine { sku: sku.to_owned(), requested, available };
        let levels = [level("a", "hull", 1), level("a", "york", 2), level("b", "hull", 1)];
        assert_eq!(demand.plan(&levels), Plan::Short(vec![short("a", 4, 3), short("c", 1, 0)]));
    }

    #[test]
    fn huge_levels_do_not_overflow() {
        let demand = Demand::of(&[line("a", i32::MAX)]).unwrap();
        let plan = demand.plan(&[level("a", "hull", i64::MAX), level("a", "york", i64::MAX)]);
        assert_eq!(plan, Plan::Covered(vec![taken("a", "hull", i64::from(i32::MAX))]));
    }

    #[test]
    fn an_order_scattered_over_more_places_than_an_event_can_list_is_short() {
        let place = |sku: usize, place: usize| level(&format!("{sku:0>63}"), &format!("{place:0>63}"), 1);
        let levels: Vec<Level> = (0..400).flat_map(|sku| (0..22).map(move |at| place(sku, at))).collect();
        let all: Vec<_> = (0..400).map(|sku| line(&format!("{sku:0>63}"), 22)).collect();
        match Demand::of(&all).unwrap().plan(&levels) {
            Plan::Short(short) => {
                assert_eq!(short.len(), 400);
                assert_eq!((short[0].requested, short[0].available), (22, 1));
            }
            Plan::Covered(parts) => panic!("{} parts", parts.len()),
        }
        assert!(matches!(Demand::of(&all[..200]).unwrap().plan(&levels), Plan::Covered(parts) if parts.len() == 4_400));
    }

    #[test]
    fn nothing_and_less_are_no_demand() {
        assert_eq!(Demand::of(&[]), Err(InvalidDemand::NoLines));
        assert_eq!(Demand::of(&[line("a", 1), line("b", 0)]), Err(InvalidDemand::Quantity(0)));
    }

    fn lines() -> impl Strategy<Value = Vec<PricedLine>> {
        prop::collection::vec(("[a-d]", 1_i32..20).prop_map(|(sku, quantity)| line(&sku, quantity)), 1..8)
    }

    fn levels() -> impl Strategy<Value = Vec<Level>> {
        prop::collection::btree_map(("[a-e]", "[x-z]"), 0_i64..20, 0..15).prop_map(|levels| {
            levels.into_iter().map(|((sku, location), available)| level(&sku, &location, available)).collect()
        })
    }

    fn total(levels: &[Level], sku: &str) -> i64 {
        levels.iter().filter(|level| level.sku == sku).map(|level| level.available).sum()
    }

    proptest! {
        #[test]
        fn a_plan_never_takes_more_than_there_is_and_covers_exactly(lines in lines(), levels in levels()) {
            let demand = Demand::of(&lines).unwrap();
            if let Plan::Covered(allocations) = demand.plan(&levels) {
                let mut places = std::collections::BTreeSet::new();
                for part in &allocations {
                    prop_assert!(part.quantity > 0);
                    prop_assert!(places.insert((&part.sku, &part.location)), "a place is named twice");
                    let there = levels.iter().find(|level| level.sku == part.sku && level.location == part.location);
                    prop_assert!(there.is_some_and(|level| part.quantity <= level.available));
                }
                for (sku, requested) in &demand.0 {
                    let given: i64 = allocations.iter().filter(|part| part.sku == *sku).map(|part| part.quantity).sum();
                    prop_assert_eq!(given, *requested);
                }
                prop_assert!(allocations.iter().all(|part| demand.0.contains_key(&part.sku)));
            }
        }

        #[test]
        fn exactly_the_short_skus_are_named(lines in lines(), levels in levels()) {
            let demand = Demand::of(&lines).unwrap();
            let expected: Vec<ShortLine> = demand.0.iter()
                .map(|(sku, requested)| ShortLine { sku: sku.clone(), requested: *requested, available: total(&levels, sku) })
                .filter(|short| short.available < short.requested)
                .collect();
            match demand.plan(&levels) {
                Plan::Covered(_) => prop_assert!(expected.is_empty()),
                Plan::Short(short) => prop_assert_eq!(short, expected),
            }
        }

        #[test]
        fn the_order_of_levels_does_not_matter(lines in lines(), mut levels in levels()) {
            let demand = Demand::of(&lines).unwrap();
            let plan = demand.plan(&levels);
            levels.reverse();
            prop_assert_eq!(demand.plan(&levels), plan);
        }
    }
}
