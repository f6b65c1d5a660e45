//! A string at the top of a reply in pieces, as they arrive: for values larger than the buffer.

use super::Kind;
use super::head::Stage;
use super::scan::{Frame, Scanner};
use crate::error::ProtocolError;

/// What a scanner found at the front of the bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    /// One whole reply.
    Frame(Frame),
    /// A part of a string, or all of it.
    Piece(Piece),
}

/// A part of a string.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    /// Where its bytes start and end.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// How many bytes are done with it, headers and line ends included.
    pub(crate) len: usize,
    /// What is still to come of the string; `None` while nobody knows.
    pub(crate) left: Option<u64>,
}

impl Scanner {
    /// [`scan`](Self::scan); but if `pieces` holds when the header of a string at the top is read,
    /// that string is handed out piece by piece, and there is no frame. The bytes of a piece are
    /// gone: the next call starts behind them.
    pub(crate) fn find(&mut self, bytes: &[u8], pieces: bool) -> Result<Option<Found>, ProtocolError> {
        if !self.pieces {
            self.wanted = pieces;
            if let Some(frame) = self.scan(bytes)? {
                return Ok(Some(Found::Frame(frame)));
            }
        }
        if self.pieces { Ok(self.piece(bytes)?.map(Found::Piece)) } else { Ok(None) }
    }

    /// Whether the header that was just read is that of a string at the top: the scanner keeps the
    /// kind of the top only. Steps over a verbatim's format.
    pub(super) const fn begin_pieces(&mut self) -> bool {
        match (self.kind, &mut self.stage) {
            (Some(Kind::Verbatim), Stage::Payload { left, .. }) => {
                // The header was not read before these were there.
                *left = left.saturating_sub(4);
                self.pos = self.pos.saturating_add(4);
                true
            }
            (Some(Kind::Bulk), _) => true,
            _ => false,
        }
    }

    /// All payload that is here. The last byte of a string, or of one of its chunks, waits for the
    /// line end behind it: before that nobody knows that the length was right.
    fn piece(&mut self, bytes: &[u8]) -> Result<Option<Piece>, ProtocolError> {
        let from = |pos| bytes.get(pos..).unwrap_or_default();
        if matches!(self.stage, Stage::Chunk) && !self.chunk(from(self.pos))? {
            return Ok(None);
        }
        let (start, mut n, mut behind) = (self.pos, 0, Some(0));
        if let Stage::Payload { left, chunk } = self.stage {
            let rest = from(start);
            n = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
            let all = n as u64 == left;
            if !all || !self.terminator(rest.get(n..).unwrap_or_default(), chunk)? {
                n -= usize::from(all && n > 0);
                if n == 0 {
                    return Ok(None);
                }
                self.stage = Stage::Payload { left: left - n as u64, chunk };
            }
            self.pos = self.pos.saturating_add(n);
            behind = if chunk { None } else { Some(left - n as u64) };
        }
        let piece = Piece { start, end: start.saturating_add(n), len: self.pos, left: behind };
        if behind == Some(0) {
            *self = Self::new(self.limits);
        } else {
            self.forget();
        }
        Ok(Some(piece))
    }
}
