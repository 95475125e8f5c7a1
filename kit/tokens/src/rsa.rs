//! Which RSA keys are worth believing. What is computed here is small remainders of a public number.

/// Bits that a modulus has at least, and at most.
const BITS: std::ops::RangeInclusive<usize> = 2_048..=8_192;

/// Whether a key is long enough, its exponent is one that signs, and it was not made by the library whose keys are known by their
/// remainders and can be factored (CVE-2017-15361, ROCA).
pub(crate) fn is_sound(n: &[u8], e: &[u8]) -> bool {
    let (Some(first), Some([_, ..])) = (n.first(), Some(e)) else { return false };
    let bits = (n.len() * 8).saturating_sub(first.leading_zeros() as usize);
    let is_odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    let is_small = matches!(e, [] | [0, ..] | [1] | [2]);
    *first != 0 && BITS.contains(&bits) && is_odd(n) && is_odd(e) && !is_small && e.len() <= 4 && !has_pattern(n)
}

/// Primes below 168 for which 65537 does not make every remainder: a number that has one of its powers' remainders for all of them
/// is, but for one in some hundred millions, of that library.
const PRIMES: [u32; 17] = [11, 13, 17, 19, 37, 53, 61, 71, 73, 79, 97, 103, 107, 109, 127, 151, 157];

fn has_pattern(n: &[u8]) -> bool {
    PRIMES.iter().all(|prime| {
        let remainder = n.iter().fold(0, |remainder, byte| (remainder * 256 + u32::from(*byte)) % prime);
        let powers =
            std::iter::successors(Some(1), |power| Some(power * (65_537 % prime) % prime).filter(|next| *next != 1));
        remainder != 0 && powers.into_iter().any(|power| power == remainder)
    })
}

#[cfg(test)]
mod tests {
    use super::is_sound;

    /// 65537 to the power of `times`, which has the remainders of its own powers for every prime.
    fn power(times: u32) -> Vec<u8> {
        let mut number = vec![1_u8];
        for _ in 0..times {
            // Times 65537 is two bytes further to the left, and once more.
            let mut shifted = number.clone();
            shifted.extend([0, 0]);
            let (mut sum, mut carry) = (Vec::new(), 0);
            let longer = number.iter().rev().copied().chain(std::iter::repeat(0));
            for (one, other) in shifted.iter().rev().zip(longer) {
                let whole = u16::from(*one) + u16::from(other) + carry;
                sum.push(u8::try_from(whole % 256).unwrap_or_default());
                carry = whole / 256;
            }
            sum.extend((carry > 0).then_some(1));
            sum.reverse();
            number = sum;
        }
        number
    }

    #[test]
    fn a_key_whose_modulus_has_the_pattern_of_those_that_can_be_factored_is_not_sound() {
        const E: [u8; 3] = [1, 0, 1];
        let mut n = power(130);
        assert_eq!(power(2), [1, 0, 2, 0, 1]);
        assert!(!is_sound(&n, &E));
        // Odd still, and of the same length.
        let last = n.len() - 2;
        n[last] ^= 1;
        assert!(is_sound(&n, &E));
        assert!(!is_sound(&power(120), &E), "short, in any case");
    }
}
