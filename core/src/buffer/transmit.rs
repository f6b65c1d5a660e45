//! The transmit window: frames are appended whole or not at all, and sent as one contiguous slice.

use core::fmt;

use super::Storage;

/// Bytes to send.
///
/// ```text
///  0      start    gate     end    memory
///  [ sent | ready  | held   | free ]
///         ^ sent(n)         ^ reserve, commit
/// ```
/// `held` bytes wait for a decision: the handshake keeps its second choice there. Or they wait for
/// bytes that belong in front of them: the end of a frame, while its middle is supplied.
pub struct TransmitBuffer<S> {
    storage: S,
    start: usize,
    end: usize,
    gate: Option<usize>,
    /// The most that was held since the memory was last relaxed.
    peak: usize,
}

/// Room that was reserved for one frame. Dropping it without a commit changes nothing.
#[derive(Debug)]
#[must_use = "a reservation counts only when it is committed"]
pub struct Reservation(usize);

impl<S: Storage> TransmitBuffer<S> {
    /// An empty buffer over `storage`.
    pub const fn new(storage: S) -> Self {
        Self { storage, start: 0, end: 0, gate: None, peak: 0 }
    }

    /// Makes sure that `len` more bytes fit. `None`: they do not, and nothing has changed.
    pub fn reserve(&mut self, len: usize) -> Option<Reservation> {
        if self.storage.bytes().len().saturating_sub(self.end) < len {
            let used = self.end - self.start;
            let needed = used.checked_add(len).filter(|&needed| needed <= self.storage.limit())?;
            // Moving little to gain much keeps the cost per byte bounded; else rather grow.
            let cheap = self.start >= used;
            if cheap || !self.storage.grow(self.end.saturating_add(len)) {
                self.compact();
                if !self.storage.grow(needed) {
                    return None;
                }
            }
        }
        Some(Reservation(len))
    }

    /// Room behind what is waiting, as large as the memory is now. What is written there counts once it
    /// is [appended](Self::append).
    pub fn spare(&mut self) -> &mut [u8] {
        let end = self.end;
        self.storage.bytes_mut().get_mut(end..).unwrap_or_default()
    }

    /// `len` bytes were written into the spare room.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub fn append(&mut self, len: usize) {
        self.end = self.end.saturating_add(len).min(self.storage.bytes().len());
        self.peak = self.peak.max(self.end);
    }

    /// Whether nothing is waiting, ready or held.
    pub const fn is_empty(&self) -> bool {
        self.start == self.end
    }

    /// The most that can ever be waiting.
    pub fn limit(&self) -> usize {
        self.storage.limit()
    }

    /// The reserved bytes, to write the frame into.
    pub fn reserved(&mut self, reservation: &Reservation) -> &mut [u8] {
        let end = self.end;
        self.storage.bytes_mut().get_mut(end..end.saturating_add(reservation.0)).unwrap_or_default()
    }

    /// The reserved bytes hold a frame now.
    pub fn commit(&mut self, reservation: Reservation) {
        self.append(reservation.0);
    }

    /// What may be sent now, as one slice.
    pub fn ready(&self) -> &[u8] {
        let end = self.gate.unwrap_or(self.end);
        self.storage.bytes().get(self.start..end).unwrap_or_default()
    }

    /// What is held, as one slice.
    pub fn held(&self) -> &[u8] {
        let start = self.gate.unwrap_or(self.end);
        self.storage.bytes().get(start..self.end).unwrap_or_default()
    }

    /// The first `n` ready bytes were sent.
    pub fn sent(&mut self, n: usize) {
        let end = self.gate.unwrap_or(self.end);
        self.start = self.start.saturating_add(n).min(end);
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
            self.gate = self.gate.map(|_| 0);
            self.storage.relax(core::mem::take(&mut self.peak));
        }
    }

    /// Takes back `len` bytes that wait behind the first `at`, and wipes them. If the gate is among
    /// them it is gone: it was theirs.
    pub fn remove(&mut self, at: usize, len: usize) {
        let from = self.start.saturating_add(at).min(self.end);
        let behind = from.saturating_add(len).min(self.end);
        let (bytes, removed) = (self.storage.bytes_mut(), behind - from);
        // The shorter side moves. Where buffers are small it is always what stands behind.
        let left = if cfg!(feature = "alloc") && from - self.start < self.end - behind {
            bytes.copy_within(self.start..from, self.start + removed);
            self.start += removed;
            self.gate = match self.gate {
                Some(gate) if gate <= from => Some(gate + removed),
                gate => gate.filter(|&gate| gate >= behind),
            };
            self.start - removed..self.start
        } else {
            bytes.copy_within(behind..self.end, from);
            self.end -= removed;
            self.gate = match self.gate {
                Some(gate) if gate >= behind => Some(gate - removed),
                gate => gate.filter(|&gate| gate <= from),
            };
            self.end..self.end + removed
        };
        if let Some(left) = bytes.get_mut(left) {
            left.fill(0);
        }
        self.sent(0);
    }

    /// The last `tail` bytes are held, and bytes appended from here on.
    pub fn hold(&mut self, tail: usize) {
        self.gate = Some(self.end.saturating_sub(tail).max(self.start));
    }

    /// Inserts bytes in front of those that are held, as many as there is room for in the memory
    /// as it is; how many that were. None if nothing is held. There is always room if nothing is
    /// ready and anything was sent since the hold.
    pub fn insert(&mut self, bytes: &[u8]) -> usize {
        let Some(mut gate) = self.gate else { return 0 };
        let used = self.end - self.start;
        if self.storage.bytes().len().saturating_sub(self.end) < bytes.len() {
            self.storage.rise();
        }
        let free = self.storage.bytes().len().saturating_sub(self.end);
        // As in `reserve`; with nothing ready only the tail is moved.
        if free < bytes.len() && (self.start >= used || self.start == gate) {
            self.compact();
            gate = self.gate.unwrap_or(self.end);
        }
        let n = bytes.len().min(self.storage.bytes().len().saturating_sub(self.end));
        let behind = gate.saturating_add(n);
        if let (Some(bytes), true) = (bytes.get(..n), n > 0) {
            self.storage.bytes_mut().copy_within(gate..self.end, behind);
            if let Some(room) = self.storage.bytes_mut().get_mut(gate..behind) {
                room.copy_from_slice(bytes);
            }
            self.gate = Some(behind);
            self.end = self.end.saturating_add(n);
            self.peak = self.peak.max(self.end);
        }
        n
    }

    /// Held bytes may be sent.
    pub fn release(&mut self) {
        self.gate = None;
    }

    /// Nothing is to be sent for a while: the memory may be given back, if nothing is waiting.
    pub fn rest(&mut self) {
        if self.is_empty() && self.gate.is_none() {
            (self.start, self.end) = (0, 0);
            self.storage.rest();
        }
    }

    /// Drops all bytes, sent or not, and wipes the memory, also where bytes were before they were
    /// sent or moved: they may have held a password.
    pub fn wipe(&mut self) {
        self.storage.bytes_mut().fill(0);
        self.start = 0;
        self.end = 0;
        self.gate = None;
    }

    fn compact(&mut self) {
        if self.start > 0 {
            self.storage.bytes_mut().copy_within(self.start..self.end, 0);
            self.gate = self.gate.map(|gate| gate - self.start);
            self.end -= self.start;
            self.start = 0;
        }
    }
}

/// Lengths only: the bytes may hold a password.
impl<S: Storage> fmt::Debug for TransmitBuffer<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let size = self.storage.bytes().len();
        f.debug_struct("TransmitBuffer")
            .field("unsent", &(self.end - self.start))
            .field("size", &size)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push<S: Storage>(buffer: &mut TransmitBuffer<S>, bytes: &[u8]) -> bool {
        let Some(reservation) = buffer.reserve(bytes.len()) else { return false };
        buffer.reserved(&reservation).copy_from_slice(bytes);
        buffer.commit(reservation);
        true
    }

    #[test]
    fn a_frame_that_does_not_fit_changes_nothing() {
        let mut buffer = TransmitBuffer::new([0; 8]);
        assert!(push(&mut buffer, b"abcde"));
        assert!(!push(&mut buffer, b"wxyz"));
        assert_eq!(buffer.ready(), b"abcde");
        buffer.sent(2);
        assert!(push(&mut buffer, b"wxyz"));
        assert_eq!(buffer.ready(), b"cdewxyz");
    }

    #[test]
    fn held_bytes_wait() {
        let mut buffer = TransmitBuffer::new([0; 16]);
        assert!(push(&mut buffer, b"first"));
        buffer.hold(0);
        assert!(push(&mut buffer, b"second"));
        assert_eq!(buffer.ready(), b"first");
        buffer.sent(5);
        assert_eq!(buffer.ready(), b"");
        buffer.release();
        assert_eq!(buffer.ready(), b"second");
    }

    #[test]
    fn held_bytes_stay_held_when_they_are_moved() {
        let mut buffer = TransmitBuffer::new([0; 8]);
        assert!(push(&mut buffer, b"abcd"));
        buffer.hold(0);
        assert!(push(&mut buffer, b"ef"));
        buffer.sent(3);
        assert!(push(&mut buffer, b"ghij"));
        assert_eq!(buffer.ready(), b"d");
        buffer.release();
        assert_eq!(buffer.ready(), b"defghij");
    }

    #[test]
    fn bytes_are_taken_back_from_anywhere() {
        for at in 0..6 {
            for len in 0..6 - at {
                for gate in 0..=5 {
                    let mut buffer = TransmitBuffer::new([0; 8]);
                    assert!(push(&mut buffer, b"xabcde"));
                    buffer.hold(gate);
                    buffer.sent(1);
                    buffer.remove(at, len);
                    let mut left = b"abcde".to_vec();
                    left.drain(at..at + len);
                    let gate = 5 - gate;
                    let inside = gate > at && gate < at + len;
                    let ready = if inside {
                        left.len()
                    } else if gate <= at {
                        gate
                    } else {
                        gate - len
                    };
                    assert_eq!((buffer.ready(), buffer.held()), left.split_at(ready), "{at} {len} {gate}");
                    assert_eq!(buffer.storage.iter().filter(|&&byte| byte > 0).count(), left.len() + 1);
                }
            }
        }
    }

    /// Else a long queue whose requests expire one by one would take the square of its length.
    #[cfg(feature = "alloc")]
    #[test]
    fn what_is_taken_back_in_front_moves_nothing_behind() {
        let mut buffer = TransmitBuffer::new([0; 64]);
        assert!(push(&mut buffer, b"sent|front|one|two|a long rest"));
        buffer.sent(5);
        let rest = |buffer: &TransmitBuffer<[u8; 64]>| buffer.ready().last().map(core::ptr::from_ref);
        let before = rest(&buffer);
        buffer.remove(6, 4);
        assert_eq!((buffer.ready(), rest(&buffer)), (&b"front|two|a long rest"[..], before));
        buffer.remove(6, 4);
        assert_eq!((buffer.ready(), rest(&buffer)), (&b"front|a long rest"[..], before));
    }

    #[test]
    fn an_uncommitted_reservation_leaves_no_trace() {
        let mut buffer = TransmitBuffer::new([0; 8]);
        let reservation = buffer.reserve(4).unwrap();
        buffer.reserved(&reservation).fill(1);
        drop(reservation);
        assert_eq!(buffer.ready(), b"");
    }
}
