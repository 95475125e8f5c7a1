//! Whatever reads bytes or text is given them by a target of `make fuzz`, or it is said here by which other way, or why by none. So a
//! decoder that is added has a target.

mod elsewhere;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use prost_reflect::{DescriptorPool, MessageDescriptor};
use syn::visit::{self, Visit};
use syn::{
    Attribute, Expr, ExprCall, ExprPath, FnArg, GenericArgument, Ident, ImplItemFn, ItemEnum, ItemFn, ItemImpl,
    ItemMod, ItemStruct, Meta, PathArguments, PathSegment, ReturnType, Signature, Type,
};

use self::elsewhere::ELSEWHERE;
use crate::fuzzed::targets;
use crate::project::project;
use crate::purity::sources;

/// Collects what reads: a function that is called so, or that has prost or serde read for it, and a type that is made of text.
#[derive(Default)]
struct Decoders {
    within: Vec<String>,
    found: BTreeSet<String>,
}

impl Decoders {
    fn of(source: &Path) -> BTreeSet<String> {
        let mut decoders = Self::default();
        decoders.visit_file(&syn::parse_file(&fs::read_to_string(source).unwrap()).unwrap());
        decoders.found
    }

    fn within(&mut self, name: &Ident, attributes: &[Attribute], look: impl FnOnce(&mut Self)) {
        if has(attributes, "cfg", "test") || attributes.iter().any(|attribute| attribute.path().is_ident("test")) {
            return;
        }
        self.within.push(name.to_string());
        look(self);
        self.within.pop();
    }

    fn found(&mut self) {
        self.found.insert(self.within.join("::"));
    }

    fn look_at(&mut self, signature: &Signature) {
        let name = signature.ident.to_string();
        let is_called_so = ["parse", "decode", "read", "unpack"].contains(&name.split('_').next().unwrap_or_default());
        let waits = signature.asyncness.is_some()
            || matches!(&signature.output, ReturnType::Type(_, of) if named(of).is_some_and(|of| of.ident == "BoxFuture"));
        let takes = |input: &FnArg| matches!(input, FnArg::Typed(input) if is_read(&input.ty));
        if is_called_so && !waits && signature.inputs.iter().any(takes) {
            self.found();
        }
    }
}

impl Visit<'_> for Decoders {
    fn visit_item_mod(&mut self, item: &ItemMod) {
        if !has(&item.attrs, "cfg", "test") {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &ItemFn) {
        self.within(&item.sig.ident, &item.attrs, |all| {
            all.look_at(&item.sig);
            visit::visit_item_fn(all, item);
        });
    }

    fn visit_impl_item_fn(&mut self, item: &ImplItemFn) {
        self.within(&item.sig.ident, &item.attrs, |all| {
            all.look_at(&item.sig);
            visit::visit_impl_item_fn(all, item);
        });
    }

    fn visit_item_impl(&mut self, item: &ItemImpl) {
        let Some(of) = named(&item.self_ty) else { return };
        self.within(&of.ident, &item.attrs, |all| {
            let told = item.trait_.as_ref().and_then(|(told, _)| told.segments.last());
            if told.is_some_and(is_of_text) {
                all.found();
            }
            visit::visit_item_impl(all, item);
        });
    }

    fn visit_item_struct(&mut self, item: &ItemStruct) {
        if has(&item.attrs, "derive", "Deserialize") {
            self.within(&item.ident, &item.attrs, Self::found);
        }
    }

    fn visit_item_enum(&mut self, item: &ItemEnum) {
        if has(&item.attrs, "derive", "Deserialize") {
            self.within(&item.ident, &item.attrs, Self::found);
        }
    }

    /// What is read of this build's own contracts is of nobody else.
    fn visit_expr_call(&mut self, item: &ExprCall) {
        let is_own = |given: &Expr| matches!(given, Expr::Path(of) if of.path.segments.last().is_some_and(|of| of.ident == "DESCRIPTOR"));
        if !item.args.iter().any(is_own) {
            visit::visit_expr_call(self, item);
        }
    }

    fn visit_expr_path(&mut self, item: &ExprPath) {
        let names: Vec<_> = item.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        let [first, .., last] = names.as_slice() else { return };
        if last == "decode" || (first == "serde_json" && last.starts_with("from_")) {
            self.found();
        }
    }
}

fn has(attributes: &[Attribute], name: &str, word: &str) -> bool {
    let says = |attribute: &Attribute| match &attribute.meta {
        Meta::List(list) => list.path.is_ident(name) && words(list.tokens.clone()).contains(word),
        _ => false,
    };
    attributes.iter().any(says)
}

fn words(tokens: TokenStream) -> BTreeSet<String> {
    let word = |token| match token {
        TokenTree::Ident(word) => BTreeSet::from([word.to_string()]),
        TokenTree::Group(group) => words(group.stream()),
        _ => BTreeSet::new(),
    };
    tokens.into_iter().flat_map(word).collect()
}

fn named(of: &Type) -> Option<&PathSegment> {
    match of {
        Type::Path(path) => path.path.segments.last(),
        _ => None,
    }
}

/// Text, bytes, or headers.
fn is_read(of: &Type) -> bool {
    match of {
        Type::Reference(of) => is_read(&of.elem),
        Type::Slice(of) => named(&of.elem).is_some_and(|of| of.ident == "u8"),
        _ => named(of).is_some_and(|of| match of.ident.to_string().as_str() {
            "str" | "String" | "Bytes" | "HeaderMap" | "HeaderValue" => true,
            "Vec" => first_of(of).is_some_and(|of| named(of).is_some_and(|of| of.ident == "u8")),
            _ => false,
        }),
    }
}

fn first_of(of: &PathSegment) -> Option<&Type> {
    let PathArguments::AngleBracketed(of) = &of.arguments else { return None };
    of.args.iter().find_map(|of| if let GenericArgument::Type(of) = of { Some(of) } else { None })
}

/// Tells whether a trait makes a value of text or bytes.
fn is_of_text(told: &PathSegment) -> bool {
    let name = told.ident.to_string();
    matches!(name.as_str(), "FromStr" | "Deserialize") || (name == "TryFrom" && first_of(told).is_some_and(is_read))
}

/// The sources below a folder that have decoders, and those that have targets.
fn of_production(folder: &Path) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let is_test =
        |source: &PathBuf| source.ends_with("tests.rs") || source.components().any(|part| part.as_os_str() == "tests");
    let all =
        sources(folder).into_iter().filter(|source| !is_test(source) && !source.starts_with(project("kit/testing")));
    all.filter(|source| source.components().any(|part| part.as_os_str() == "src"))
        .partition(|source| !source.ends_with("fuzzed.rs"))
}

/// All that a source names.
fn words_of(source: &Path) -> BTreeSet<String> {
    words(fs::read_to_string(source).unwrap().parse().unwrap())
}

/// The folder `src` of the crate that a source is of.
fn crate_of(source: &Path) -> &Path {
    source.ancestors().find(|folder| folder.ends_with("src")).unwrap()
}

/// What a decoder is known by: a function that is of no type by its module as well.
fn known_by(source: &Path, decoder: &str) -> BTreeSet<String> {
    let of_type = decoder.starts_with(char::is_uppercase);
    let file = if source.ends_with("mod.rs") { source.parent().unwrap() } else { source };
    let module = file.file_stem().filter(|_| !of_type).map(|module| module.to_str().unwrap());
    decoder.split("::").chain(module).map(str::to_owned).collect()
}

#[test]
fn every_decoder_has_a_target() {
    let (read, fuzzed): (Vec<_>, Vec<_>) =
        ["kit", "services", "cli", "console", "shop"].map(|folder| of_production(&project(folder))).into_iter().unzip();
    let (read, fuzzed) = (read.concat(), fuzzed.concat());
    let known: Vec<_> = fuzzed.iter().flat_map(|source| targets(source)).collect();
    for (how, _) in ELSEWHERE {
        assert!(how.contains(' ') || known.iter().any(|target| target == how), "{how} is no target");
    }
    let mut named = BTreeMap::<_, BTreeSet<_>>::new();
    for source in &fuzzed {
        named.entry(crate_of(source)).or_default().extend(words_of(source));
    }
    let mut elsewhere: BTreeSet<_> = ELSEWHERE.iter().flat_map(|(_, decoders)| *decoders).copied().collect();
    let (mut count, mut without) = (0, Vec::new());
    for source in &read {
        for decoder in Decoders::of(source) {
            let place = format!("{} {decoder}", source.strip_prefix(project("")).unwrap().display());
            let is_named = named.get(crate_of(source)).is_some_and(|named| known_by(source, &decoder).is_subset(named));
            let is_elsewhere = elsewhere.remove(place.as_str());
            assert!(!(is_named && is_elsewhere), "{place} is named in a fuzzed.rs, and need not be listed");
            count += 1;
            if !is_named && !is_elsewhere {
                without.push(place);
            }
        }
    }
    assert!(count >= 80, "only {count} decoders were found");
    assert!(without.is_empty(), "have no target (docs/adding.md, A decoder), and are not listed here: {without:#?}");
    assert!(elsewhere.is_empty(), "are listed, and no decoders: {elsewhere:#?}");
}

#[test]
fn every_request_is_read_by_a_target() {
    let pool = DescriptorPool::decode(contracts::DESCRIPTOR).unwrap();
    let requests =
        pool.services().flat_map(|service| service.methods().map(|method| method.input()).collect::<Vec<_>>());
    let requests: Vec<_> = requests.filter(|request| request.fields().len() > 0).collect();
    assert!(requests.len() >= 60, "only {} requests were found", requests.len());
    let is_read = |request: &MessageDescriptor| {
        let context = request.package_name().split('.').nth(1).unwrap();
        let service = project("services").join(context);
        let (_, fuzzed) = of_production(&if service.exists() { service } else { project("kit") });
        fuzzed.iter().any(|source| words_of(source).contains(request.name()))
    };
    let without: Vec<_> =
        requests.iter().filter(|request| !is_read(request)).map(MessageDescriptor::full_name).collect();
    assert!(without.is_empty(), "are decoded by no target: {without:#?}");
}
