//! How far a word goes, eight bytes at a time.
//!
//! Most bytes of a manifest stand within words. To ask each of them on its own whether it ends one
//! costs more than everything else that the fast path does.

const ONES: u64 = u64::from_ne_bytes([1; 8]);
const HIGHS: u64 = u64::from_ne_bytes([0x80; 8]);

/// How many bytes stand before the first that may end a word of a block: a control character, `:`
/// or `#`.
pub(super) fn block_word(bytes: &[u8]) -> usize {
    length(bytes, |eight| below(eight, b' ') | equal(eight, b':') | equal(eight, b'#'))
}

/// The same within brackets, where `,`, brackets and braces may end it too.
pub(super) fn flow_word(bytes: &[u8]) -> usize {
    length(bytes, |eight| {
        // One bit tells a bracket from a brace.
        let braces = eight | (ONES * 0x20);
        below(eight, b' ')
            | equal(eight, b':')
            | equal(eight, b'#')
            | equal(eight, b',')
            | equal(braces, b'{')
            | equal(braces, b'}')
    })
}

fn length(bytes: &[u8], stops: impl Fn(u64) -> u64) -> usize {
    let first = |found: u64| found.trailing_zeros() as usize / 8;
    let (eights, rest) = bytes.as_chunks::<8>();
    for (at, eight) in eights.iter().enumerate() {
        let found = stops(u64::from_le_bytes(*eight));
        if found != 0 {
            return at * 8 + first(found);
        }
    }
    // Filled up with NUL, which ends a word.
    let mut last = [0; 8];
    last.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
    eights.len() * 8 + first(stops(u64::from_le_bytes(last))).min(rest.len())
}

/// Sets the high bit of bytes below `limit` (at most 128). What stands above the first such byte may
/// be marked wrongly, so that only the lowest mark counts.
const fn below(eight: u64, limit: u8) -> u64 {
    eight.wrapping_sub(ONES * limit as u64) & !eight & HIGHS
}

/// The same for bytes that are equal to one.
const fn equal(eight: u64, byte: u8) -> u64 {
    below(eight ^ (ONES * byte as u64), 1)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bytewise(bytes: &[u8], stops: &[u8]) -> usize {
        let stop = |byte: &u8| *byte < b' ' || stops.contains(byte);
        bytes.iter().position(stop).unwrap_or(bytes.len())
    }

    proptest! {
        #[test]
        fn words_end_where_a_look_at_each_byte_ends_them(
            // Bytes around what ends a word, and any.
            bytes in proptest::collection::vec(
                prop_oneof![any::<u8>(), 0x1e..0x26u8, 0x2a..0x2fu8, 0x38..0x3du8, 0x59..0x5fu8, 0x79..0x82u8, 0xa0..0xfeu8],
                0..40,
            ),
        ) {
            prop_assert_eq!(block_word(&bytes), bytewise(&bytes, b":#"));
            prop_assert_eq!(flow_word(&bytes), bytewise(&bytes, b":#,[]{}"));
        }
    }

    #[test]
    fn every_byte_is_told_at_every_place() {
        for byte in 0..=u8::MAX {
            for at in 0..20 {
                let mut bytes = [b'a'; 20];
                bytes[at] = byte;
                assert_eq!(block_word(&bytes), bytewise(&bytes, b":#"), "{byte} at {at}");
                assert_eq!(flow_word(&bytes), bytewise(&bytes, b":#,[]{}"), "{byte} at {at}");
            }
        }
    }
}
