//! What a server says of its load behind an answer: ORCA's per-request report (gRFC A51, `xds.data.orca.v3.OrcaLoadReport`), of
//! which one number is sent and read.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use http::{HeaderMap, HeaderValue};
use prost::encoding::{DecodeContext, WireType, decode_key, encode_key, skip_field};

use crate::body::LOAD;

/// `application_utilization`.
const UTILIZATION: u32 = 9;
/// A longer report is not looked at.
const LONGEST: usize = 256;

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The trailer of a server that has so much to do.
pub(crate) fn of(utilization: f64) -> Option<HeaderValue> {
    let mut report = Vec::with_capacity(9);
    encode_key(UTILIZATION, WireType::SixtyFourBit, &mut report);
    report.extend(utilization.to_le_bytes());
    let mut text = [0; 12];
    let length = BASE64.encode_slice(report, &mut text).ok()?;
    HeaderValue::from_bytes(&text[..length]).ok()
}

/// Calls under way as a part of what the server takes, if it says so.
pub(crate) fn utilization(trailers: &HeaderMap) -> Option<f64> {
    let text = trailers.get(LOAD)?.as_bytes();
    let mut buffer = [0; LONGEST];
    let length = BASE64.decode_slice(text, &mut buffer).ok()?;
    let mut report = &buffer[..length];
    while !report.is_empty() {
        let (tag, wire) = decode_key(&mut report).ok()?;
        if tag == UTILIZATION && wire == WireType::SixtyFourBit {
            return report.first_chunk().map(|bytes| f64::from_le_bytes(*bytes));
        }
        skip_field(wire, tag, &mut report, DecodeContext::default()).ok()?;
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn trailers(report: &[u8]) -> HeaderMap {
        let text = BASE64.encode(report);
        HeaderMap::from_iter([(LOAD.parse().unwrap(), text.parse().unwrap())])
    }

    #[test]
    fn what_is_said_is_read() {
        let said = HeaderMap::from_iter([(LOAD.parse().unwrap(), of(1.25).unwrap())]);
        assert_eq!(utilization(&said), Some(1.25));
    }

    #[test]
    fn one_number_is_read_and_the_others_are_passed_over() {
        let mut report = vec![(1 << 3) | 1];
        report.extend(0.5_f64.to_le_bytes());
        report.push(0x49);
        report.extend(0.25_f64.to_le_bytes());
        assert_eq!(utilization(&trailers(&report)), Some(0.25));
    }

    #[test]
    fn what_is_no_report_says_nothing() {
        for odd in [&b""[..], b"\xff", &[0x49, 1, 2], &[7; 400]] {
            assert_eq!(utilization(&trailers(odd)), None, "{odd:?}");
        }
        assert_eq!(utilization(&HeaderMap::new()), None);
    }
}
