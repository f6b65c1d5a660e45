//! Requests as bytes, kept until they are answered.

use crate::command::{AnyRequest, Command, Frame};
use crate::conn::SubmitError;
use crate::error::{Full, Misuse};
use crate::resp::Encoder;

use super::call::Call;

/// Frames in memory of a fixed size, in the order in which they came. Each has a header that says whose it is and
/// how long, so that the memory can be walked; what was given back is a gap until the next walk.
///
/// ```text
///  0                                                end            memory
///  [ index len frame | index len (gap) | index len frame | free      ]
/// ```
#[derive(Debug)]
pub(super) struct Arena<B> {
    bytes: B,
    end: usize,
    used: usize,
}

/// Where a frame is; nothing if it has no bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Kept {
    at: u32,
    len: u32,
}

impl Kept {
    pub(super) const NONE: Self = Self { at: 0, len: 0 };

    pub(super) const fn len(self) -> u64 {
        self.len as u64
    }

    pub(super) const fn is_some(self) -> bool {
        self.len > 0
    }
}

/// Frames that lie over more memory than this are moved together if they are a quarter of it at most: what is used over and
/// over again had better be small.
const SPREAD: usize = 16 << 10;

/// The index of a call and the length of its frame.
const HEADER: usize = 6;

impl<B: AsRef<[u8]> + AsMut<[u8]>> Arena<B> {
    pub(super) const fn new(bytes: B) -> Self {
        Self { bytes, end: 0, used: 0 }
    }

    /// The frame of a call.
    pub(super) fn frame(&self, kept: Kept) -> &[u8] {
        let at = kept.at as usize;
        self.bytes.as_ref().get(at..at.saturating_add(kept.len as usize)).unwrap_or_default()
    }

    /// Writes the request of the call at `index`, which has none.
    pub(super) fn keep(
        &mut self,
        calls: &mut [Call],
        index: u16,
        request: &dyn AnyRequest,
    ) -> Result<Kept, SubmitError> {
        self.draw_in(calls);
        let mut tidied = false;
        loop {
            let start = self.end.saturating_add(HEADER);
            let room = self.bytes.as_mut().get_mut(start..).unwrap_or_default();
            let mut encoder = Encoder::new(room);
            let in_parts = request.encode(&mut encoder).is_some();
            let encoded = encoder.finish();
            if in_parts || encoded.later_arg().is_some() {
                return Err(Misuse::Streamed.into());
            }
            if encoded.is_empty() {
                return Err(Misuse::Empty.into());
            }
            if encoded.is_written() {
                return self.commit(calls, index, encoded.len());
            }
            let (all, needed) = (self.bytes.as_ref().len(), encoded.len().saturating_add(HEADER));
            if needed > all {
                return Err(Full::TooLarge.into());
            }
            // A walk costs as much as there is to move: it must be worth it.
            let gaps = self.end.saturating_sub(self.used);
            if tidied || self.used.saturating_add(needed) > all || gaps < all / 8 {
                return Err(Full::Transmit.into());
            }
            self.tidy(calls);
            tidied = true;
        }
    }

    /// The same of a frame that was written elsewhere.
    #[inline]
    pub(super) fn copy(&mut self, calls: &mut [Call], index: u16, frame: &[u8]) -> Result<Kept, SubmitError> {
        self.draw_in(calls);
        let start = self.end.saturating_add(HEADER);
        match self.bytes.as_mut().get_mut(start..).and_then(|room| room.get_mut(..frame.len())) {
            Some(room) => {
                crate::resp::copy(room, frame);
                self.commit(calls, index, frame.len())
            }
            None => self.keep(calls, index, &Frame::new(frame, &Command::PROMPT)),
        }
    }

    fn commit(&mut self, calls: &mut [Call], index: u16, len: usize) -> Result<Kept, SubmitError> {
        let too_large = SubmitError::Full(Full::TooLarge);
        let at = self.end.saturating_add(HEADER);
        let kept = Kept {
            at: u32::try_from(at).map_err(|_| too_large)?,
            len: u32::try_from(len).map_err(|_| too_large)?,
        };
        self.put_header(self.end, index, kept.len);
        self.end = at.saturating_add(len);
        self.used = self.used.saturating_add(HEADER).saturating_add(len);
        if let Some(call) = calls.get_mut(usize::from(index)) {
            call.kept = kept;
        }
        Ok(kept)
    }

    /// Nobody needs this frame any more.
    #[inline]
    pub(super) fn release(&mut self, kept: Kept) {
        if kept.is_some() {
            let (at, size) = (kept.at as usize, HEADER + kept.len as usize);
            self.used = self.used.saturating_sub(size);
            if self.used == 0 {
                self.end = 0;
            } else if at.saturating_add(kept.len as usize) == self.end {
                self.end = at.saturating_sub(HEADER);
            }
        }
    }

    /// Who always has something under way never comes to the end of it, and would come to the end of the memory.
    #[inline]
    fn draw_in(&mut self, calls: &mut [Call]) {
        if self.end > SPREAD && self.used <= self.end / 4 {
            self.tidy(calls);
        }
    }

    /// Moves all frames to the front.
    fn tidy(&mut self, calls: &mut [Call]) {
        let (mut from, mut to) = (0, 0);
        while from < self.end
            && let Some((index, len)) = self.header(from)
        {
            let size = HEADER.saturating_add(len as usize);
            let at = from.saturating_add(HEADER);
            if let Some(call) = calls.get_mut(usize::from(index))
                && call.kept == (Kept { at: at as u32, len })
            {
                if to < from {
                    self.bytes.as_mut().copy_within(from..from.saturating_add(size).min(self.end), to);
                }
                call.kept.at = to.saturating_add(HEADER) as u32;
                to = to.saturating_add(size);
            }
            from = from.saturating_add(size);
        }
        self.end = to;
    }

    fn header(&self, at: usize) -> Option<(u16, u32)> {
        let bytes: &[u8; HEADER] = self.bytes.as_ref().get(at..)?.first_chunk()?;
        let [a, b, len @ ..] = *bytes;
        Some((u16::from_le_bytes([a, b]), u32::from_le_bytes(len)))
    }

    fn put_header(&mut self, at: usize, index: u16, len: u32) {
        if let Some(header) =
            self.bytes.as_mut().get_mut(at..).and_then(|room| room.first_chunk_mut::<HEADER>())
        {
            let ([a, b], [c, d, e, f]) = (index.to_le_bytes(), len.to_le_bytes());
            *header = [a, b, c, d, e, f];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::get;

    /// Memory that is never empty is used from its start again and again.
    #[test]
    fn what_comes_and_goes_stays_at_the_front() {
        const CALLS: usize = 4;
        let mut calls = [Call::EMPTY; CALLS];
        let mut arena = Arena::new([0_u8; 2 * SPREAD]);
        let mut furthest = 0;
        // Each takes more than 16 bytes: so it comes there more than once.
        let rounds = if cfg!(miri) { 30 } else { SPREAD / 8 };
        for round in 0..rounds {
            let index = round % CALLS;
            // The last one is still there when the next comes.
            arena.release(core::mem::replace(&mut calls[index].kept, Kept::NONE));
            let key = ["a", "bb", "ccc"][round % 3];
            if round % 2 == 0 {
                arena.keep(&mut calls, index as u16, &get(key)).unwrap();
            } else {
                let mut frame = [0; 64];
                let mut encoder = Encoder::new(&mut frame);
                get(key).encode(&mut encoder);
                let len = encoder.finish().len();
                arena.copy(&mut calls, index as u16, &frame[..len]).unwrap();
            }
            furthest = furthest.max(arena.end);
            for (at, call) in calls.iter().enumerate().filter(|(_, call)| call.kept.is_some()) {
                let behind = (index + CALLS - at) % CALLS;
                let key = ["a", "bb", "ccc"][(round - behind) % 3];
                assert!(arena.frame(call.kept).ends_with([key.as_bytes(), b"\r\n"].concat().as_slice()));
            }
        }
        assert!(cfg!(miri) || furthest > SPREAD, "it came so far");
        assert!(furthest < SPREAD + 64, "{furthest}");
    }
}
