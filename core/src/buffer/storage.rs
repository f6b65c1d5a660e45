//! Where buffered bytes live: a fixed array, a borrowed slice, or memory that grows to a limit.

/// Bytes that a buffer may use.
///
/// Fixed memory (`[u8; N]`, `&mut [u8]`) never grows. With feature `alloc`, `Growing` grows on
/// demand up to the limit its owner set.
pub trait Storage {
    /// All of the memory, used or not.
    fn bytes(&self) -> &[u8];

    /// All of the memory, for writing.
    fn bytes_mut(&mut self) -> &mut [u8];

    /// Tries to reach at least `len` bytes, keeping the content. Says whether it is that large now.
    fn grow(&mut self, len: usize) -> bool {
        self.bytes().len() >= len
    }

    /// The largest that [`grow`](Storage::grow) can make it.
    fn limit(&self) -> usize {
        self.bytes().len()
    }

    /// The buffer is empty, and since the last time it was it held at most `peak` bytes: memory that
    /// is no longer needed may be given back.
    fn relax(&mut self, _peak: usize) {}
}

impl<const N: usize> Storage for [u8; N] {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl Storage for &mut [u8] {
    fn bytes(&self) -> &[u8] {
        self
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self
    }
}

/// Memory that doubles when it must and stops at a limit.
///
/// Growth is amortised: a byte is moved at most once per doubling. What was taken for a peak stays
/// while large frames keep coming, since fresh memory costs more than kept memory; after 256
/// rounds without one, memory beyond `start` × 16 is given back.
#[cfg(feature = "alloc")]
pub struct Growing {
    bytes: alloc::vec::Vec<u8>,
    start: usize,
    limit: usize,
    /// Rounds since a frame needed more than the memory kept at rest.
    quiet: u32,
}

/// How many rounds a peak is remembered.
#[cfg(feature = "alloc")]
const QUIET: u32 = 256;

#[cfg(feature = "alloc")]
impl Growing {
    /// Starts with `start` bytes and never exceeds `limit` (at least `start`).
    #[must_use]
    pub fn new(start: usize, limit: usize) -> Self {
        let start = start.max(64);
        Self { bytes: alloc::vec![0; start], start, limit: limit.max(start), quiet: 0 }
    }
}

#[cfg(feature = "alloc")]
impl core::fmt::Debug for Growing {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Growing").field("size", &self.bytes.len()).field("limit", &self.limit).finish()
    }
}

#[cfg(feature = "alloc")]
impl Storage for Growing {
    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    fn grow(&mut self, len: usize) -> bool {
        if len > self.limit {
            return false;
        }
        if len > self.bytes.len() {
            let doubled = self.bytes.len().saturating_mul(2);
            let target = len.max(doubled).min(self.limit);
            if self.bytes.try_reserve_exact(target.saturating_sub(self.bytes.len())).is_err() {
                return false;
            }
            self.bytes.resize(target, 0);
        }
        true
    }

    fn limit(&self) -> usize {
        self.limit
    }

    fn relax(&mut self, peak: usize) {
        let kept = self.start.saturating_mul(16);
        self.quiet = if peak > kept { 0 } else { self.quiet.saturating_add(1) };
        if self.quiet > QUIET && self.bytes.len() > kept {
            self.bytes.truncate(self.start);
            self.bytes.shrink_to_fit();
        }
    }
}

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;

    #[test]
    fn growing_memory_stops_at_its_limit() {
        let mut memory = Growing::new(64, 1000);
        assert!(memory.grow(65));
        assert_eq!(memory.bytes().len(), 128);
        assert!(memory.grow(1000));
        assert!(!memory.grow(1001));
        assert_eq!(memory.bytes().len(), 1000);
    }

    #[test]
    fn a_peak_is_given_back_once_it_is_over() {
        let peak = if cfg!(miri) { 1 << 12 } else { 1 << 20 };
        let mut memory = Growing::new(64, peak);
        assert!(memory.grow(peak));
        for _ in 0..1000 {
            memory.relax(peak);
        }
        assert_eq!(memory.bytes().len(), peak, "large frames keep coming");
        for _ in 0..QUIET {
            memory.relax(100);
        }
        assert_eq!(memory.bytes().len(), peak);
        memory.relax(100);
        assert_eq!(memory.bytes().len(), 64);
        assert!(memory.grow(128));
        for _ in 0..1000 {
            memory.relax(100);
        }
        assert_eq!(memory.bytes().len(), 128, "a modest size is kept");
    }
}
