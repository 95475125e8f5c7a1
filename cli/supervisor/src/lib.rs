//! Which services there are, for whoever runs a shop or looks at one: the command line, the tests over the whole shop, chaos and the
//! benchmarks. Where a shop lives, and what happens in it, is none of this crate's business.

pub mod services;
