//! What all targets that read a server's bytes have in common: bytes in pieces, and chance.

use alloc::vec::Vec;

use crate::error::ProtocolError;
use crate::resp::{Frame, Limits, Scanner};

/// Every frame of `data`, and the error that ended it. `size` says how many bytes come next, given
/// how many are left.
pub(super) fn frames(
    data: &[u8],
    limits: Limits,
    mut size: impl FnMut(usize) -> usize,
) -> (Vec<Frame>, Option<ProtocolError>) {
    let mut scanner = Scanner::new(limits);
    let (mut start, mut end) = (0, 0);
    let mut frames = Vec::new();
    loop {
        match scanner.scan(data.get(start..end).unwrap_or_default()) {
            Ok(Some(frame)) => {
                assert!(frame.len > frame.body && start + frame.len <= end, "{frame:?}");
                start += frame.len;
                frames.push(frame);
            }
            Ok(None) => {
                assert!(start + scanner.settled() <= end, "settled more than there is");
                if end == data.len() {
                    return (frames, None);
                }
                end = data.len().min(end + size(data.len() - end).max(1));
            }
            Err(error) => return (frames, Some(error)),
        }
    }
}

/// All at once.
pub(super) fn whole(rest: usize) -> usize {
    rest
}

/// Chance that an input always has again: it comes from its bytes.
#[derive(Clone)]
pub(super) struct Dice(u32);

impl Dice {
    pub(super) fn of(data: &[u8]) -> Self {
        Self(data.iter().fold(1, |seed, &byte| seed.wrapping_mul(31).wrapping_add(byte.into())))
    }

    pub(super) fn roll(&mut self) -> u8 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 24) as u8
    }

    /// The size of the next piece: often small, sometimes large.
    pub(super) fn size(&mut self) -> usize {
        let roll = usize::from(self.roll());
        if roll < 16 { 100 * roll } else { roll % 90 }
    }
}
