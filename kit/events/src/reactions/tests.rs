use super::*;

async fn do_nothing(_: &mut Tx, _: &Received<Placed>) -> Result<(), Error> {
    Ok(())
}

#[derive(Clone, PartialEq, prost::Message)]
struct Placed {}

impl Name for Placed {
    const NAME: &'static str = "OrderPlaced";
    const PACKAGE: &'static str = "tradewind.ordering.v1";
}

#[test]
fn the_source_of_an_event_is_its_context() {
    let reactions = Reactions::new("payment").on("do_nothing", do_nothing);
    assert_eq!(reactions.sources().into_iter().collect::<Vec<_>>(), ["ordering"]);
    assert_eq!(reactions.declared(), [("tradewind.ordering.v1.OrderPlaced".to_owned(), "do_nothing")]);
    assert!(reactions.is_declared("tradewind.ordering.v1.OrderPlaced"));
    assert!(reactions.to("tradewind.ordering.v1.OrderShipped").is_empty());
}

#[test]
fn an_event_may_be_known_by_its_name_alone() {
    async fn note(_: &mut Tx, _: &Received<()>) -> Result<(), Error> {
        Ok(())
    }
    let named = Reactions::new("payment.list").on_named("tradewind.ordering.v1.OrderShipped", "note", note);
    assert_eq!(named.declared(), [("tradewind.ordering.v1.OrderShipped".to_owned(), "note")]);
    assert_eq!((named.consumer(), named.reader()), ("payment.list", "payment.list"));
    let named = named.reading_as("payment");
    assert_eq!((named.consumer(), named.reader()), ("payment.list", "payment"));
}

#[test]
fn what_a_process_has_no_use_for_is_passed_over_and_stays_declared() {
    const PLACED: &str = "tradewind.ordering.v1.OrderPlaced";
    let reactions = || Reactions::new("payment").on("do_nothing", do_nothing).on("do_less", do_nothing);
    let less = reactions().without(|name| name == "do_less");
    assert_eq!(less.to(PLACED).len(), 1);
    let nothing = reactions().without(|name| name.starts_with("do_"));
    assert!(!nothing.is_declared(PLACED) && nothing.sources().is_empty());
    assert_eq!((less.declared(), nothing.declared()), (reactions().declared(), reactions().declared()));
}
