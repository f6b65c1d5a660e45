//! The receive window: the socket reads straight into it, frames are lent out of it.

use core::fmt;

use super::Storage;

/// Bytes received and not yet consumed.
///
/// ```text
///  0          start              end          memory
///  [ released | unread           | free       ]
///             ^ consume(n)       ^ commit(n)
/// ```
pub struct ReceiveBuffer<S> {
    storage: S,
    start: usize,
    end: usize,
    /// The most that was held since the memory was last relaxed.
    peak: usize,
}

/// Memory for what is long comes in steps, so that lengths that differ a little find it large enough.
const STEP: usize = 64 << 10;

impl<S: Storage> ReceiveBuffer<S> {
    /// An empty buffer over `storage`.
    pub const fn new(storage: S) -> Self {
        Self { storage, start: 0, end: 0, peak: 0 }
    }

    /// Room for the next read, at least one byte; `None` if every byte is unread and the memory
    /// cannot grow.
    pub fn space(&mut self) -> Option<&mut [u8]> {
        if self.end == self.storage.bytes().len() {
            self.make_room();
        }
        let free = self.storage.bytes_mut().get_mut(self.end..)?;
        if free.is_empty() { None } else { Some(free) }
    }

    /// The same for bytes of which so many, and one at least, are still missing, and for no more: what they belong to ends with
    /// the memory that is used, and can be [given away](Self::exchange).
    pub fn space_for(&mut self, missing: Option<usize>) -> Option<&mut [u8]> {
        let Some(missing) = missing else { return self.space() };
        if self.storage.bytes().len() - self.end < missing {
            self.make_room_for(missing);
        }
        let end = self.end;
        let free = self.storage.bytes_mut().get_mut(end..)?;
        let len = free.len().min(missing);
        if len == 0 { None } else { free.get_mut(..len) }
    }

    /// `n` bytes of the space were filled. More than was lent counts as all of it.
    pub fn commit(&mut self, n: usize) {
        self.end = self.end.saturating_add(n).min(self.storage.bytes().len());
        self.peak = self.peak.max(self.end);
    }

    /// What has been received and not consumed.
    pub fn unread(&self) -> &[u8] {
        self.storage.bytes().get(self.start..self.end).unwrap_or_default()
    }

    /// Releases the first `n` unread bytes. The room is reused when the next read needs it.
    pub fn consume(&mut self, n: usize) {
        self.start = self.start.saturating_add(n).min(self.end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
    }

    /// The memory may shrink to its resting size, if nothing is unread.
    pub fn relax(&mut self) {
        if self.start == self.end {
            let peak = core::mem::take(&mut self.peak);
            if peak > 0 && peak >= self.storage.bytes().len() {
                self.storage.rise();
            }
            self.storage.relax(peak);
        }
    }

    /// Nothing is expected for a while: the memory may be given back, if nothing is unread.
    pub fn rest(&mut self) {
        if self.start == self.end {
            self.clear();
            self.storage.rest();
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.start = 0;
        self.end = 0;
    }

    /// Moves the unread bytes to the front while they are few; grows once the memory is full, as ever, but for no more than what
    /// is missing.
    fn make_room_for(&mut self, missing: usize) {
        let unread = self.end - self.start;
        let is_full = self.end == self.storage.bytes().len();
        if is_full || unread <= missing {
            self.compact();
        }
        if is_full && unread > 0 {
            self.storage.rise();
        }
        let len = self.storage.bytes().len();
        if self.end < len {
            return;
        }
        let all = len.saturating_add(missing);
        let wanted = all.saturating_add(STEP - all % STEP).min(self.storage.limit());
        // If it cannot grow, there is no space.
        let _ = if wanted / 2 < len {
            self.storage.fit(wanted)
        } else {
            self.storage.grow(len.saturating_add(1))
        };
    }

    /// Moves the unread bytes to the front.
    fn compact(&mut self) {
        if self.start > 0 {
            self.storage.bytes_mut().copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
    }

    /// Moves the unread bytes to the front; grows when they fill at least half of the memory, so
    /// that a byte is moved a bounded number of times.
    fn make_room(&mut self) {
        let unread = self.end - self.start;
        self.compact();
        if unread > 0 {
            self.storage.rise();
        }
        let len = self.storage.bytes().len();
        if unread >= len / 2 {
            // Fixed memory says no, and what is left of it is the space.
            let _ = self.storage.grow(len.saturating_add(1));
        }
    }
}

#[cfg(feature = "alloc")]
impl ReceiveBuffer<super::Growing> {
    /// Gives its memory away with the first `n` unread bytes, for other memory, to which what stands behind them moves.
    /// Where they are; `None`, and nothing has changed, if that were more than a quarter of them, or does not fit.
    pub fn exchange(
        &mut self,
        n: usize,
        memory: &mut alloc::vec::Vec<u8>,
    ) -> Option<core::ops::Range<usize>> {
        let given = self.start..self.start.saturating_add(n);
        let behind = self.storage.bytes().get(given.end..self.end)?;
        if behind.len() > n / 4 {
            return None;
        }
        let len = behind.len();
        memory.get_mut(..len)?.copy_from_slice(behind);
        self.storage.exchange(memory);
        (self.start, self.end) = (0, len);
        Some(given)
    }
}

/// Lengths only: the bytes are other people's data.
impl<S: Storage> fmt::Debug for ReceiveBuffer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.storage.bytes().len();
        f.debug_struct("ReceiveBuffer").field("unread", &self.unread().len()).field("size", &size).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill(buffer: &mut ReceiveBuffer<[u8; 8]>, bytes: &[u8]) {
        let space = buffer.space().unwrap();
        space[..bytes.len()].copy_from_slice(bytes);
        buffer.commit(bytes.len());
    }

    #[test]
    fn lends_what_is_free_and_reuses_what_was_consumed() {
        let mut buffer = ReceiveBuffer::new([0; 8]);
        fill(&mut buffer, b"abcdefgh");
        assert!(buffer.space().is_none());
        buffer.consume(3);
        assert_eq!(buffer.unread(), b"defgh");
        assert_eq!(buffer.space().unwrap().len(), 3);
        fill(&mut buffer, b"xyz");
        assert_eq!(buffer.unread(), b"defghxyz");
        buffer.consume(100);
        assert_eq!(buffer.unread(), b"");
        assert_eq!(buffer.space().unwrap().len(), 8);
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn memory_that_was_filled_is_larger_from_then_on_until_it_rests() {
        let mut buffer = ReceiveBuffer::new(crate::buffer::Growing::new(4096, 4096));
        for (fill, wanted) in [(255, 256), (256, 4096), (1, 4096)] {
            assert!(buffer.space().unwrap().len() >= fill);
            buffer.commit(fill);
            buffer.consume(fill);
            buffer.relax();
            assert_eq!(buffer.storage.bytes().len(), wanted);
        }
        buffer.rest();
        buffer.relax();
        assert_eq!(buffer.storage.bytes().len(), 0, "nobody needs it");
        assert_eq!(buffer.space().unwrap().len(), 256);
    }

    /// Fills in what is missing. How large the memory was meanwhile.
    #[cfg(feature = "alloc")]
    fn fill_in(
        buffer: &mut ReceiveBuffer<crate::buffer::Growing>,
        mut missing: &[u8],
    ) -> alloc::vec::Vec<usize> {
        let mut sizes = alloc::vec![];
        while let (false, Some(space)) = (missing.is_empty(), buffer.space_for(Some(missing.len()))) {
            let (here, later) = missing.split_at(space.len());
            space.copy_from_slice(here);
            buffer.commit(here.len());
            sizes.push(buffer.storage.bytes().len());
            missing = later;
        }
        sizes
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn memory_goes_with_what_lies_there() {
        let mut buffer = ReceiveBuffer::new(crate::buffer::Growing::new(64, 4096));
        fill_in(&mut buffer, b"before 0123456789abc");
        buffer.consume(7);
        let mut memory = alloc::vec![7; 2];
        assert_eq!(
            buffer.exchange(10, &mut memory),
            None,
            "three bytes are behind it, and two are the most that move"
        );
        assert_eq!(buffer.exchange(12, &mut alloc::vec![]), None, "there is no memory for the last");
        assert_eq!(buffer.exchange(14, &mut memory), None, "there are not so many");
        let given = buffer.exchange(12, &mut memory).unwrap();
        assert_eq!((&memory[given], buffer.unread()), (&b"0123456789ab"[..], &b"c"[..]));
        fill_in(&mut buffer, b"def");
        assert_eq!(buffer.unread(), b"cdef");
        assert_eq!(buffer.exchange(4, &mut memory), Some(0..4));
        assert_eq!((&memory[..4], buffer.unread()), (&b"cdef"[..], &b""[..]));
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn memory_grows_with_what_comes_and_for_no_more_than_is_missing() {
        let mut buffer = ReceiveBuffer::new(crate::buffer::Growing::new(4096, 1 << 20));
        fill_in(&mut buffer, b"before");
        buffer.consume(5);
        assert_eq!(fill_in(&mut buffer, &[7; 80_000]), [256, 4096, 8192, 16384, 32768, 65536, 131_072]);
        assert_eq!(buffer.unread().len(), 80_001);
        buffer.consume(80_001);
        assert_eq!(buffer.space_for(Some(7)).unwrap().len(), 7);
        assert_eq!(fill_in(&mut buffer, &[7; 140_000]), [131_072, 196_608]);
        // No more than it may.
        let mut buffer = ReceiveBuffer::new(crate::buffer::Growing::new(64, 100));
        assert_eq!(fill_in(&mut buffer, &[7; 1000]), [64, 100]);
        buffer.consume(60);
        assert_eq!(buffer.space_for(Some(900)).unwrap().len(), 60);
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn growing_memory_makes_room_for_a_long_frame() {
        let mut buffer = ReceiveBuffer::new(crate::buffer::Growing::new(64, 4096));
        let mut total = 0;
        while let Some(space) = buffer.space() {
            let n = space.len();
            space.fill(7);
            buffer.commit(n);
            total += n;
        }
        assert_eq!(total, 4096);
        assert_eq!(buffer.unread().len(), 4096);
    }
}
