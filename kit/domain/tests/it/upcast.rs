//! An event that an earlier release wrote in another form is read in the present one.

use prost::Message;
use tradewind_domain::{DecodeError, EventSet};

/// What a parcel weighs was told in kilograms before it was told in grams.
#[derive(Clone, PartialEq, Message)]
struct Weighed {
    #[prost(uint32, tag = "1")]
    kilograms: u32,
    #[prost(uint64, tag = "2")]
    grams: u64,
}

#[derive(Clone, PartialEq, Message)]
struct Left {}

#[derive(Clone, PartialEq, Message)]
struct Scanned {}

impl prost::Name for Weighed {
    const NAME: &'static str = "Weighed";
    const PACKAGE: &'static str = "tradewind.parcels.v1";
}

impl prost::Name for Left {
    const NAME: &'static str = "Left";
    const PACKAGE: &'static str = "tradewind.parcels.v1";
}

impl prost::Name for Scanned {
    const NAME: &'static str = "Scanned";
    const PACKAGE: &'static str = "tradewind.parcels.v1";
}

tradewind_domain::events! {
    /// What can happen to a parcel.
    enum ParcelEvent { Weighed(Weighed): upcast in_grams, Scanned(Scanned): informative, Left(Left) }
}

fn in_grams(Weighed { kilograms, grams }: Weighed) -> Weighed {
    Weighed { kilograms: 0, grams: grams + u64::from(kilograms) * 1_000 }
}

/// What each release has written, and what it is now.
const GOLDEN: [(&[u8], u64); 2] = [(b"\x08\x03", 3_000), (b"\x10\xdc\x0b", 1_500)];

#[test]
fn what_each_release_has_written_is_read_in_the_present_form() {
    for (bytes, grams) in GOLDEN {
        let event = ParcelEvent::decode("tradewind.parcels.v1.Weighed", bytes).unwrap();
        assert_eq!(event, ParcelEvent::Weighed(Weighed { kilograms: 0, grams }));
        // Present is present: it is written as it is read.
        assert_eq!(ParcelEvent::decode(&event.type_name(), &event.encode()).unwrap(), event);
    }
}

#[test]
fn it_is_decided_by_as_any_other() {
    assert_eq!(ParcelEvent::type_names(), ["tradewind.parcels.v1.Weighed", "tradewind.parcels.v1.Left"]);
    let marks =
        [Weighed::default().into(), Scanned {}.into(), Left {}.into()].map(|event: ParcelEvent| event.is_informative());
    assert_eq!(marks, [false, true, false]);
    let broken = ParcelEvent::decode("tradewind.parcels.v1.Weighed", b"\x08").unwrap_err();
    assert!(matches!(broken, DecodeError::Malformed { .. }), "{broken}");
}
