use saga_model::{Setting, check};

fn assert_settles(units: i64, heard_again: usize, mistakes: bool, overtaken: bool) {
    let report = check(Setting { units, heard_again, mistakes, overtaken, mutant: None }).unwrap();
    assert!(report.broken().next().is_none(), "{report}");
}

#[test]
fn two_orders_over_one_unit_settle_however_they_are_interleaved() {
    assert_settles(1, 1, false, false);
}

#[test]
fn two_orders_that_both_find_a_unit_settle_too() {
    assert_settles(2, 0, false, false);
}

#[test]
fn two_orders_settle_however_the_outside_is_mistaken() {
    assert_settles(1, 0, true, false);
}

#[test]
fn two_orders_settle_although_a_participant_hears_an_event_too_late() {
    assert_settles(1, 0, false, true);
}
