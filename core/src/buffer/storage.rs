//! Where buffered bytes live: a fixed array, a borrowed slice, or memory that grows to a limit.

/// Bytes that a buffer may use.
///
/// Fixed memory (`[u8; N]`, `&mut [u8]`) never grows. With feature `alloc`, `Growing` grows on
/// demand up to the limit its owner set.
pub trait Storage {
    /// Room for up to `N` of something else that its owner needs, of the same sort: `[T; N]` where it is fixed.
    type Places<T: Place, const N: usize>: Places<T>;

    /// Whether [`rest`](Storage::rest) gives anything back.
    const RESTS: bool = false;

    /// All of the memory, used or not.
    fn bytes(&self) -> &[u8];

    /// All of the memory, for writing.
    fn bytes_mut(&mut self) -> &mut [u8];

    /// Tries to reach at least `len` bytes, keeping the content. Says whether it is that large now.
    fn grow(&mut self, len: usize) -> bool {
        self.bytes().len() >= len
    }

    /// The same, and no larger than that.
    fn fit(&mut self, len: usize) -> bool {
        self.grow(len)
    }

    /// The largest that [`grow`](Storage::grow) can make it.
    fn limit(&self) -> usize {
        self.bytes().len()
    }

    /// The buffer is empty, and since the last time it was it held at most `peak` bytes: memory that
    /// is no longer needed may be given back.
    fn relax(&mut self, _peak: usize) {}

    /// All of it was needed: it is to be as large as it is while it is in use.
    fn rise(&mut self) {}

    /// The buffer is empty, and will not be used for a while: all of the memory may be given back.
    fn rest(&mut self) {}
}

/// What can stand in [`Places`].
pub trait Place: Copy {
    /// A place where nothing stands.
    const EMPTY: Self;
}

/// Places for as many things as a [`Storage`] has room for.
pub trait Places<T>: AsRef<[T]> + AsMut<[T]> {
    /// As many as there are to begin with.
    const NEW: Self;

    /// Tries to have more of them, up to `most`; the one at `first` is the first then, and those before it are behind
    /// the others. Says whether there are more now.
    fn grow(&mut self, _first: usize, _most: usize) -> bool {
        false
    }

    /// Nothing stands in them, and nothing will for a while: they may be given back.
    fn rest(&mut self) {}
}

impl<T: Place, const N: usize> Places<T> for [T; N] {
    const NEW: Self = [T::EMPTY; N];
}

impl<const N: usize> Storage for [u8; N] {
    type Places<T: Place, const M: usize> = [T; M];

    fn bytes(&self) -> &[u8] {
        self
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self
    }
}

impl Storage for &mut [u8] {
    type Places<T: Place, const N: usize> = [T; N];

    fn bytes(&self) -> &[u8] {
        self
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        self
    }
}

/// Memory that doubles when it must and stops at a limit.
///
/// Nothing is asked for before it is needed, and little at first: a handshake takes no more. What needs more than that
/// has `start` bytes. Growth is amortised: a byte is moved at most once per doubling. What was taken for a peak stays
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

/// The most that is asked for at first.
#[cfg(feature = "alloc")]
const FIRST: usize = 256;

#[cfg(feature = "alloc")]
impl Growing {
    /// Has `start` bytes while it is in use (at least 64), and never exceeds `limit` (at least `start`).
    #[must_use]
    pub const fn new(start: usize, limit: usize) -> Self {
        let start = if start > 64 { start } else { 64 };
        let limit = if limit > start { limit } else { start };
        Self { bytes: alloc::vec::Vec::new(), start, limit, quiet: 0 }
    }

    /// Other memory in the place of this. What is too large is not used.
    pub(super) fn exchange(&mut self, other: &mut alloc::vec::Vec<u8>) {
        core::mem::swap(&mut self.bytes, other);
        self.bytes.truncate(self.limit);
    }

    /// Memory that is as small as at first may hold a password: what moves leaves nothing behind.
    fn move_to(&mut self, target: usize) -> bool {
        let mut bytes = alloc::vec::Vec::new();
        if bytes.try_reserve_exact(target).is_err() {
            return false;
        }
        bytes.extend_from_slice(&self.bytes);
        self.bytes.fill(0);
        // Else a compiler may see that nobody reads these zeros.
        core::hint::black_box(&mut self.bytes);
        self.bytes = bytes;
        true
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
    type Places<T: Place, const N: usize> = alloc::vec::Vec<T>;

    const RESTS: bool = true;

    fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn bytes_mut(&mut self) -> &mut [u8] {
        &mut self.bytes
    }

    fn grow(&mut self, len: usize) -> bool {
        if len <= self.bytes.len() {
            return true;
        }
        let doubled = self.bytes.len().saturating_mul(2);
        len <= self.limit && self.fit(len.max(doubled).max(FIRST.min(self.start)).min(self.limit))
    }

    fn fit(&mut self, len: usize) -> bool {
        let more = len.saturating_sub(self.bytes.len());
        if len > self.limit || more == 0 {
            return more == 0;
        }
        let is_small = self.bytes.len() < self.start;
        if !(if is_small { self.move_to(len) } else { self.bytes.try_reserve_exact(more).is_ok() }) {
            return false;
        }
        self.bytes.resize(len, 0);
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

    fn rise(&mut self) {
        if self.bytes.len() < self.start {
            self.grow(self.start);
        }
    }

    fn rest(&mut self) {
        self.bytes = alloc::vec::Vec::new();
        self.quiet = 0;
    }
}

/// As many as were needed.
#[cfg(feature = "alloc")]
impl<T: Place> Places<T> for alloc::vec::Vec<T> {
    const NEW: Self = Self::new();

    fn grow(&mut self, first: usize, most: usize) -> bool {
        let len = self.len();
        let target = len.saturating_mul(2).max(FEW).min(most);
        let mut more = Self::new();
        if target <= len || more.try_reserve_exact(target).is_err() {
            return false;
        }
        more.extend_from_slice(self.get(first..).unwrap_or_default());
        more.extend_from_slice(self.get(..first).unwrap_or_default());
        more.resize(target, T::EMPTY);
        *self = more;
        true
    }

    fn rest(&mut self) {
        *self = Self::new();
    }
}

/// How many there are at first.
#[cfg(feature = "alloc")]
const FEW: usize = 4;

#[cfg(all(test, feature = "alloc"))]
mod tests {
    use super::*;

    #[test]
    fn growing_memory_stops_at_its_limit() {
        let mut memory = Growing::new(64, 1000);
        assert!(memory.bytes().is_empty() && memory.grow(1));
        assert_eq!(memory.bytes().len(), 64);
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

    #[test]
    fn little_is_asked_for_at_first_and_all_is_given_back_at_rest() {
        let mut memory = Growing::new(4096, 1 << 20);
        assert!(memory.grow(1));
        assert_eq!(memory.bytes().len(), FIRST);
        memory.bytes_mut()[..4].copy_from_slice(b"kept");
        memory.rise();
        assert_eq!((memory.bytes().len(), &memory.bytes()[..5]), (4096, &b"kept\0"[..]));
        memory.rise();
        assert_eq!(memory.bytes().len(), 4096);
        memory.rest();
        assert!(memory.bytes().is_empty());
        assert!(memory.grow(FIRST + 1));
        assert_eq!(memory.bytes().len(), FIRST + 1);
    }

    impl Place for u8 {
        const EMPTY: Self = 0;
    }

    #[test]
    fn places_grow_and_keep_their_order() {
        let mut places = <alloc::vec::Vec<u8> as Places<u8>>::NEW;
        assert!(!places.grow(0, 0) && places.grow(0, 10));
        places.copy_from_slice(b"dabc");
        assert!(places.grow(1, 10));
        assert_eq!(places, b"abcd\0\0\0\0");
        assert!(places.grow(0, 10));
        assert_eq!((places.len(), places.grow(0, 10)), (10, false));
        places.rest();
        assert_eq!(places.capacity(), 0);
    }
}
