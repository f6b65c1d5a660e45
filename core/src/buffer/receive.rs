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

    /// Moves the unread bytes to the front; grows when they fill at least half of the memory, so
    /// that a byte is moved a bounded number of times.
    fn make_room(&mut self) {
        let unread = self.end - self.start;
        if self.start > 0 {
            self.storage.bytes_mut().copy_within(self.start..self.end, 0);
            self.start = 0;
            self.end = unread;
        }
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
