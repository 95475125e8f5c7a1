//! A way through the model, told step by step.

use payment::app::ChargeAnswer;
use serde::Serialize;
use shipping::app::Standing;

use crate::{
    outside::{CardRecord, CarrierRecord},
    rules::reservation,
    saga::Saga,
    shop::{Action, Orders, Stock, TwoOrders},
    step::{FEEDS, Party, Step},
};

/// How something came about, and what came of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Story {
    /// A line a step.
    pub steps: Vec<String>,
    /// A line for the stock and for each order, as they stand after the last step.
    pub end: Vec<String>,
}

impl Story {
    /// Tells what happened along a path.
    pub(crate) fn of(shop: &TwoOrders, path: Vec<(Orders, Option<Action>)>) -> Self {
        let mut story = Self::default();
        let mut names = ["order 1", "order 2"];
        for (state, action) in path {
            let Some(action) = action else {
                story.end = state.orders.iter().zip(names).map(|(id, name)| end(name, shop.order.saga(*id))).collect();
                story.end.push(stock(state.stock));
                story.end.sort();
                break;
            };
            let before = shop.order.saga(state.orders[action.which]);
            let after = shop.order.saga(action.edge.to);
            story.steps.push(format!("{}: {}", names[action.which], step(action.edge.step, before, after)));
            if shop.apply(&state, action).1 {
                names.swap(0, 1);
            }
        }
        story
    }
}

fn stock(stock: Stock) -> String {
    let refused = if stock.refused { ", fewer than were to be moved" } else { "" };
    format!("stock: {} on hand, {} reserved{refused}", stock.on_hand, stock.reserved)
}

fn step(step: Step, before: &Saga, after: &Saga) -> String {
    let what = match step {
        Step::Cancel => "the customer cancels".to_owned(),
        Step::Expire => "the deadline passes".to_owned(),
        Step::Dispatch => "the warehouse lets the parcel leave".to_owned(),
        Step::Deliver => "the parcel arrives".to_owned(),
        Step::Hear { feed, position } => format!("{} hears {}", FEEDS[feed].reader, before.message(feed, position)),
        Step::HearAgain { feed, position } => {
            format!("{} hears {} once more", FEEDS[feed].reader, before.message(feed, position))
        }
        Step::Overtake { feed, position } => {
            format!("{} is held up on its way to {}", before.message(feed, position), FEEDS[feed].reader)
        }
        Step::HearLate => match before.late() {
            Some((feed, position)) => format!("{} hears {} late", FEEDS[feed].reader, before.message(feed, position)),
            None => "nothing is late".to_owned(),
        },
        Step::Arrive { party, request, heard, .. } => {
            let action = &before.asked(party)[request].action;
            let state = match party {
                Party::CardProvider => card(&after.card.record),
                Party::Carrier => booking(&after.carrier.record).to_owned(),
            };
            let answer = if heard { "and answers" } else { "but its answer is lost or late" };
            format!("{} gets \"{action}\": {state}, {answer}", name(party))
        }
        Step::Record { party } => format!("the answer of {} is recorded", name(party)),
        Step::Crash { party } => format!("a crash loses the answer of {}", name(party)),
    };
    let told: Vec<_> = after.told_since(before).map(ToString::to_string).collect();
    match &after.refusal {
        Some(refusal) => format!("{what}; refused: {refusal}"),
        None if told.is_empty() => what,
        None => format!("{what} → {}", told.join(", ")),
    }
}

fn end(name: &str, saga: &Saga) -> String {
    format!(
        "{name}: {}, stock {}, payment {} (card {}), shipment {} (carrier {})",
        short(saga.order.status().as_str_name()),
        short(reservation(saga).as_str_name()),
        short(saga.payment.status().as_str_name()),
        card(&saga.card.record),
        short(saga.shipment.status().as_str_name()),
        booking(&saga.carrier.record),
    )
}

/// The end of an enum value's name: `ORDER_STATUS_PAID` without its prefix.
fn short(name: &str) -> &str {
    name.split_once("_STATUS_").map_or(name, |(_, short)| short)
}

const fn name(party: Party) -> &'static str {
    match party {
        Party::CardProvider => "the card provider",
        Party::Carrier => "the carrier",
    }
}

fn card(record: &CardRecord) -> String {
    let CardRecord { charge, captured, refunded } = record;
    match charge {
        None => "undecided".to_owned(),
        Some(ChargeAnswer::Captured(_)) => format!("{captured} captured, {refunded} refunded"),
        Some(ChargeAnswer::Declined { .. }) => "declined".to_owned(),
        Some(ChargeAnswer::Voided) => "voided".to_owned(),
    }
}

const fn booking(record: &CarrierRecord) -> &'static str {
    match record {
        None => "undecided",
        Some(Standing::Booked { .. }) => "booked",
        Some(Standing::Rejected { .. }) => "rejected",
        Some(Standing::Cancelled) => "cancelled",
        Some(Standing::Dispatched) => "dispatched",
        Some(Standing::Delivered) => "delivered",
    }
}
