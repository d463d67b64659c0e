//! Hexadecimal digits.

use alloc::string::String;

/// The value of a digit, in either case.
pub(crate) const fn value(octet: u8) -> Option<u8> {
    match octet {
        b'0'..=b'9' => Some(octet & 15),
        b'a'..=b'f' | b'A'..=b'F' => Some((octet & 15).wrapping_add(9)),
        _ => None,
    }
}

/// Appends the two digits of an octet; `ten` is the digit of that value, `b'a'` or `b'A'`, and with it the case.
pub(crate) fn push(octet: u8, ten: u8, out: &mut String) {
    for nibble in [octet >> 4, octet & 15] {
        let digit = nibble.checked_sub(10).map_or(nibble | b'0', |above| above.wrapping_add(ten));
        out.push(char::from(digit));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_have_the_values_that_rust_gives_them() {
        for octet in 0..=u8::MAX {
            assert_eq!(value(octet).map(u32::from), char::from(octet).to_digit(16), "{octet}");
        }
    }
}
