//! Where a reply ends: one counter of values still owed, no recursion, no allocation.
//!
//! The scanner is given the bytes from the start of a frame again and again as more arrive, and
//! remembers how far it came: text and payload are looked at once, the digits of a header at most
//! as often as there are digits. Nesting of any depth costs nothing, since an aggregate only adds
//! its children to what is owed. Only streamed aggregates, whose end is a marker, need a stack;
//! it is fixed and small.

use super::Kind;
use super::head::{Children, Head, Limits, Stage};
use super::number::{self, Line};
use crate::error::ProtocolError;

/// One whole reply at the front of the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Frame {
    /// How many bytes it takes, attributes in front of it included.
    pub len: usize,
    /// Where the value itself starts, behind its attributes.
    pub body: usize,
    /// What it is.
    pub kind: Kind,
}

/// Finds and validates one reply, over as many calls as its bytes take to arrive.
#[derive(Clone, Debug)]
pub struct Scanner {
    pub(super) limits: Limits,
    /// Everything before this is settled, relative to the start of the frame.
    pub(super) pos: usize,
    /// Where the value proper starts, once its kind is known.
    body: usize,
    pub(super) kind: Option<Kind>,
    /// The start of the frame is gone.
    forgot: bool,
    /// Values still to come, not counting those of open streams.
    owed: u64,
    open: [Open; 4],
    opens: usize,
    pub(super) stage: Stage,
    /// A string at the top is to be handed out in pieces.
    pub(super) wanted: bool,
    /// It has begun: see `piece`.
    pub(super) pieces: bool,
}

/// A streamed aggregate whose end marker has not come.
#[derive(Clone, Copy, Debug)]
struct Open {
    /// What the value around it still owes.
    outer: u64,
    map: bool,
    odd: bool,
}

impl Scanner {
    /// A scanner at the start of a frame.
    pub const fn new(limits: Limits) -> Self {
        Self {
            limits,
            pos: 0,
            body: 0,
            kind: None,
            forgot: false,
            owed: 1,
            open: [Open { outer: 0, map: false, odd: false }; 4],
            opens: 0,
            stage: Stage::Value,
            wanted: false,
            pieces: false,
        }
    }

    /// Looks at `bytes`, which start where the frame starts and continue what was given before.
    /// `None` asks for more. A frame found leaves the scanner ready for the next one.
    ///
    /// # Errors
    /// The peer broke RESP; nothing behind this point can be trusted.
    pub fn scan(&mut self, bytes: &[u8]) -> Result<Option<Frame>, ProtocolError> {
        loop {
            if self.is_whole() {
                let kind = self.kind.unwrap_or(Kind::Null);
                let frame = Frame { len: self.pos, body: self.body, kind };
                *self = Self::new(self.limits);
                return Ok(Some(frame));
            }
            let rest = bytes.get(self.pos..).unwrap_or_default();
            let moved = match self.stage {
                Stage::Value => self.value(rest)?,
                Stage::Text { len } => self.text(rest, len)?,
                Stage::Payload { left, chunk } => self.payload(rest, left, chunk),
                Stage::Terminator { chunk } => self.terminator(rest, chunk)?,
                Stage::Chunk => self.chunk(rest)?,
            };
            if !moved || self.pieces {
                return Ok(None);
            }
        }
    }

    /// How many bytes from the start of the frame will not be looked at again.
    pub const fn settled(&self) -> usize {
        self.pos
    }

    /// Whether a frame has begun and not ended.
    pub const fn is_inside(&self) -> bool {
        self.pos > 0 || self.forgot
    }

    /// The bytes up to [`settled`](Self::settled) are gone: the next call starts behind them. The
    /// frame can be counted to its end, no longer read.
    pub fn forget(&mut self) {
        self.forgot |= self.pos > 0;
        self.pos = 0;
        self.body = 0;
    }

    /// Scans what stands inside an aggregate: `count` values, or all up to the end marker.
    pub(super) const fn inside(count: u64, streamed: bool) -> Self {
        let mut scanner = Self::new(Limits { line: u32::MAX, bulk: u64::MAX, elements: u64::MAX });
        scanner.kind = Some(Kind::Array);
        if streamed {
            scanner.owed = 0;
            scanner.opens = 1;
        } else {
            scanner.owed = count;
        }
        scanner
    }

    /// How many bytes it takes to the end, in bytes that were checked before.
    pub(super) fn checked_len(mut self, bytes: &[u8]) -> usize {
        match self.scan(bytes) {
            Ok(Some(frame)) => frame.len,
            _ => bytes.len(),
        }
    }

    const fn is_whole(&self) -> bool {
        self.owed == 0 && self.opens == 0 && matches!(self.stage, Stage::Value)
    }

    fn value(&mut self, rest: &[u8]) -> Result<bool, ProtocolError> {
        let Some((&tag, line)) = rest.split_first() else { return Ok(false) };
        let element = self.opens > 0 && self.owed == 0;
        if element && tag == b'.' {
            return self.end_of_stream(line);
        }
        let top = self.kind.is_none() && self.owed == 1 && self.opens == 0;
        if tag == b'>' && !top {
            return Err(ProtocolError::NestedPush);
        }
        let Head::Whole { len, kind, children, stage } = self.limits.head(tag, line)? else {
            return Ok(false);
        };

        let owed = if element { 1 } else { self.owed };
        let more = match children {
            Children::None => 0,
            Children::Count(count) => count,
            Children::Attributes(count) => count.saturating_add(1),
            Children::Streamed { .. } => 0,
        };
        let owed = (owed - 1).checked_add(more).ok_or(ProtocolError::TooManyElements)?;
        // Attributes begin the element that they stand in front of.
        if element && let Some(open) = self.innermost() {
            open.odd = !open.odd;
        }
        self.owed = owed;
        if let Children::Streamed { map } = children {
            let place = self.open.get_mut(self.opens).ok_or(ProtocolError::StreamTooDeep)?;
            *place = Open { outer: owed, map, odd: false };
            self.opens += 1;
            self.owed = 0;
        }
        if top && kind.is_some() {
            self.kind = kind;
            self.body = self.pos;
        }
        self.stage = stage;
        self.pos = self.pos.saturating_add(len + 1);
        self.pieces = self.wanted && self.begin_pieces();
        Ok(true)
    }

    fn text(&mut self, rest: &[u8], len: u32) -> Result<bool, ProtocolError> {
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
        let taken = end.unwrap_or(rest.len());
        let len = u32::try_from(taken).ok().and_then(|taken| len.checked_add(taken));
        let len = len.filter(|&len| len <= self.limits.line).ok_or(ProtocolError::LineTooLong)?;
        self.pos = self.pos.saturating_add(taken);
        self.stage = Stage::Text { len };
        match rest.get(taken..).unwrap_or_default() {
            [b'\r', b'\n', ..] => {
                self.pos = self.pos.saturating_add(2);
                self.stage = Stage::Value;
                Ok(true)
            }
            [] | [b'\r'] => Ok(false),
            _ => Err(ProtocolError::BadLineEnd),
        }
    }

    fn payload(&mut self, rest: &[u8], left: u64, chunk: bool) -> bool {
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        let left = left - taken as u64;
        self.pos = self.pos.saturating_add(taken);
        if left == 0 {
            self.stage = Stage::Terminator { chunk };
            return true;
        }
        self.stage = Stage::Payload { left, chunk };
        false
    }

    pub(super) fn terminator(&mut self, rest: &[u8], chunk: bool) -> Result<bool, ProtocolError> {
        match rest {
            [b'\r', b'\n', ..] => {
                self.pos = self.pos.saturating_add(2);
                self.stage = if chunk { Stage::Chunk } else { Stage::Value };
                Ok(true)
            }
            [] | [b'\r'] => Ok(false),
            _ => Err(ProtocolError::BadTerminator),
        }
    }

    pub(super) fn chunk(&mut self, rest: &[u8]) -> Result<bool, ProtocolError> {
        let line = match rest.split_first() {
            Some((b';', line)) => line,
            Some(_) => return Err(ProtocolError::BadStream),
            None => return Ok(false),
        };
        match number::length(line) {
            Line::Whole(left, len) => {
                if left > self.limits.bulk {
                    return Err(ProtocolError::BulkTooLong);
                }
                self.pos = self.pos.saturating_add(len + 1);
                self.stage = if left == 0 { Stage::Value } else { Stage::Payload { left, chunk: true } };
                Ok(true)
            }
            Line::Partial => Ok(false),
            Line::Bad => Err(ProtocolError::BadLength),
        }
    }

    fn end_of_stream(&mut self, line: &[u8]) -> Result<bool, ProtocolError> {
        match line {
            [b'\r', b'\n', ..] => {}
            [] | [b'\r'] => return Ok(false),
            _ => return Err(ProtocolError::BadStream),
        }
        let Some(open) = self.innermost().copied() else { return Err(ProtocolError::BadStream) };
        if open.map && open.odd {
            return Err(ProtocolError::BadStream);
        }
        self.opens -= 1;
        self.owed = open.outer;
        self.pos = self.pos.saturating_add(3);
        Ok(true)
    }

    fn innermost(&mut self) -> Option<&mut Open> {
        self.opens.checked_sub(1).and_then(|at| self.open.get_mut(at))
    }
}
