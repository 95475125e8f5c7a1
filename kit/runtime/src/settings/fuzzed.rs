//! The texts of settings, as `make fuzz` makes them up.

use super::parse;

/// Which setting, and its text. None names a file: whatever is there would be opened.
pub(crate) fn settings(bytes: &[u8]) {
    let Some((which, text)) = bytes.split_first() else { return };
    let Ok(text) = str::from_utf8(text) else { return };
    match which % 14 {
        0 => comes_back(text, parse::address),
        1 => _ = parse::trust_domain(text),
        2 => _ = parse::database(text),
        3 => _ = parse::partitions(text),
        4 => _ = parse::broker(text),
        5 => _ = parse::peer(text),
        6 => comes_back(text, parse::switch),
        7 => _ = parse::instance(text),
        8 => _ = parse::log_format(text),
        9 => _ = parse::log(text),
        10 => {
            let read = parse::duration(text);
            let again = read.clone().map(|time| humantime::format_duration(time).to_string());
            assert_eq!(again.and_then(|text| parse::duration(&text)), read);
        }
        11 => comes_back(text, parse::workers),
        12 => _ = parse::ratio(text),
        _ => _ = parse::endpoint(text),
    }
}

fn comes_back<T: ToString + PartialEq>(text: &str, parse: impl Fn(&str) -> Result<T, String>) {
    if let Ok(value) = parse(text) {
        assert!(parse(&value.to_string()) == Ok(value), "{text:?}");
    }
}
