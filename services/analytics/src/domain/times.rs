//! Classes of times, which can be counted and added up, so that what half of all took less than is known without each of them.

/// Below so many milliseconds each is a class of its own.
pub const EXACT: i64 = 64;
/// From there on each doubling has so many classes.
const STEPS: i64 = 32;
/// After so many doublings, at 49 days, there is no longer time.
const DOUBLINGS: u32 = 26;

/// The classes between a time and twice as long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doubling {
    /// The least time that is in them, in milliseconds.
    pub least: i64,
    /// How much is in a class.
    pub width: i64,
    /// The first class.
    pub first: i64,
}

/// All of them, the shortest first.
pub fn doublings() -> impl Iterator<Item = Doubling> {
    (0..DOUBLINGS).map(|number| Doubling {
        least: EXACT << number,
        width: (EXACT / STEPS) << number,
        first: EXACT + STEPS * i64::from(number),
    })
}

/// The class of whatever is longer than all.
#[must_use]
pub const fn last_class() -> i64 {
    EXACT + STEPS * DOUBLINGS as i64
}

/// The time that stands for a class: its middle, which is off by no more than a 64th.
#[must_use]
pub fn middle(class: i64) -> i64 {
    let of = doublings().filter(|doubling| doubling.first <= class).last();
    of.map_or(class, |Doubling { least, width, first }| least + (class - first) * width + width / 2)
}

/// The time within which `share` of 100 of all took, of the classes in order with how many are in each; `None` of none.
#[must_use]
pub fn within(share: i64, classes: &[(i64, i64)]) -> Option<i64> {
    let all: i64 = classes.iter().map(|(_, count)| count).sum();
    // The first that has so many of them up to it, as nearest rank has it.
    let rank = (all * share + 99) / 100;
    let mut seen = 0;
    let reaches = |(_, count): &&(i64, i64)| {
        seen += count;
        seen >= rank
    };
    classes.iter().find(reaches).filter(|_| all > 0).map(|(class, _)| middle(*class))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(ms: i64) -> i64 {
        let of = doublings().find(|doubling| (doubling.least..doubling.least * 2).contains(&ms));
        let in_doubling = |of: Doubling| of.first + (ms - of.least) / of.width;
        if ms < EXACT { ms } else { of.map_or(last_class(), in_doubling) }
    }

    #[test]
    fn a_class_is_off_by_no_more_than_a_64th() {
        for ms in (0..10_000).chain((14..32).flat_map(|bit| [(1 << bit) - 1, 1 << bit, (1 << bit) + (1 << (bit - 2))]))
        {
            let told = middle(class(ms));
            assert!((told - ms).abs() * 64 <= ms, "{ms} is told as {told}");
        }
        assert_eq!(class(i64::MAX), last_class());
    }

    #[test]
    fn a_share_is_found_by_its_rank() {
        let classes: Vec<_> = (1..=100).map(|ms| (class(ms), 1)).collect();
        assert_eq!((within(50, &classes), within(1, &classes), within(50, &[])), (Some(50), Some(1), None));
        assert!((94..=96).contains(&within(95, &classes).unwrap()));
        assert_eq!(within(95, &[(7, 3)]), Some(7));
    }
}
