//! The entries of a period against the provider's statement of it.

use std::collections::HashMap;
use std::ops::Range;

use contracts::tradewind::{
    money::v1::Money,
    payment::v1::{DifferenceFound, DifferenceKind, Movement},
};
use prost_types::Timestamp;
use sha2::{Digest, Sha256};
use time::{Duration, OffsetDateTime};
use uuid::Builder;

/// What one side says that money did for an order.
#[derive(Clone, Debug, PartialEq)]
pub struct Said {
    /// What that side calls it: the line's id, or the event's.
    pub id: String,
    /// Whether it was taken or given back.
    pub movement: Movement,
    /// The order; empty where the side names none.
    pub order_id: String,
    /// How much.
    pub amount: Money,
    /// When.
    pub time: OffsetDateTime,
}

/// How far apart in time the two sides may be, and the time at which they are compared.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Now.
    pub now: OffsetDateTime,
    /// How much later than one side the other may have what moved.
    pub tolerance: Duration,
}

/// What a comparison comes to.
#[derive(Debug, Default, PartialEq)]
pub struct Compared {
    /// Lines of the period.
    pub lines: usize,
    /// Entries of the period.
    pub entries: usize,
    /// Everything that differs.
    pub differences: Vec<DifferenceFound>,
    /// Differences that there would be if one of the sides were late, and there are not.
    pub met: Vec<String>,
}

/// Compares what the statement says with what the ledger says. Each side is to hold what is within the tolerance of the `period` as
/// well, for what moved near an edge is beyond it on the other side; only what is in the period on one side is compared.
///
/// A charge or refund of an order is one line and one entry. Of several lines the one that agrees is the order's, or else the first;
/// the others are missing here. What is on one side alone is late as long as it is younger than the tolerance, and missing then.
#[must_use]
pub fn compare(lines: &[Said], entries: &[Said], period: &Range<OffsetDateTime>, moment: Moment) -> Compared {
    let within = |said: &&Said| period.contains(&said.time);
    let mut compared = Compared {
        lines: lines.iter().filter(within).count(),
        entries: entries.iter().filter(within).count(),
        ..Compared::default()
    };
    let mut of_orders: HashMap<_, Vec<&Said>> = HashMap::new();
    for line in lines {
        of_orders.entry((line.movement, line.order_id.as_str())).or_default().push(line);
    }
    for entry in entries {
        let left = of_orders.get_mut(&(entry.movement, entry.order_id.as_str())).filter(|left| !left.is_empty());
        let line = left.map(|left| {
            let agrees = left.iter().position(|line| line.amount == entry.amount);
            left.remove(agrees.unwrap_or_default())
        });
        match line {
            Some(line) if within(&line) || within(&entry) => compared.meet(line, entry),
            None if within(&entry) => {
                let kind = moment.missing(entry, DifferenceKind::MissingThere);
                compared.differences.push(difference(kind, None, Some(entry)));
            }
            _ => {}
        }
    }
    let mut left: Vec<_> = of_orders.into_values().flatten().filter(within).collect();
    left.sort_unstable_by_key(|line| (line.time, &line.id));
    compared.differences.extend(left.into_iter().map(|line| {
        let kind = moment.missing(line, DifferenceKind::MissingHere);
        difference(kind, Some(line), None)
    }));
    compared
}

impl Moment {
    fn missing(self, said: &Said, otherwise: DifferenceKind) -> DifferenceKind {
        if self.now - said.time < self.tolerance { DifferenceKind::Late } else { otherwise }
    }
}

impl Compared {
    fn meet(&mut self, line: &Said, entry: &Said) {
        self.met.push(id_of(Some(line), None));
        let kind = if line.amount.currency != entry.amount.currency {
            DifferenceKind::CurrencyDiffers
        } else if line.amount.minor != entry.amount.minor {
            DifferenceKind::AmountDiffers
        } else {
            self.met.push(id_of(None, Some(entry)));
            return;
        };
        self.differences.push(difference(kind, Some(line), Some(entry)));
    }
}

fn difference(kind: DifferenceKind, line: Option<&Said>, entry: Option<&Said>) -> DifferenceFound {
    let either = line.or(entry);
    let id = |side: Option<&Said>| side.map(|said| said.id.clone()).unwrap_or_default();
    DifferenceFound {
        difference_id: id_of(line, entry),
        kind: kind.into(),
        movement: either.map(|said| said.movement.into()).unwrap_or_default(),
        order_id: either.map(|said| said.order_id.clone()).unwrap_or_default(),
        line_id: id(line),
        event_id: id(entry),
        here: entry.map(|entry| entry.amount.clone()),
        there: line.map(|line| line.amount.clone()),
        time: either.map(|said| timestamp(said.time)),
    }
}

fn timestamp(time: OffsetDateTime) -> Timestamp {
    Timestamp { seconds: time.unix_timestamp(), nanos: i32::try_from(time.nanosecond()).unwrap_or_default() }
}

/// The same whenever and as whatever it is found: it is of the entry where there is one, and of the line otherwise.
fn id_of(line: Option<&Said>, entry: Option<&Said>) -> String {
    let (side, id) = match (entry, line) {
        (Some(entry), _) => ("entry", entry.id.as_str()),
        (None, line) => ("line", line.map_or("", |line| line.id.as_str())),
    };
    let digest: [u8; 32] = Sha256::digest(format!("{side}/{id}")).into();
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(digest).for_each(|(byte, of)| *byte = of);
    Builder::from_custom_bytes(bytes).into_uuid().to_string()
}
