//! Inputs as programs: bytes that decide.

/// Bytes that decide, one by one, and zeros once they are used up.
pub(super) struct Seeds<'a>(pub(super) &'a [u8]);

impl<'a> Seeds<'a> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn byte(&mut self) -> u8 {
        let (byte, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *byte
    }

    /// A length or depth of up to 65 535.
    pub(super) fn long(&mut self) -> usize {
        usize::from(u16::from_be_bytes([self.byte(), self.byte()]))
    }

    /// Up to eight bytes, as a number.
    pub(super) fn number(&mut self) -> u64 {
        (0..self.byte() % 9).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    /// Up to 40 bytes.
    pub(super) fn bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte()) % 41;
        let (bytes, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        bytes
    }
}
