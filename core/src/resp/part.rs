//! A reply in parts, as its bytes arrive: for replies larger than the buffer.
//!
//! A string at the top is told in pieces; an aggregate as its start, what stands inside, and its
//! end; any other reply is small, and told whole. Attributes are passed over.

use super::Kind;
use super::head::Step;
use super::level::Form;
use super::scan::{Frame, Scanner, Stage};
use crate::error::ProtocolError;

/// What a scanner found at the front of the bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Found {
    /// One whole reply.
    Frame(Frame),
    /// A part of one.
    Piece(Piece),
}

/// A part of a reply.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) what: What,
    /// Of the value that it is, or is a part of.
    pub(crate) kind: Kind,
    /// Where its bytes start and end.
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// How many bytes are done with it, headers and line ends included.
    pub(crate) len: usize,
    /// Nothing is to come of the reply.
    pub(crate) last: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum What {
    /// The start of an aggregate of so many values; `None` while nobody knows.
    Begin(Option<u64>),
    /// Bytes of a string, and how many are to come of it.
    Chunk(Option<u64>),
    /// A whole value with nothing inside.
    Value,
    /// The end of an aggregate.
    End,
}

/// Which replies are to be told in parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Wanted {
    Nothing,
    Strings,
    /// And arrays, maps and sets.
    Aggregates,
}

/// How far a scanner has told a reply in parts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Telling {
    /// Not at all.
    Off,
    /// It comes in parts, and this is what stands here. `pieces`: it is a line longer than the window.
    On { kind: Kind, pieces: bool },
    /// The same, but these are attributes of the value that comes next at this depth.
    Quiet { depth: usize },
}

enum Told {
    /// A part of this kind, whose bytes end here.
    Piece(What, Kind, usize),
    /// Nothing, but go on.
    Nothing,
    /// Nothing before there is more.
    Short,
    /// The reply is told whole.
    Whole,
}

impl Scanner {
    /// [`scan`](Self::scan); but a reply that is `wanted` when its header is read is handed out part
    /// by part, and there is no frame. The bytes of a part are gone: the next call starts behind them.
    pub(crate) fn find(&mut self, bytes: &[u8], wanted: Wanted) -> Result<Option<Found>, ProtocolError> {
        self.begun = true;
        loop {
            if self.over.is_some() {
                let frame = if self.give_up() { Some(self.finish()?) } else { self.scan(bytes)? };
                return Ok(frame.map(Found::Frame));
            }
            let told = match (self.telling, self.stage) {
                (Telling::Off, _) if !self.is_top() => Told::Whole,
                (Telling::Quiet { depth }, _) => self.pass_over(bytes, depth)?,
                (_, Stage::Value) => self.part(bytes, wanted)?,
                (Telling::On { kind, pieces }, Stage::Text { .. }) => self.line(bytes, kind, pieces)?,
                (Telling::On { kind, .. }, _) => self.string_piece(bytes, kind)?,
                (Telling::Off, _) => Told::Whole,
            };
            match told {
                Told::Piece(what, kind, end) => return Ok(Some(Found::Piece(self.lend(what, kind, end)))),
                Told::Nothing => {}
                Told::Short => {
                    self.check_size()?;
                    return Ok(None);
                }
                Told::Whole => {
                    self.telling = Telling::Off;
                    return Ok(self.scan(bytes)?.map(Found::Frame));
                }
            }
        }
    }

    /// The window is full of a line that has not ended. Says whether it is told in pieces from now on.
    pub(crate) const fn spill(&mut self) -> bool {
        let (Telling::On { kind, pieces: false }, Stage::Text { .. }) = (self.telling, self.stage) else {
            return false;
        };
        self.telling = Telling::On { kind, pieces: true };
        self.body += 1;
        true
    }

    /// Whether what comes next is told in parts, and not to be stepped over.
    #[inline]
    pub(super) const fn is_told(&self) -> bool {
        matches!(self.telling, Telling::On { .. })
    }

    /// Whether the reply is told in parts.
    pub(super) const fn is_telling(&self) -> bool {
        !matches!(self.telling, Telling::Off)
    }

    /// The part from the start of the value to here; its bytes end at `end`.
    fn lend(&mut self, what: What, kind: Kind, end: usize) -> Piece {
        let last = self.outer.depth() == 0 && self.level.left == 0;
        let piece = Piece { what, kind, start: self.body, end, len: self.pos, last };
        if last {
            self.restart();
        } else {
            self.forget();
        }
        piece
    }

    /// The reply is over a limit: the rest is not told. Says whether there is none.
    #[cold]
    fn give_up(&mut self) -> bool {
        self.telling = Telling::Off;
        self.stage == Stage::Value && self.level.left == 0 && self.close()
    }

    /// The value that starts here, the reply or something inside, or the end of an aggregate.
    fn part(&mut self, bytes: &[u8], wanted: Wanted) -> Result<Told, ProtocolError> {
        let top = self.is_top();
        self.body = self.pos;
        if self.level.left == 0 && self.level.form == Form::Counted {
            self.reopen();
            return Ok(self.told(What::End, Kind::Null, self.pos));
        }
        let Some(&tag) = bytes.get(self.pos) else { return Ok(Told::Short) };
        let is_wanted = match (tag, wanted) {
            _ if !top => true,
            (_, Wanted::Nothing) => false,
            (b'*' | b'%' | b'~', _) => wanted == Wanted::Aggregates,
            (tag, _) => matches!(tag, b'$' | b'=' | b'|'),
        };
        if !is_wanted {
            return Ok(Told::Whole);
        }
        if tag == b'|' {
            self.telling = Telling::Quiet { depth: self.outer.depth() };
            return Ok(Told::Nothing);
        }
        let kind = Kind::tagged(tag).unwrap_or(Kind::Null);
        self.telling = Telling::On { kind, pieces: false };
        let step = self.value(bytes)?;
        Ok(match step {
            Step::Short => Told::Short,
            Step::Open if self.over.is_some() => Told::Nothing,
            Step::Open if self.stage == Stage::Value => {
                let len = if self.level.form == Form::Counted { Some(self.level.left.into()) } else { None };
                Told::Piece(What::Begin(len), kind, self.pos)
            }
            Step::Open => {
                if let (Kind::Verbatim, Stage::Payload { left, .. }) = (kind, &mut self.stage) {
                    // The header was not read before the format was there.
                    *left = left.saturating_sub(4);
                    self.pos += 4;
                }
                Told::Nothing
            }
            Step::Leaf if top => {
                // Null. It takes its step again: nothing of it was told.
                self.pos = self.body;
                self.kind = None;
                Told::Whole
            }
            Step::Leaf => self.told(if tag == b'.' { What::End } else { What::Value }, kind, self.pos),
        })
    }

    /// The last part of a value.
    const fn told(&mut self, what: What, kind: Kind, end: usize) -> Told {
        self.level.left = self.level.left.saturating_sub(1);
        Told::Piece(what, kind, end)
    }

    /// All payload that is here. The last byte of a string, or of one of its chunks, waits for the
    /// line end behind it: before that nobody knows that the length was right.
    fn string_piece(&mut self, bytes: &[u8], kind: Kind) -> Result<Told, ProtocolError> {
        if self.stage == Stage::Chunk && self.chunk(bytes)? == Step::Short {
            return Ok(Told::Short);
        }
        self.body = self.pos;
        let Stage::Payload { left, chunk } = self.stage else {
            // An empty chunk was the end.
            return Ok(self.told(What::Chunk(Some(0)), kind, self.pos));
        };
        let rest = bytes.get(self.pos..).unwrap_or_default();
        let n = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        let all = n as u64 == left;
        self.pos += n;
        let end = self.pos;
        if all && self.terminator(rest.get(n..).unwrap_or_default(), chunk)? == Step::Leaf {
            return Ok(self.told(What::Chunk(Some(0)), kind, end));
        }
        if self.stage == Stage::Chunk {
            return Ok(Told::Piece(What::Chunk(None), kind, end));
        }
        let held = usize::from(all && n > 0);
        self.pos -= held;
        let left = left - (n - held) as u64;
        self.stage = Stage::Payload { left, chunk };
        if n == held {
            return Ok(Told::Short);
        }
        Ok(Told::Piece(What::Chunk(if chunk { None } else { Some(left) }), kind, self.pos))
    }

    /// The rest of a line, whole or in pieces.
    fn line(&mut self, bytes: &[u8], kind: Kind, pieces: bool) -> Result<Told, ProtocolError> {
        let whole = self.resume(bytes)? == Step::Leaf;
        Ok(match (whole, pieces) {
            (true, false) => self.told(What::Value, kind, self.pos),
            (true, true) => self.told(What::Chunk(Some(0)), kind, self.pos.saturating_sub(2)),
            (false, true) if self.pos > self.body => Told::Piece(What::Chunk(None), kind, self.pos),
            (false, _) => Told::Short,
        })
    }

    /// Attributes, which are not told.
    fn pass_over(&mut self, bytes: &[u8], depth: usize) -> Result<Told, ProtocolError> {
        match self.step(bytes)? {
            Step::Short => return Ok(Told::Short),
            Step::Leaf => {
                self.leave();
            }
            Step::Open => {}
        }
        if self.stage == Stage::Value && self.outer.depth() == depth {
            self.telling = Telling::On { kind: Kind::Null, pieces: false };
        }
        Ok(Told::Nothing)
    }
}
