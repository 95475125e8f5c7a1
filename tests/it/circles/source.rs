//! A crate's modules as its sources declare them: what each imports under which name, and which paths it writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Attribute, Expr, Item, ItemMod, ItemUse, Lit, Macro, Meta, UseTree};

/// Names from the crate's root, none for the root itself.
pub(crate) type Name = Vec<String>;

/// A path as it is written, and where.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) path: Vec<String>,
    pub(crate) place: String,
}

#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) imports: BTreeMap<String, Vec<Vec<String>>>,
    pub(crate) globs: Vec<Vec<String>>,
    pub(crate) written: Vec<Written>,
}

pub(crate) type Modules = BTreeMap<Name, Module>;

/// The modules of the crate whose root is this file. What only its unit tests see is left out. `read` gives a file's text.
pub(crate) fn modules(root: &Path, read: &dyn Fn(&Path) -> Option<String>) -> Modules {
    let mut found = Modules::new();
    let text = read(root).unwrap_or_else(|| panic!("cannot read {}", root.display()));
    let folder = root.parent().unwrap().to_owned();
    file(&mut found, read, Vec::new(), root, folder, &text);
    found
}

fn file(
    found: &mut Modules,
    read: &dyn Fn(&Path) -> Option<String>,
    name: Name,
    path: &Path,
    folder: PathBuf,
    text: &str,
) {
    let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut reader = Reader { found, read, name, path, folder };
    reader.found.entry(reader.name.clone()).or_default();
    reader.visit_file(&parsed);
}

struct Reader<'a> {
    found: &'a mut Modules,
    read: &'a dyn Fn(&Path) -> Option<String>,
    name: Name,
    path: &'a Path,
    /// Where the files of its child modules are.
    folder: PathBuf,
}

impl Reader<'_> {
    fn module(&mut self) -> &mut Module {
        self.found.get_mut(&self.name).unwrap()
    }

    fn write(&mut self, path: Vec<String>, line: usize) {
        let place = format!("{}:{line}", self.path.display());
        self.module().written.push(Written { path, place });
    }

    fn import(&mut self, mut before: Vec<String>, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.import(before, &path.tree);
            }
            UseTree::Name(name) => {
                before.extend((name.ident != "self").then(|| name.ident.to_string()));
                self.bind(before.last().cloned(), before, line(&name.ident));
            }
            UseTree::Rename(rename) => {
                before.extend((rename.ident != "self").then(|| rename.ident.to_string()));
                self.bind(Some(rename.rename.to_string()), before, line(&rename.ident));
            }
            UseTree::Glob(glob) => {
                self.module().globs.push(before.clone());
                self.write(before, glob.star_token.span.start().line);
            }
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.import(before.clone(), tree)),
        }
    }

    fn bind(&mut self, name: Option<String>, path: Vec<String>, line: usize) {
        self.module().imports.entry(name.unwrap_or_default()).or_default().push(path.clone());
        self.write(path, line);
    }

    /// Paths among the tokens of a macro's call, which may be of any form.
    fn tokens(&mut self, tokens: TokenStream) {
        let mut path: Vec<String> = Vec::new();
        let mut colons = 0;
        let mut begins = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.finish(&mut path, begins);
                        begins = line(&ident);
                    }
                    path.push(ident.to_string());
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                TokenTree::Group(group) => {
                    self.finish(&mut path, begins);
                    colons = 0;
                    self.tokens(group.stream());
                }
                TokenTree::Punct(_) | TokenTree::Literal(_) => {
                    self.finish(&mut path, begins);
                    colons = 0;
                }
            }
        }
        self.finish(&mut path, begins);
    }

    fn finish(&mut self, path: &mut Vec<String>, line: usize) {
        let path = std::mem::take(path);
        if says_enough(&path) {
            self.write(path, line);
        }
    }

    fn declared(&mut self, item: &ItemMod) {
        let word = item.ident.to_string();
        let mut name = self.name.clone();
        name.push(word.clone());
        if let Some((_, items)) = &item.content {
            let (path, folder) = (self.path, self.folder.join(&word));
            let mut inner = Reader { found: self.found, read: self.read, name, path, folder };
            inner.found.entry(inner.name.clone()).or_default();
            items.iter().for_each(|item| inner.visit_item(item));
            return;
        }
        let (beside, below) = (self.folder.join(format!("{word}.rs")), self.folder.join(&word));
        let files = match told(&item.attrs).map(|path| self.path.parent().unwrap().join(path)) {
            Some(told) => vec![(told.clone(), told.parent().unwrap().to_owned())],
            None => vec![(beside, below.clone()), (below.join("mod.rs"), below)],
        };
        let found = files.into_iter().find_map(|(path, folder)| Some(((self.read)(&path)?, path, folder)));
        let (text, path, folder) =
            found.unwrap_or_else(|| panic!("{} declares {word}, whose file is not found", self.path.display()));
        file(self.found, self.read, name, &path, folder, &text);
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if !attributes(item).iter().any(only_for_tests) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        self.declared(item);
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        if item.leading_colon.is_none() {
            self.import(Vec::new(), &item.tree);
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<_> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if path.leading_colon.is_none() && says_enough(&names) {
            self.write(names, line(&path.segments[0].ident));
        }
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        self.visit_path(&call.path);
        self.tokens(call.tokens.clone());
    }

    /// How far something is seen is not what it uses.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_attribute(&mut self, _: &'ast Attribute) {}
}

fn line(ident: &Ident) -> usize {
    ident.span().start().line
}

/// A small letter alone is a variable rather than something of a module, and an import says so where it is not.
fn says_enough(path: &[String]) -> bool {
    path.len() > 1 || path.iter().any(|word| word.starts_with(char::is_uppercase))
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Mod(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        _ => &[],
    }
}

fn only_for_tests(attribute: &Attribute) -> bool {
    matches!(&attribute.meta, Meta::List(list) if list.path.is_ident("cfg") && list.tokens.to_string() == "test")
}

/// The file that `#[path]` names.
fn told(attributes: &[Attribute]) -> Option<String> {
    attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    })
}
