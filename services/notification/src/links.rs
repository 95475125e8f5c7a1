//! Where customers find what messages tell of.

use tradewind_runtime::outside;

/// Addresses of documents; none where nobody has said which page shows them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links(Option<String>);

/// What stands for the number of a document.
const NUMBER: &str = "{number}";

impl Links {
    /// Reads the URL of a page, with `{number}` for a document's number; empty is none.
    ///
    /// # Errors
    /// Text that is no http or https URL of a host, tells a password, or has no place for a number.
    pub(crate) fn at(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let url = outside::base_url(&text.replace(NUMBER, "number"))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err("who reads a message would see the password in it".to_owned());
        }
        if text.contains(NUMBER) { Ok(Self(Some(text.to_owned()))) } else { Err(format!("{text} has no {NUMBER}")) }
    }

    /// Where an order's invoice is.
    pub(crate) fn invoice(&self, order_id: &str) -> Option<String> {
        self.document("INV", order_id)
    }

    /// Where an order's credit note is.
    pub(crate) fn credit_note(&self, order_id: &str) -> Option<String> {
        self.document("CRN", order_id)
    }

    /// As documents numbers and serves them. An id that is none has no document.
    fn document(&self, kind: &str, order_id: &str) -> Option<String> {
        let order = order_id.parse::<tradewind_domain::OrderId>().ok()?;
        self.0.as_ref().map(|page| page.replace(NUMBER, &format!("{kind}-{order}")))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the verdict")]

    use super::*;

    #[test]
    fn documents_are_linked_to_where_a_page_shows_them() {
        let order = "0190163d-8694-739b-aea5-966c26f8ad91";
        assert_eq!(Links::at("").unwrap().invoice(order), None);
        let links = Links::at("https://shop.example/documents/{number}?lang=en").unwrap();
        assert_eq!(links.invoice(order), Some(format!("https://shop.example/documents/INV-{order}?lang=en")));
        assert_eq!(links.credit_note(order), Some(format!("https://shop.example/documents/CRN-{order}?lang=en")));
        assert_eq!(links.invoice("7\r\nBcc: x"), None);
        for odd in ["shop.example/{number}", "https://shop.example", "https://me:secret@shop.example/{number}"] {
            assert!(Links::at(odd).is_err(), "{odd}");
        }
    }
}
