//! Whoever is outside and reads events, and what its certificate says that it may read.

/// What the name of a reader says, `reader/<name>/<context>/…`: who it is, and whose events it may read. No service's name has a
/// slash, so none is a reader's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reader<'a> {
    name: &'a str,
    contexts: &'a str,
}

/// What its name begins with.
pub(crate) const FOLDER: &str = "reader/";

impl<'a> Reader<'a> {
    /// The reader that `caller` is the name of, if it is one's.
    #[must_use]
    pub fn of(caller: &'a str) -> Option<Self> {
        let (name, contexts) = caller.strip_prefix(FOLDER)?.split_once('/')?;
        Some(Self { name, contexts })
    }

    /// What it is called, e.g. `reporting`.
    #[must_use]
    pub const fn name(&self) -> &'a str {
        self.name
    }

    /// The contexts whose events it may read, in order.
    pub fn contexts(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        self.contexts.split('/')
    }

    /// Whether it may read the events of `context`.
    #[must_use]
    pub fn reads(&self, context: &str) -> bool {
        self.contexts().any(|granted| granted == context)
    }
}
