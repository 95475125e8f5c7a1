//! Methods of the contracts by what people type.

use std::collections::BTreeSet;

use anyhow::{Result, bail};
use contracts::tables::{METHODS, Method};

/// How many names are suggested.
const SUGGESTIONS: usize = 3;

/// The methods that `name` may mean: its parts, in any case, stand in their paths in this order.
///
/// # Errors
/// There is none; the message says what comes nearest.
pub fn methods(name: &str) -> Result<Vec<&'static Method>> {
    let found: Vec<_> = METHODS.iter().filter(|method| is_in(name, method.path)).collect();
    if found.is_empty() {
        bail!("the contracts have no method or service {name:?}; {}", nearest(name));
    }
    Ok(found)
}

/// The method that `name` means.
///
/// # Errors
/// There is none, or more than one; the message names them.
pub fn method(name: &str) -> Result<&'static Method> {
    match methods(name)?.as_slice() {
        [method] => Ok(method),
        several => {
            let names: Vec<_> = several.iter().map(|method| full(method)).collect();
            bail!("{name:?} may mean {}", names.join(" or "))
        }
    }
}

/// What `name` means to a fault: the full name of a method, or `<service>/*` where it ends with `*`.
///
/// # Errors
/// As of [`method`].
pub fn target(name: &str) -> Result<String> {
    let Some(service) = name.strip_suffix('*') else { return Ok(full(method(name)?).to_owned()) };
    let found: BTreeSet<_> =
        methods(service)?.into_iter().filter_map(|method| full(method).split('/').next()).collect();
    match found.iter().collect::<Vec<_>>().as_slice() {
        [service] => Ok(format!("{service}/*")),
        _ => bail!("{name:?} may mean {}", found.iter().map(|one| format!("{one}/*")).collect::<Vec<_>>().join(" or ")),
    }
}

/// The full name of a method, as `grpcurl` takes it.
#[must_use]
pub fn full(method: &Method) -> &'static str {
    method.path.trim_start_matches('/')
}

fn is_in(name: &str, path: &str) -> bool {
    let mut whole = parts(path);
    parts(name).all(|part| whole.any(|other| other.eq_ignore_ascii_case(part)))
}

fn parts(name: &str) -> impl Iterator<Item = &str> {
    name.split(['.', '/']).filter(|part| !part.is_empty())
}

/// What to type instead of `name`.
fn nearest(name: &str) -> String {
    let wanted = parts(name).last().unwrap_or_default().to_lowercase();
    let known: BTreeSet<&str> = METHODS.iter().flat_map(|method| parts(method.path)).collect();
    let mut near: Vec<_> = known.into_iter().map(|part| (distance(&wanted, &part.to_lowercase()), part)).collect();
    near.retain(|(distance, part)| *distance <= part.len() / 3);
    near.sort_unstable();
    let near: Vec<_> = near.into_iter().take(SUGGESTIONS).map(|(_, part)| part).collect();
    if near.is_empty() {
        "`tradewind policy show` lists them all".to_owned()
    } else {
        format!("did you mean {}?", near.join(" or "))
    }
}

/// How many letters have to be put in, left out or replaced to make `other` of `one` (Levenshtein's distance).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (at, letter) in one.chars().enumerate() {
        let mut diagonal = at;
        row[0] = at + 1;
        for (column, own) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *own);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[other.len()]
}
