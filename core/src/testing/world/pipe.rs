//! One direction of a connection: bytes on their way.

use alloc::collections::VecDeque;

/// Bytes on their way, in order, each not before it is due.
#[derive(Debug, Default)]
pub(super) struct Pipe {
    bytes: VecDeque<u8>,
    /// Up to which byte of all that were put, and when.
    segments: VecDeque<(u64, u64)>,
    /// Bytes put and taken since the start, and how many of them were due.
    put: u64,
    taken: u64,
    arrived: u64,
    last_due: u64,
    /// After so many bytes were taken, the connection is reset.
    pub(super) cut: Option<u64>,
}

impl Pipe {
    /// Sends bytes that arrive at `due`, or when those before them do.
    pub(super) fn put(&mut self, bytes: &[u8], due: u64) {
        self.bytes.extend(bytes);
        self.put += bytes.len() as u64;
        self.last_due = self.last_due.max(due);
        match self.segments.back_mut() {
            Some((end, at)) if *at == self.last_due => *end = self.put,
            _ => self.segments.push_back((self.put, self.last_due)),
        }
    }

    /// How many bytes have arrived and were not taken.
    pub(super) fn ready(&mut self, now: u64) -> usize {
        while let Some(&(end, due)) = self.segments.front()
            && due <= now
        {
            self.arrived = end;
            self.segments.pop_front();
        }
        self.arrived.saturating_sub(self.taken) as usize
    }

    /// When the next byte arrives that has not.
    pub(super) fn next_due(&self) -> Option<u64> {
        self.segments.front().map(|&(_, due)| due)
    }

    /// Takes the first bytes, as many as `to` has room for.
    pub(super) fn take(&mut self, to: &mut [u8]) {
        let n = to.len().min(self.bytes.len());
        to.iter_mut().zip(self.bytes.drain(..n)).for_each(|(place, byte)| *place = byte);
        self.taken += n as u64;
    }

    /// Takes the first `n` bytes to the end of `to`.
    pub(super) fn take_into(&mut self, n: usize, to: &mut alloc::vec::Vec<u8>) {
        let n = n.min(self.bytes.len());
        to.extend(self.bytes.drain(..n));
        self.taken += n as u64;
    }

    /// Loses what is on its way.
    pub(super) fn lose(&mut self) {
        self.bytes.clear();
        self.segments.clear();
        self.arrived = self.taken;
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) const fn put_total(&self) -> u64 {
        self.put
    }

    pub(super) const fn taken_total(&self) -> u64 {
        self.taken
    }

    /// How many of the next `n` bytes may pass before the connection is reset, if it is.
    pub(super) fn until_cut(&self, n: usize) -> (usize, bool) {
        match self.cut {
            Some(cut) if self.taken + n as u64 >= cut => (cut.saturating_sub(self.taken) as usize, true),
            _ => (n, false),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_arrive_in_order_and_in_time() {
        let mut pipe = Pipe::default();
        pipe.put(b"abc", 10);
        pipe.put(b"de", 5);
        assert_eq!((pipe.ready(9), pipe.next_due()), (0, Some(10)));
        assert_eq!(pipe.ready(10), 5);
        let mut to = [0; 4];
        pipe.take(&mut to);
        assert_eq!((&to, pipe.ready(10), pipe.len()), (b"abcd", 1, 1));
        pipe.lose();
        assert_eq!((pipe.ready(99), pipe.taken_total(), pipe.put_total()), (0, 4, 5));
    }
}
