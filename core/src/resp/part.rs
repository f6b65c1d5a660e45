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
    /// Values inside, or bytes still to come; `None` while nobody knows.
    pub(crate) left: Option<u64>,
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
    /// The start of an aggregate.
    Begin,
    /// Bytes of a string.
    Chunk,
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

/// How replies are told in parts: [`Scanner::find`], for a program that asks for it somewhere. A
/// pointer, so that the others are linked without.
#[derive(Clone, Copy, Debug)]
pub struct Teller(Find);

type Find = fn(&mut Scanner, &[u8], Wanted) -> Result<Option<Found>, ProtocolError>;

impl Teller {
    /// The only one.
    pub(crate) const PARTS: Self = Self(Scanner::find);

    /// [`Scanner::find`].
    pub(crate) fn find(
        self,
        scanner: &mut Scanner,
        bytes: &[u8],
        wanted: Wanted,
    ) -> Result<Option<Found>, ProtocolError> {
        (self.0)(scanner, bytes, wanted)
    }
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

#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    /// A part, which is not the last of its value.
    Piece,
    /// The last part of a value.
    Last,
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
    fn find(&mut self, bytes: &[u8], wanted: Wanted) -> Result<Option<Found>, ProtocolError> {
        self.begun = true;
        let mut piece = Piece {
            what: What::Value,
            kind: Kind::Null,
            left: Some(0),
            start: 0,
            end: 0,
            len: 0,
            last: false,
        };
        loop {
            let told = match (self.telling, self.stage) {
                _ if self.over.is_some() => {
                    if self.give_up() {
                        return self.finish().map(|frame| Some(Found::Frame(frame)));
                    }
                    Told::Whole
                }
                (Telling::Off, _) if self.is_inside() => Told::Whole,
                (Telling::Quiet { depth }, _) => self.pass_over(bytes, depth)?,
                (_, Stage::Value) => self.part(bytes, wanted, &mut piece)?,
                (Telling::On { kind, pieces }, stage) => {
                    piece.kind = kind;
                    if let Stage::Text { .. } = stage {
                        self.line(bytes, pieces, &mut piece)?
                    } else {
                        self.string_piece(bytes, &mut piece)?
                    }
                }
                (Telling::Off, _) => Told::Whole,
            };
            match told {
                Told::Piece | Told::Last => {
                    self.level.left -= u32::from(told == Told::Last).min(self.level.left);
                    piece.start = self.body;
                    piece.len = self.pos;
                    piece.last = self.outer.depth() == 0 && self.level.left == 0;
                    self.forget();
                    if piece.last {
                        self.restart();
                    }
                    return Ok(Some(Found::Piece(piece)));
                }
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

    /// Whether what is here is the start of a line that is told whole.
    pub(crate) const fn is_in_told_line(&self) -> bool {
        matches!((self.telling, self.stage), (Telling::On { pieces: false, .. }, Stage::Text { .. }))
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

    /// The reply is over a limit: the rest is not told. Says whether there is none.
    #[cold]
    fn give_up(&mut self) -> bool {
        self.telling = Telling::Off;
        self.stage == Stage::Value && self.level.left == 0 && self.close()
    }

    /// The value that starts here, the reply or something inside, or the end of an aggregate.
    fn part(&mut self, bytes: &[u8], wanted: Wanted, piece: &mut Piece) -> Result<Told, ProtocolError> {
        let top = self.is_top();
        self.body = self.pos;
        if self.level.left == 0 && self.level.form == Form::Counted {
            self.reopen();
            piece.what = What::End;
            return Ok(Told::Last);
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
        piece.kind = kind;
        self.telling = Telling::On { kind, pieces: false };
        let step = self.value(bytes)?;
        Ok(match step {
            Step::Short => Told::Short,
            Step::Open if self.over.is_some() => Told::Nothing,
            Step::Open if self.stage == Stage::Value => {
                piece.what = What::Begin;
                piece.left =
                    if self.level.form == Form::Counted { Some(self.level.left.into()) } else { None };
                Told::Piece
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
            Step::Leaf => {
                piece.what = if tag == b'.' { What::End } else { What::Value };
                piece.end = self.pos;
                Told::Last
            }
        })
    }

    /// All payload that is here. The last byte of a string, or of one of its chunks, waits for the
    /// line end behind it: before that nobody knows that the length was right.
    fn string_piece(&mut self, bytes: &[u8], piece: &mut Piece) -> Result<Told, ProtocolError> {
        if self.stage == Stage::Chunk && self.chunk(bytes)? == Step::Short {
            return Ok(Told::Short);
        }
        self.body = self.pos;
        piece.what = What::Chunk;
        piece.end = self.pos;
        let Stage::Payload { left, chunk } = self.stage else { return Ok(Told::Last) };
        let rest = bytes.get(self.pos..).unwrap_or_default();
        let mut n = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        let all = n as u64 == left;
        self.pos += n;
        piece.end = self.pos;
        if all && self.terminator(rest.get(n..).unwrap_or_default(), chunk)? != Step::Short {
            if !chunk {
                return Ok(Told::Last);
            }
        } else {
            let held = usize::from(all && n > 0);
            n -= held;
            self.pos -= held;
            piece.end = self.pos;
            self.stage = Stage::Payload { left: left - n as u64, chunk };
        }
        piece.left = if chunk { None } else { Some(left - n as u64) };
        Ok(if n == 0 { Told::Short } else { Told::Piece })
    }

    /// The rest of a line, whole or in pieces.
    fn line(&mut self, bytes: &[u8], pieces: bool, piece: &mut Piece) -> Result<Told, ProtocolError> {
        let whole = self.resume(bytes)? == Step::Leaf;
        piece.end = self.pos;
        if pieces {
            piece.what = What::Chunk;
            // Without its line end.
            piece.end -= if whole { 2.min(self.pos) } else { 0 };
        }
        if whole {
            return Ok(Told::Last);
        }
        piece.left = None;
        Ok(if pieces && self.pos > self.body { Told::Piece } else { Told::Short })
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
