//! Whom a module uses: each path is followed, through re-exports, to the module that its item stands in.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::source::{Modules, Name};

/// Whoever re-exports in a circle is not followed for ever.
const FAR: usize = 16;

/// A module and one that it uses → the first place where it does.
pub(crate) type Uses = BTreeMap<(Name, Name), String>;

pub(crate) fn uses(modules: &Modules) -> Uses {
    let mut uses = Uses::new();
    for (name, module) in modules {
        for written in &module.written {
            for used in targets(modules, name, &written.path, FAR) {
                uses.entry((name.clone(), used)).or_insert_with(|| written.place.clone());
            }
        }
    }
    uses
}

/// The modules that what a path names may stand in: none where it is another crate's.
fn targets(modules: &Modules, at: &Name, path: &[String], far: usize) -> BTreeSet<Name> {
    let Some((first, rest)) = path.split_first() else { return BTreeSet::from([at.clone()]) };
    match first.as_str() {
        "crate" => from(modules, &Vec::new(), rest, far),
        "self" => from(modules, at, rest, far),
        "super" => {
            let above = at[..at.len().saturating_sub(1)].to_vec();
            if rest.first().is_some_and(|word| word == "super") {
                targets(modules, &above, rest, far)
            } else {
                from(modules, &above, rest, far)
            }
        }
        _ => known(modules, at, path, far).unwrap_or_default(),
    }
}

/// The same for a path that begins inside a module: what the module neither declares as a module nor imports is its own.
fn from(modules: &Modules, at: &Name, path: &[String], far: usize) -> BTreeSet<Name> {
    known(modules, at, path, far).unwrap_or_else(|| BTreeSet::from([at.clone()]))
}

fn known(modules: &Modules, at: &Name, path: &[String], far: usize) -> Option<BTreeSet<Name>> {
    let (first, rest) = path.split_first()?;
    let far = far.checked_sub(1)?;
    let module = &modules[at];
    let mut child = at.clone();
    child.push(first.clone());
    let imports = module.imports.get(first);
    if modules.contains_key(&child) && (imports.is_none() || !rest.is_empty()) {
        return Some(from(modules, &child, rest, far));
    }
    if let Some(imports) = imports {
        let whole = imports.iter().map(|import| [import.as_slice(), rest].concat());
        return Some(whole.flat_map(|path| follow(modules, at, &path, far)).collect());
    }
    module.globs.iter().find_map(|glob| {
        let within = targets(modules, at, glob, far);
        within.iter().find_map(|module| known(modules, module, path, far))
    })
}

/// An import is read in the module's own scope, and may be of the name that it binds.
fn follow(modules: &Modules, at: &Name, path: &[String], far: usize) -> BTreeSet<Name> {
    match path[0].as_str() {
        "crate" | "self" | "super" => targets(modules, at, path, far),
        first => {
            let mut child = at.clone();
            child.push(first.to_owned());
            if modules.contains_key(&child) { from(modules, &child, &path[1..], far) } else { BTreeSet::new() }
        }
    }
}

/// A circle of rooms that are beside each other, each with the place where it uses the next.
pub(crate) type Circle = Vec<(Name, String)>;

/// For each room of each circle's knot the shortest circle that was not yet told, at every level of the tree.
pub(crate) fn circles(uses: &Uses) -> Vec<Circle> {
    let mut beside: BTreeMap<Name, BTreeMap<Name, BTreeMap<Name, String>>> = BTreeMap::new();
    for ((user, used), place) in uses {
        let shared = user.iter().zip(used).take_while(|(a, b)| a == b).count();
        if shared < user.len() && shared < used.len() {
            let rooms = beside.entry(user[..shared].to_vec()).or_default();
            let edges = rooms.entry(user[..=shared].to_vec()).or_default();
            edges.entry(used[..=shared].to_vec()).or_insert_with(|| place.clone());
        }
    }
    let mut found: Vec<Circle> = Vec::new();
    for rooms in beside.values() {
        let mut told = BTreeSet::new();
        for room in rooms.keys() {
            if let Some(circle) = shortest(rooms, room)
                && told.insert(circle.iter().map(|(name, _)| name.clone()).collect::<BTreeSet<_>>())
            {
                found.push(circle);
            }
        }
    }
    found
}

fn shortest(rooms: &BTreeMap<Name, BTreeMap<Name, String>>, start: &Name) -> Option<Circle> {
    let mut before: BTreeMap<&Name, (&Name, &String)> = BTreeMap::new();
    let mut next = VecDeque::from([start]);
    while let Some(room) = next.pop_front() {
        for (used, place) in rooms.get(room).into_iter().flatten() {
            if before.contains_key(used) {
                continue;
            }
            before.insert(used, (room, place));
            if used == start {
                let mut circle = Vec::new();
                let mut at = start;
                loop {
                    let (user, place) = before[at];
                    circle.push((user.clone(), place.clone()));
                    at = user;
                    if at == start {
                        circle.reverse();
                        return Some(circle);
                    }
                }
            }
            next.push_back(used);
        }
    }
    None
}
