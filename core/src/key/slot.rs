//! The slot of a key in a cluster, and the part of it that decides.

/// How many slots a cluster has.
pub const SLOTS: u16 = 16384;

/// The slot of these bytes, by the rules of Redis Cluster: CRC-16/XMODEM of the [tag], or of the whole key
/// if it has none, modulo [`SLOTS`]. The key is one as it is sent, not as it is before a policy.
///
/// ```
/// use respire_core::key::slot;
/// assert_eq!(slot(b"123456789"), 12739);
/// assert_eq!(slot(b"{user1}:following"), slot(b"{user1}:followers"));
/// ```
pub fn slot(key: &[u8]) -> u16 {
    let bytes = tag(key).unwrap_or(key);
    let crc = bytes.iter().fold(0, |crc: u16, &byte| {
        let [high, _] = crc.to_be_bytes();
        (crc << 8) ^ TABLE.get(usize::from(high ^ byte)).copied().unwrap_or_default()
    });
    crc % SLOTS
}

/// The hash tag of a key: what stands between the first `{` and the next `}`, if that is not nothing.
pub fn tag(key: &[u8]) -> Option<&[u8]> {
    let (_, behind) = cut(key, b'{')?;
    let (tag, _) = cut(behind, b'}')?;
    (!tag.is_empty()).then_some(tag)
}

/// What stands before and behind the first such byte.
fn cut(bytes: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let (front, rest) = bytes.split_at_checked(bytes.iter().position(|&byte| byte == at)?)?;
    rest.split_first().map(|(_, behind)| (front, behind))
}

/// What each byte does to the remainder, for the polynomial 0x1021.
static TABLE: [u16; 256] = {
    let mut table = [0; 256];
    let mut entries: &mut [u16] = &mut table;
    let mut byte = 0_u16;
    while let Some((entry, rest)) = entries.split_first_mut() {
        let mut crc = byte << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
            bit += 1;
        }
        *entry = crc;
        entries = rest;
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_are_those_of_the_cluster() {
        // What `CLUSTER KEYSLOT` says.
        for (key, expected) in [
            ("", 0),
            ("a", 15495),
            ("foo", 12182),
            ("hello", 866),
            ("123456789", 12739),
            ("{user1}:following", 8106),
            ("x{}y", 16116),
            ("a{b", 13340),
            ("{{a}}", 10276),
            ("foo{bar}{zap}", 5061),
            ("session:0123456789abcdef", 12762),
        ] {
            assert_eq!(slot(key.as_bytes()), expected, "{key}");
        }
    }

    #[test]
    fn a_tag_is_what_the_first_braces_hold() {
        for (key, expected) in [
            ("", None),
            ("a", None),
            ("{a}", Some("a")),
            ("x{a}y", Some("a")),
            ("{a}{b}", Some("a")),
            ("{{a}}", Some("{a")),
            ("{}{a}", None),
            ("{a", None),
            ("a}{b", None),
            ("}{a}", Some("a")),
        ] {
            assert_eq!(tag(key.as_bytes()), expected.map(str::as_bytes), "{key}");
        }
    }
}
