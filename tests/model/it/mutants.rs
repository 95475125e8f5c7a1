//! Each planted bug breaks what it should break, and the way there is told.

use saga_model::{Mutant, Setting, Story, check};

/// How the bug breaks the property.
fn story_of(mutant: Mutant, property: &str) -> Story {
    let (mistakes, overtaken) = (mutant.needs_mistakes(), mutant.needs_overtaking());
    let report = check(Setting { units: 1, heard_again: 1, mistakes, overtaken, mutant: Some(mutant) }).unwrap();
    let finding = report.broken().find(|finding| finding.name == property);
    finding.and_then(|finding| finding.counterexample.clone()).unwrap_or_else(|| panic!("not found:\n{report}"))
}

fn assert_found(mutant: Mutant, property: &str, last_step: &str) {
    let story = story_of(mutant, property);
    assert!(story.steps.last().is_some_and(|step| step.ends_with(last_step)), "{story:#?}");
}

#[test]
fn payment_that_keeps_what_a_void_found_captured() {
    let steps = story_of(Mutant::KeepsWhatAVoidFoundCaptured, "an order that comes to rest is settled").steps;
    let happened = |what: &str| steps.iter().any(|step| step.contains(what));
    assert!(happened("\"charge\": 450 captured, 0 refunded, but its answer is lost"), "{steps:#?}");
    assert!(happened("\"void\": 450 captured, 0 refunded, and answers"), "{steps:#?}");
}

#[test]
fn payment_that_takes_what_was_captured_for_what_was_asked() {
    let steps = story_of(Mutant::TrustsTheProvider, "an order that comes to rest is settled").steps;
    let happened = |what: &str| steps.iter().any(|step| step.contains(what));
    assert!(happened("\"charge\": 1 captured, 0 refunded, and answers"), "{steps:#?}");
}

#[test]
fn a_reservation_that_gives_its_units_back_twice() {
    let property = "every unit is on hand, set aside or shipped for one order";
    assert_found(Mutant::ReleasesTwice, property, "inventory hears OrderCancelled once more → StockReleased");
}

#[test]
fn a_parcel_that_leaves_before_its_order_is_confirmed() {
    let property = "a parcel leaves for a confirmed order only";
    let last = "the warehouse lets the parcel leave → ShipmentDispatched";
    assert_found(Mutant::DispatchesWithoutConfirmation, property, last);
}

#[test]
fn a_booking_that_confirms_an_order_that_is_being_cancelled() {
    let property = "money is given back once at most, and only where it is not to be kept";
    assert_found(Mutant::ConfirmsDespiteCancellation, property, "ordering hears ShipmentBooked → OrderConfirmed");
}

#[test]
fn a_charge_whose_attempts_have_keys_of_their_own() {
    let property = "a card is charged once at most";
    let last = "the card provider gets \"charge\": 900 captured, 0 refunded, and answers";
    assert_found(Mutant::ChargesUnderFreshKeys, property, last);
}

#[test]
fn payment_that_forgets_a_cancellation_which_came_before_its_charge() {
    let steps = story_of(Mutant::ForgetsWhatCameFirst, "an order that comes to rest is settled").steps;
    let late = |step: &String| step.contains("payment hears OrderStockConfirmed late");
    assert!(steps.iter().any(late), "{steps:#?}");
}

#[test]
fn the_shortest_way_is_told_step_by_step() {
    let story = story_of(Mutant::ReservesWhatIsReserved, "stock is never oversold");
    let steps = [
        "order 1: inventory hears OrderPlaced → StockReserved",
        "order 2: inventory hears OrderPlaced → StockReserved",
    ];
    assert_eq!(story.steps, steps);
    assert_eq!(story.end.last().map(String::as_str), Some("stock: 1 on hand, 2 reserved"));
}
