//! Dates as they are written.

#![allow(clippy::unwrap_used)]
use time::macros::datetime;

use super::*;

fn column(texts: &[&str]) -> Result<Dates, String> {
    let rows: Vec<_> = texts.iter().map(|text| (parse(text).unwrap(), *text, format!("the row of {text}"))).collect();
    decide(rows.iter().map(|(written, text, place)| (*written, *text, || place.clone())))
        .map_err(|error| error.to_string())
}

#[test]
fn every_form_of_one_time_is_that_time() {
    let at = datetime!(2010-12-25 20:26:00);
    for text in [
        "2010-12-25 20:26:00",
        "2010-12-25T20:26",
        "2010-12-25T20:26:00Z",
        "2010-12-25t20:26:00.000+00:00",
        "2010-12-25T21:26:00+01:00",
        "2010-12-25 14:56 -0530",
        "2010/12/25 20:26",
        "2010.12.25 20:26",
        "25/12/2010 20:26",
        "12/25/2010 8:26 PM",
        "12/25/10 8:26pm",
        "25.12.10 20:26",
        "25-12-2010 08:26:00 p.m.",
        "25-Dec-10 20:26",
        "Dec 25, 2010 8:26 PM",
        "Sat, 25 December 2010 20:26:00 GMT",
        "2010 Dec 25 20:26",
        "40537.851388888889",
    ] {
        let written = parse(text).unwrap();
        let all: BTreeSet<_> = ALL.into_iter().filter_map(|dates| written.read(dates)).collect();
        assert!(all.contains(&at), "{text}: {all:?}");
    }
    assert_eq!(parse("20101225").unwrap().read(Dates::Day), Some(datetime!(2010-12-25 0:00)));
    assert_eq!(parse("12/25/10 12:05 am").unwrap().read(Dates::Month), Some(datetime!(2010-12-25 0:05)));
    for text in [
        "",
        "yesterday",
        "25/12",
        "1/2/3/4",
        "12/25/2010 25:00",
        "2010-13-01",
        "8:26",
        "536365",
        "25/12/2010 13:00 pm",
        "2010-02-30",
        "25 Foo 2010",
        "+40537",
        "2200-12-31 23:59 -14:00",
        "2010-12-25T20:26+-530",
        "2010-12-25 20:26 -+5",
    ] {
        assert!(parse(text).is_none_or(|written| ALL.into_iter().all(|dates| written.read(dates).is_none())), "{text}");
    }
}

#[test]
fn the_order_is_told_by_the_whole_column() {
    for (texts, expected) in [
        (&["1/12/2010 8:26", "13/12/2010 8:26"][..], Dates::Day),
        (&["12/1/10 8:26", "12/13/10 8:26"], Dates::Month),
        (&["01.12.2010", "24.12.2010"], Dates::Day),
        (&["10-12-01", "10-12-02", "11-01-31"], Dates::Year),
        (&["10/12/01 8:26", "10/12/02 8:26", "11/01/31 8:26"], Dates::Year),
        (&["10/1/5", "10/1/6", "10/2/5"], Dates::Year),
        (&["10.12.01", "10.12.24"], Dates::Year),
        (&["99/12/31", "99/12/30"], Dates::Year),
        (&["01-12-10", "02-12-10", "31-01-11"], Dates::Day),
        (&["01/12/10", "02/12/10", "31/01/11"], Dates::Day),
        (&["12/1/10", "12/13/10", "1/4/11"], Dates::Month),
        (&["12-01-10", "12-31-10"], Dates::Month),
        (&["2010-12-01 08:26:00", "12/25/2010 8:26"], Dates::Month),
        (&["1/1/2010", "2/2/2010"], Dates::Day),
        (&["2010-12-01"], Dates::Day),
    ] {
        assert_eq!(column(texts), Ok(expected), "{texts:?}");
    }
}

#[test]
fn what_nothing_tells_is_refused_with_its_row() {
    let told = column(&["2/2/10", "12/1/10 8:26"]).unwrap_err();
    assert!(told.contains("the row of 12/1/10 8:26") && told.contains("2010-01-12 or 2010-12-01"), "{told}");
    assert!(told.contains("--dates day-first or --dates month-first"), "{told}");
    for text in ["13/12/10", "10.11.12"] {
        let told = column(&[text]).unwrap_err();
        assert!(told.contains("no other row tells") && told.contains("--dates day-first or --dates"), "{told}");
    }
    let told = column(&["13/12/10", "13/12/10", "14/12/11"]).unwrap_err();
    assert!(told.contains("2010-12-13 or 2013-12-10") && told.contains("or --dates year-first"), "{told}");
    let told = column(&["13/12/2010", "12/13/2010", "1/2/2010"]).unwrap_err();
    assert!(told.contains("in two ways") && told.contains("12/13/2010") && told.contains("13/12/2010"), "{told}");
    let mut typo = vec!["12/25/2010"; 40];
    typo.push("25/12/2010");
    assert_eq!(column(&typo), Ok(Dates::Month), "one slip among forty is a slip");
}
