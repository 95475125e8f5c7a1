//! The contracts as documents: AsyncAPI for programs that read events, and one page for people. All of it is made of
//! descriptors, with the comments that they carry; nothing in here knows what services there are. Nothing is written to a
//! file or printed here.

mod asyncapi;
mod facts;
mod flow;
mod html;
mod page;
#[cfg(test)]
mod tests;

pub(crate) use asyncapi::document as asyncapi;
pub(crate) use page::page;
