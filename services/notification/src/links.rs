//! Where customers find what messages tell of.

use tradewind_runtime::outside;

/// Addresses at the front door; none where nobody has said where that is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links(Option<String>);

impl Links {
    /// Reads the front door's URL; empty is none.
    ///
    /// # Errors
    /// Text that is no http or https URL of a host.
    pub(crate) fn at(text: &str) -> Result<Self, String> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        let url = outside::base_url(text)?;
        Ok(Self(Some(url.as_str().trim_end_matches('/').to_owned())))
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
        self.0.as_ref().map(|door| format!("{door}/v1/documents/{kind}-{order}"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "in a test a panic is the verdict")]

    use super::*;

    #[test]
    fn documents_are_linked_to_where_the_front_door_is_known() {
        let order = "0190163d-8694-739b-aea5-966c26f8ad91";
        assert_eq!(Links::at("").unwrap().invoice(order), None);
        for door in ["https://shop.example", "https://shop.example/"] {
            let links = Links::at(door).unwrap();
            assert_eq!(links.invoice(order), Some(format!("https://shop.example/v1/documents/INV-{order}")));
            assert_eq!(links.credit_note(order), Some(format!("https://shop.example/v1/documents/CRN-{order}")));
            assert_eq!(links.invoice("7\r\nBcc: x"), None);
        }
        assert!(Links::at("shop.example").is_err());
    }
}
