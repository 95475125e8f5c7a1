//! What each event of stock does to levels.

use contracts::tradewind::inventory::v1::{
    Allocation, StockCorrected, StockCount, StockMovementKind as Kind, StockReceived, StockReleased, StockReserved,
    StockShipped,
};

tradewind_domain::events! {
    /// What moves units, whichever stream it is of.
    pub enum Moving {
        Received(StockReceived),
        Corrected(StockCorrected),
        Reserved(StockReserved),
        Released(StockReleased),
        Shipped(StockShipped),
    }
}

/// What one event did to one level.
#[derive(Clone, Debug, PartialEq)]
pub struct Movement {
    /// What.
    pub sku: String,
    /// Where.
    pub location: String,
    /// What it did.
    pub kind: Kind,
    /// What it changed the level's counters by.
    pub by: StockCount,
}

impl Moving {
    /// The order that units moved for; empty where there is none.
    #[must_use]
    pub fn order_id(&self) -> &str {
        match self {
            Self::Received(_) | Self::Corrected(_) => "",
            Self::Reserved(event) => &event.order_id,
            Self::Released(event) => &event.order_id,
            Self::Shipped(event) => &event.order_id,
        }
    }

    /// What the event did, in the order of its lines.
    #[must_use]
    pub fn movements(&self) -> Vec<Movement> {
        match self {
            Self::Received(event) => each(event.received.as_slice(), Kind::Receipt, |units| counted(units, 0, 0)),
            Self::Corrected(StockCorrected { sku, location, change, .. }) => vec![Movement {
                sku: sku.clone(),
                location: location.clone(),
                kind: Kind::Correction,
                by: counted(*change, 0, 0),
            }],
            Self::Reserved(event) => each(&event.allocations, Kind::Reservation, |units| counted(0, 0, units)),
            Self::Released(event) => each(&event.allocations, Kind::Release, |units| counted(0, 0, -units)),
            Self::Shipped(event) => each(&event.allocations, Kind::Shipment, |units| counted(0, units, -units)),
        }
    }
}

fn each(parts: &[Allocation], kind: Kind, by: fn(i64) -> StockCount) -> Vec<Movement> {
    let movement = |Allocation { sku, location, quantity }: &Allocation| Movement {
        sku: sku.clone(),
        location: location.clone(),
        kind,
        by: by(*quantity),
    };
    parts.iter().map(movement).collect()
}

const fn counted(received: i64, shipped: i64, reserved: i64) -> StockCount {
    StockCount { received, shipped, reserved }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts() -> Vec<Allocation> {
        let part = |location: &str, quantity| Allocation { sku: "TEA".into(), location: location.into(), quantity };
        vec![part("hull", 2), part("york", 3)]
    }

    fn told(event: impl Into<Moving>) -> (String, Vec<(Kind, String, StockCount)>) {
        let event = event.into();
        let movements = event.movements().into_iter().map(|moved| (moved.kind, moved.location, moved.by)).collect();
        (event.order_id().to_owned(), movements)
    }

    #[test]
    fn each_event_moves_what_it_says_by_its_lines() {
        let (order_id, at) = ("o".to_owned(), |location: &str, kind, by| (kind, location.to_owned(), by));
        let received = StockReceived { received: parts().pop() };
        assert_eq!(told(received), (String::new(), vec![at("york", Kind::Receipt, counted(3, 0, 0))]));
        let lost = StockCorrected { sku: "TEA".into(), location: "hull".into(), change: -4, ..Default::default() };
        assert_eq!(told(lost), (String::new(), vec![at("hull", Kind::Correction, counted(-4, 0, 0))]));
        let reserved = StockReserved { order_id: order_id.clone(), allocations: parts() };
        let expected =
            vec![at("hull", Kind::Reservation, counted(0, 0, 2)), at("york", Kind::Reservation, counted(0, 0, 3))];
        assert_eq!(told(reserved), (order_id.clone(), expected));
        let released = StockReleased { order_id: order_id.clone(), allocations: parts() };
        assert_eq!(told(released).1[1], at("york", Kind::Release, counted(0, 0, -3)));
        let shipped = StockShipped { order_id, allocations: parts() };
        assert_eq!(told(shipped).1[0], at("hull", Kind::Shipment, counted(0, 2, -2)));
    }

    #[test]
    fn a_release_of_nothing_moves_nothing() {
        assert_eq!(told(StockReleased { order_id: "o".into(), allocations: Vec::new() }), ("o".to_owned(), Vec::new()));
    }
}
