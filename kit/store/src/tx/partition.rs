//! Which partition of the log a key belongs to.

/// The partition of a key: FNV-1a over its bytes, modulo. Never to be changed: a key must stay where its history is.
pub(super) fn partition_of(key: &str, partitions: u16) -> u16 {
    let hash = key
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    u16::try_from(hash % u64::from(partitions.max(1))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::partition_of;

    #[test]
    fn a_key_never_changes_its_partition() {
        assert_eq!(partition_of("anything", 1), 0);
        // The published FNV-1a test vectors, modulo 16.
        assert_eq!(partition_of("", 16), 0x5);
        assert_eq!(partition_of("a", 16), 0xc);
        assert_eq!(partition_of("foobar", 16), 0x8);
    }
}
