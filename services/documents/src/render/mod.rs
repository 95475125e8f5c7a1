//! A document as PDF: what stands where, in which type, on how many pages. It is a function of what the document says alone: the same
//! document is the same bytes.
//!
//! Lengths are thousandths of a point, as whole numbers, so that no machine rounds otherwise.

mod font;
mod layout;
mod pdf;
mod sheet;
mod table;
mod text;

use crate::domain::Document;

/// The document as PDF.
#[must_use]
pub fn render(document: &Document) -> Vec<u8> {
    pdf::write(document, &layout::pages(document))
}

#[cfg(test)]
mod tests;
