//! SipHash-2-4 with 128 bits, as Aumasson and Bernstein published it: short keys, fast, and nobody who does
//! not know the key can make two inputs meet.

use core::fmt;

/// The 16 bytes that make a hash one's own. Programs that share data share them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HashKey(pub [u8; 16]);

impl HashKey {
    /// The bytes 0 to 15, as in the published vectors: stored keys are then the same in every program, and
    /// anybody can compute them.
    pub const PUBLIC: Self = Self([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15]);

    /// The hash of `bytes`. These values never change.
    ///
    /// ```
    /// use respire_core::key::HashKey;
    /// assert_eq!(HashKey::PUBLIC.hash(b"")[..4], [0xa3, 0x81, 0x7f, 0x04]);
    /// ```
    pub fn hash(self, bytes: &[u8]) -> [u8; 16] {
        let mut hash = SipHash128::new(self);
        hash.write(bytes);
        hash.finish()
    }
}

impl fmt::Debug for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HashKey(***)")
    }
}

/// The hash of bytes that come in pieces. How they are cut makes no difference.
#[derive(Clone)]
pub struct SipHash128 {
    v: [u64; 4],
    /// Bytes that are no whole word yet, the first one lowest.
    tail: u64,
    /// How many bytes were written.
    len: usize,
}

impl SipHash128 {
    /// Nothing is written.
    pub const fn new(key: HashKey) -> Self {
        let (k0, k1) = halves(&key.0);
        Self {
            v: [
                k0 ^ 0x736f_6d65_7073_6575,
                k1 ^ 0x646f_7261_6e64_6f6d ^ 0xee,
                k0 ^ 0x6c79_6765_6e65_7261,
                k1 ^ 0x7465_6462_7974_6573,
            ],
            tail: 0,
            len: 0,
        }
    }

    /// Adds `bytes`.
    pub fn write(&mut self, mut bytes: &[u8]) {
        while !self.len.is_multiple_of(8)
            && let [first, rest @ ..] = bytes
        {
            self.byte(*first);
            bytes = rest;
        }
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        self.len = self.len.wrapping_add(bytes.len()).wrapping_sub(rest.len());
        rest.iter().for_each(|&byte| self.byte(byte));
    }

    /// The hash of all that was written.
    pub fn finish(mut self) -> [u8; 16] {
        // The lowest byte of the length is the last one of the last word.
        self.word(self.tail | (self.len as u64) << 56);
        let [_, _, v2, _] = &mut self.v;
        *v2 ^= 0xee;
        let first = self.end();
        let [_, v1, _, _] = &mut self.v;
        *v1 ^= 0xdd;
        let second = self.end();
        let mut out = [0; 16];
        let both = first.to_le_bytes().into_iter().chain(second.to_le_bytes());
        out.iter_mut().zip(both).for_each(|(out, byte)| *out = byte);
        out
    }

    fn byte(&mut self, byte: u8) {
        self.tail |= u64::from(byte) << (8 * (self.len % 8));
        self.len = self.len.wrapping_add(1);
        if self.len.is_multiple_of(8) {
            let word = core::mem::take(&mut self.tail);
            self.word(word);
        }
    }

    fn word(&mut self, word: u64) {
        let [_, _, _, v3] = &mut self.v;
        *v3 ^= word;
        self.round();
        self.round();
        let [v0, ..] = &mut self.v;
        *v0 ^= word;
    }

    fn end(&mut self) -> u64 {
        (0..4).for_each(|_| self.round());
        let [v0, v1, v2, v3] = self.v;
        v0 ^ v1 ^ v2 ^ v3
    }

    // Small processors have no room for it at every call.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn round(&mut self) {
        let [v0, v1, v2, v3] = &mut self.v;
        *v0 = v0.wrapping_add(*v1);
        *v2 = v2.wrapping_add(*v3);
        *v1 = v1.rotate_left(13) ^ *v0;
        *v3 = v3.rotate_left(16) ^ *v2;
        *v0 = v0.rotate_left(32);
        *v2 = v2.wrapping_add(*v1);
        *v0 = v0.wrapping_add(*v3);
        *v1 = v1.rotate_left(17) ^ *v2;
        *v3 = v3.rotate_left(21) ^ *v0;
        *v2 = v2.rotate_left(32);
    }
}

impl fmt::Debug for SipHash128 {
    /// How much was written; the rest would give the key away.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SipHash128").field("len", &self.len).finish_non_exhaustive()
    }
}

const fn halves(key: &[u8; 16]) -> (u64, u64) {
    let both = u128::from_le_bytes(*key);
    (both as u64, (both >> 64) as u64)
}

/// The digits of a hash.
pub(super) fn hex(hash: [u8; 16]) -> [u8; 32] {
    let mut out = [0; 32];
    let (pairs, _) = out.as_chunks_mut::<2>();
    for (pair, byte) in pairs.iter_mut().zip(hash) {
        *pair = [digit(byte >> 4), digit(byte & 0x0f)];
    }
    out
}

const fn digit(value: u8) -> u8 {
    value + if value < 10 { b'0' } else { b'a' - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// S0-OPT-07: the published vectors (key 0 to 15, input 0, 1, 2 and so on), computed with another
    /// implementation, too. They are frozen: stored keys depend on them.
    #[test]
    fn hash_vectors() {
        for (len, expected) in [
            (0, "a3817f04ba25a8e66df67214c7550293"),
            (1, "da87c1d86b99af44347659119b22fc45"),
            (2, "8177228da4a45dc7fca38bdef60affe4"),
            (3, "9c70b60c5267a94e5f33b6b02985ed51"),
            (7, "a1f1ebbed8dbc153c0b84aa61ff08239"),
            (8, "3b62a9ba6258f5610f83e264f31497b4"),
            (9, "264499060ad9baabc47f8b02bb6d71ed"),
            (15, "5493e99933b0a8117e08ec0f97cfc3d9"),
            (16, "6ee2a4ca67b054bbfd3315bf85230577"),
            (17, "473d06e8738db89854c066c47ae47740"),
            (24, "2db479ae78bd50d8882a8a178a6132ad"),
            (31, "2939b0183223fafc1723de4f52c43d35"),
            (32, "7c3956ca5eeafc3e363e9d556546eb68"),
            (63, "5150d1772f50834a503e069a973fbd7c"),
        ] {
            let bytes: std::vec::Vec<u8> = (0..len).collect();
            let hash = HashKey::PUBLIC.hash(&bytes);
            assert_eq!(core::str::from_utf8(&hex(hash)), Ok(expected), "{len}");
            // An interpreter takes its time.
            for cut in (0..=bytes.len()).step_by(if cfg!(miri) { 9 } else { 1 }) {
                let (front, back) = bytes.split_at(cut);
                let mut pieces = SipHash128::new(HashKey::PUBLIC);
                pieces.write(front);
                pieces.write(b"");
                pieces.write(back);
                assert_eq!(pieces.finish(), hash, "{len} cut at {cut}");
            }
        }
    }

    #[test]
    fn another_key_is_another_hash_and_no_key_is_shown() {
        let other = HashKey([7; 16]);
        assert_ne!(other.hash(b"k"), HashKey::PUBLIC.hash(b"k"));
        let shown = std::format!("{other:?} {:?}", SipHash128::new(other));
        assert_eq!(shown, "HashKey(***) SipHash128 { len: 0, .. }");
    }
}
