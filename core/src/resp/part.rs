//! A reply in parts, as its bytes arrive: for replies larger than the buffer.
//!
//! A string at the top is told in pieces; an aggregate as its start, what stands inside, and its
//! end; any other reply is small, and told whole. Attributes are passed over.

use super::Kind;
use super::head::Step;
use super::level::Form;
use super::scan::{Scanner, Stage};
use crate::error::ProtocolError;

/// What a scanner found at the front of the bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Found {
    /// A part of a reply.
    Piece,
    /// Nothing before there is more.
    Short,
    /// A reply, or the rest of one, that is told whole: scan it.
    Whole,
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

impl Piece {
    /// None yet.
    pub(crate) const NONE: Self =
        Self { what: What::Value, kind: Kind::Null, left: Some(0), start: 0, end: 0, len: 0, last: false };
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

/// How replies are told in parts: `Scanner::find`, for a program that asks for it somewhere. A
/// pointer, so that the others are linked without.
#[derive(Clone, Copy, Debug)]
pub struct Teller(Find);

type Find = fn(&mut Scanner, &[u8], Wanted, &mut Piece) -> Result<Found, ProtocolError>;

impl Teller {
    /// The only one.
    pub(crate) const PARTS: Self = Self(Scanner::find);

    /// [`Scanner::find`].
    pub(crate) fn find(
        self,
        scanner: &mut Scanner,
        bytes: &[u8],
        wanted: Wanted,
        piece: &mut Piece,
    ) -> Result<Found, ProtocolError> {
        (self.0)(scanner, bytes, wanted, piece)
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
    Quiet { depth: u16 },
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
    /// [`scan`](Self::scan) for a reply that, if it is `wanted` when its header is read, is handed
    /// out part by part, and then there is no frame. `piece` is [`Piece::NONE`], and filled. The bytes of
    /// a part are gone: the next call starts behind them.
    fn find(&mut self, bytes: &[u8], wanted: Wanted, piece: &mut Piece) -> Result<Found, ProtocolError> {
        self.begun = true;
        loop {
            let told = match self.telling {
                _ if self.over.is_some() => Told::Whole,
                Telling::Off if self.is_inside() => Told::Whole,
                Telling::Quiet { depth } => self.pass_over(bytes, depth)?,
                Telling::On { kind, pieces } if !self.is_at_value() => {
                    piece.kind = kind;
                    if self.stage == Stage::Text {
                        self.line(bytes, pieces, piece)?
                    } else {
                        self.string_piece(bytes, piece)?
                    }
                }
                _ => self.part(bytes, wanted, piece)?,
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
                    return Ok(Found::Piece);
                }
                Told::Nothing => {}
                Told::Short | Told::Whole => {
                    self.check_size()?;
                    if told == Told::Short {
                        return Ok(Found::Short);
                    }
                    self.telling = Telling::Off;
                    return Ok(Found::Whole);
                }
            }
        }
    }

    /// The window is full of a line that has not ended. Says whether it is told in pieces from now on.
    pub(crate) const fn spill(&mut self) -> bool {
        let (Telling::On { kind, pieces: false }, Stage::Text) = (self.telling, self.stage) else {
            return false;
        };
        self.telling = Telling::On { kind, pieces: true };
        self.body += 1;
        true
    }

    /// Whether what is here is the start of a line that is told whole.
    pub(crate) const fn is_in_told_line(&self) -> bool {
        matches!((self.telling, self.stage), (Telling::On { pieces: false, .. }, Stage::Text))
    }

    /// Whether what comes next is told in parts, and not to be stepped over.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) const fn is_told(&self) -> bool {
        matches!(self.telling, Telling::On { .. })
    }

    /// Whether the reply is told in parts.
    pub(super) const fn is_telling(&self) -> bool {
        !matches!(self.telling, Telling::Off)
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
            self.telling = Telling::Quiet { depth: self.outer.depth() as u16 };
            return Ok(Told::Nothing);
        }
        let kind = Kind::tagged(tag).unwrap_or(Kind::Null);
        piece.kind = kind;
        self.telling = Telling::On { kind, pieces: false };
        let step = self.value(bytes)?;
        Ok(match step {
            Step::Short => Told::Short,
            Step::Open if self.over.is_some() => Told::Nothing,
            Step::Open if self.is_at_value() => {
                piece.what = What::Begin;
                piece.left =
                    if self.level.form == Form::Counted { Some(self.level.left.into()) } else { None };
                Told::Piece
            }
            Step::Open => {
                if kind == Kind::Verbatim {
                    // The header was not read before the format was there.
                    self.rest = self.rest.saturating_sub(4);
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
        if self.is_at_value() {
            return Ok(Told::Last);
        }
        let chunk = self.stage == Stage::ChunkPayload;
        let step = self.payload(bytes)?;
        if step == Step::Short && self.rest == 0 && self.pos > self.body {
            self.rest = 1;
            self.pos -= 1;
        }
        piece.end = if step == Step::Short { self.pos } else { self.pos - 2 };
        if step == Step::Leaf {
            return Ok(Told::Last);
        }
        piece.left = if chunk { None } else { Some(self.rest) };
        Ok(if piece.end > self.body { Told::Piece } else { Told::Short })
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
    fn pass_over(&mut self, bytes: &[u8], depth: u16) -> Result<Told, ProtocolError> {
        match self.step(bytes)? {
            Step::Short => return Ok(Told::Short),
            Step::Leaf => {
                self.leave();
            }
            Step::Open => {}
        }
        if self.is_at_value() && self.outer.depth() == depth.into() {
            self.telling = Telling::On { kind: Kind::Null, pieces: false };
        }
        Ok(Told::Nothing)
    }
}
