//! Whole numbers as text: what matches those between two.

/// A pattern (ECMA 262, without anchors) of every text that is read as a number from `least` to `most`: with zeros before it, and
/// with a sign.
pub(super) fn between(least: i128, most: i128) -> String {
    let mut all = Vec::new();
    if most >= 0 {
        all.push(format!("\\+?0*{}", natural(least.max(0).unsigned_abs(), most.unsigned_abs())));
    }
    if least <= 0 {
        all.push(format!("-0*{}", natural(most.min(0).unsigned_abs(), least.unsigned_abs())));
    }
    any(all)
}

/// Of numbers that are not negative, without zeros before them. That of 0 may be nothing but those.
pub(super) fn natural(least: u128, most: u128) -> String {
    let digits = |number: u128| number.to_string();
    let (shortest, longest) = (digits(least).len(), digits(most).len());
    let of_length = |length: usize| {
        let from = if length > shortest { format!("1{}", "0".repeat(length - 1)) } else { digits(least) };
        let to = if length < longest { "9".repeat(length) } else { digits(most) };
        same_length(from.as_bytes(), to.as_bytes())
    };
    any((shortest..=longest).flat_map(of_length).collect())
}

fn same_length(from: &[u8], to: &[u8]) -> Vec<String> {
    let (Some((first, low)), Some((last, high))) = (from.split_first(), to.split_first()) else {
        return vec![String::new()];
    };
    if from.iter().all(|digit| *digit == b'0') && to.iter().all(|digit| *digit == b'9') {
        return vec![many(from.len())];
    }
    let after = |digit: u8, rest: Vec<String>| rest.into_iter().map(move |rest| format!("{}{rest}", char::from(digit)));
    if first == last {
        return after(*first, same_length(low, high)).collect();
    }
    let (mut all, mut begin, mut end) = (Vec::new(), *first, *last);
    if low.iter().any(|digit| *digit != b'0') {
        all.extend(after(begin, same_length(low, &vec![b'9'; low.len()])));
        begin += 1;
    }
    let is_cut = high.iter().any(|digit| *digit != b'9');
    end -= u8::from(is_cut);
    if begin <= end {
        let digit = if begin == end { String::new() } else { format!("-{}", char::from(end)) };
        all.push(format!("[{}{digit}]{}", char::from(begin), many(low.len())));
    }
    if is_cut {
        all.extend(after(*last, same_length(&vec![b'0'; high.len()], high)));
    }
    all
}

fn many(digits: usize) -> String {
    match digits {
        0 => String::new(),
        1 => "[0-9]".to_owned(),
        _ => format!("[0-9]{{{digits}}}"),
    }
}

fn any(mut all: Vec<String>) -> String {
    match all.len() {
        1 => all.remove(0),
        _ => format!("({})", all.join("|")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_told_by_their_digits() {
        assert_eq!(natural(0, 9), "[0-9]");
        assert_eq!(natural(1, 1000), "([1-9]|[1-9][0-9]|[1-9][0-9]{2}|1000)");
        assert_eq!(natural(17, 123), "(1[7-9]|[2-9][0-9]|1[0-1][0-9]|12[0-3])");
        assert_eq!(between(1, 9), "\\+?0*[1-9]");
        assert_eq!(between(-12, 7), "(\\+?0*[0-7]|-0*([0-9]|1[0-2]))");
        assert_eq!(between(-9, -3), "-0*[3-9]");
    }
}
