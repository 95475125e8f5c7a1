//! A document by its number, and in parts.

use contracts::tradewind::documents::v1::{GetDocumentRequest, GetDocumentResponse};
use tradewind_domain::Error;

use crate::domain::Number;

/// The most bytes of a part.
const PART: usize = 64 * 1024;

/// Which document is asked for.
pub(crate) fn number(request: &GetDocumentRequest) -> Result<Number, Error> {
    request.number.parse()
}

/// The document in parts of at most 64 KiB; the first says what it is.
pub(crate) fn parts(number: Number, bytes: Vec<u8>) -> impl Iterator<Item = GetDocumentResponse> {
    (0..bytes.len()).step_by(PART).map(move |at| {
        let data = bytes[at..bytes.len().min(at + PART)].to_vec();
        match at {
            0 => {
                let (content_type, file_name) = ("application/pdf".to_owned(), format!("{number}.pdf"));
                GetDocumentResponse { content_type, file_name, data }
            }
            _ => GetDocumentResponse { data, ..GetDocumentResponse::default() },
        }
    })
}

#[cfg(test)]
mod tests {
    use tradewind_domain::OrderId;

    use super::*;
    use crate::domain::Kind;

    #[test]
    fn all_parts_are_the_document_and_the_first_says_what_it_is() {
        let number = Number { kind: Kind::Invoice, order: OrderId::generate() };
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(2 * PART + 1).collect();
        let parts: Vec<_> = parts(number, bytes.clone()).collect();
        assert_eq!(parts.iter().map(|part| part.data.len()).collect::<Vec<_>>(), [PART, PART, 1]);
        assert_eq!(parts.iter().flat_map(|part| part.data.clone()).collect::<Vec<_>>(), bytes);
        let named: Vec<_> = parts.iter().map(|part| part.file_name.as_str()).collect();
        assert_eq!(named, [format!("{number}.pdf").as_str(), "", ""]);
    }
}
