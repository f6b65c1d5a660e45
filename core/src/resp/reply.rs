//! A cursor over one checked value.

use core::fmt;

use super::attributes::Attributes;
use super::express::{self, Plain, Whole};
use super::number;
use super::scan::{Frame, Scanner};
use super::seq::{Map, Preorder, Seq, Visit};
use super::skip::{self, Counted, Owed};
use super::{FromReply, Kind};
use crate::error::{ReplyError, ServerError};

/// One value of a reply: small, `Copy`, borrowing the bytes it came in.
///
/// The bytes were validated by a [`Scanner`] before, so accessors answer `None` only for another
/// kind of value, never for broken syntax.
#[derive(Clone, Copy)]
pub struct Reply<'a> {
    kind: Kind,
    shape: Shape,
    /// The bits of an integer, a boolean as 0 or 1, or how many values stand inside.
    number: u64,
    /// The body: the text or payload; for aggregates and streamed strings all that follows the header.
    /// If there are attributes, these and the header stand in front of it.
    bytes: &'a [u8],
    /// Where the body starts: at 0 without attributes.
    start: usize,
}

/// What the header said.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Shape {
    /// Nothing but the body.
    Plain,
    /// There is a value of an integer or of a boolean.
    Integer,
    /// There is a count of values inside.
    Count,
    /// An end marker or an empty chunk ends it.
    Streamed,
}

/// What a [`Reply`] is besides its bytes: with a copy of these it is the same reply, and nothing is read again.
///
/// ```
/// use respire_core::resp::Reply;
/// let reply = Reply::parse(b"*2\r\n:1\r\n$1\r\na\r\n").unwrap();
/// let (outline, bytes) = reply.outline();
/// let copy = bytes.to_vec();
/// assert_eq!(outline.over(&copy).get::<(i64, &str)>(), Ok((1, "a")));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Outline {
    kind: Kind,
    shape: Shape,
    number: u64,
    start: usize,
}

impl Outline {
    /// Of null.
    pub const NULL: Self = Self { kind: Kind::Null, shape: Shape::Plain, number: 0, start: 0 };

    /// The reply whose bytes, or a copy of them, these are. Of other bytes it is another reply, or one that ends early.
    #[must_use]
    pub const fn over(self, bytes: &[u8]) -> Reply<'_> {
        let Self { kind, shape, number, start } = self;
        Reply { kind, shape, number, bytes, start }
    }
}

impl<'a> Reply<'a> {
    /// Null, for requests that are answered by nothing.
    pub const NULL: Self = Self { kind: Kind::Null, shape: Shape::Plain, number: 0, bytes: &[], start: 0 };

    /// The value of `frame`, which a scanner found at the start of `bytes`.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub fn new(bytes: &'a [u8], frame: Frame) -> Self {
        Self::parsed(bytes.get(..frame.len).unwrap_or_default())
    }

    /// Checks `bytes` as one whole reply, with nothing behind it.
    ///
    /// ```
    /// use respire_core::resp::Reply;
    /// let reply = Reply::parse(b"*2\r\n:1\r\n$1\r\na\r\n").unwrap();
    /// assert_eq!(reply.get::<(i64, &str)>(), Ok((1, "a")));
    /// assert!(Reply::parse(b"$3\r\nab").is_none(), "more bytes are owed");
    /// ```
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let frame = Scanner::new(super::Limits::SERVER).scan(bytes).ok()??;
        if frame.len == bytes.len() { Some(Self::new(bytes, frame)) } else { None }
    }

    /// What it is besides its bytes, and these: to keep a copy of it.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn outline(self) -> (Outline, &'a [u8]) {
        let Self { kind, shape, number, start, bytes } = self;
        (Outline { kind, shape, number, start }, bytes)
    }

    /// What it is.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub const fn kind(self) -> Kind {
        self.kind
    }

    /// Whether it is null.
    pub fn is_null(self) -> bool {
        self.kind == Kind::Null
    }

    /// The error, if it is one.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn error(self) -> Option<ServerError<'a>> {
        if self.kind.is_error() { Some(ServerError::new(self.body())) } else { None }
    }

    /// The bytes of a simple, bulk, verbatim or big number value, and the digits of numbers; an
    /// error is not a string. `None` for a streamed string: see [`chunks`](Self::chunks).
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn as_bytes(self) -> Option<&'a [u8]> {
        match self.kind {
            Kind::Simple | Kind::BigNumber | Kind::Integer | Kind::Double => Some(self.body()),
            Kind::Bulk if self.shape == Shape::Plain => Some(self.body()),
            // The format was checked to be there: three bytes and a colon.
            Kind::Verbatim => self.body().get(4..),
            _ => None,
        }
    }

    /// The three bytes of a verbatim string's format: `txt`, `mkd`.
    pub fn format(self) -> Option<&'a [u8]> {
        if self.kind == Kind::Verbatim { self.body().get(..3) } else { None }
    }

    /// The pieces of a string: one, or as many as it was streamed in.
    pub fn chunks(self) -> Option<Chunks<'a>> {
        match (self.kind, self.shape) {
            (Kind::Bulk, Shape::Streamed) => Some(Chunks { rest: self.body(), whole: None }),
            _ => self.as_bytes().map(|bytes| Chunks { rest: &[], whole: Some(bytes) }),
        }
    }

    /// The value of an integer.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn as_integer(self) -> Option<i64> {
        match (self.kind, self.shape) {
            (Kind::Integer, Shape::Integer) => Some(self.number.cast_signed()),
            _ => None,
        }
    }

    /// The value of a boolean.
    pub fn as_boolean(self) -> Option<bool> {
        match (self.kind, self.shape) {
            (Kind::Boolean, Shape::Integer) => Some(self.number == 1),
            _ => None,
        }
    }

    /// The value of a double.
    pub fn as_double(self) -> Option<f64> {
        if self.kind == Kind::Double { number::parse_double(self.body()) } else { None }
    }

    /// What stands inside an array, set, push or map; a map yields keys and values in turn.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn elements(self) -> Option<Seq<'a>> {
        match self.shape {
            _ if !self.kind.is_aggregate() => None,
            Shape::Count => Some(Seq::new(self.kind, self.body(), Some(self.number))),
            _ => Some(Seq::new(self.kind, self.body(), None)),
        }
    }

    /// The pairs of a map, or of the flat array that RESP2 sends for one.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn pairs(self) -> Option<Map<'a>> {
        match self.kind {
            Kind::Map | Kind::Array => self.elements().map(Map::new),
            _ => None,
        }
    }

    /// What the server says about this value beside it: keys and values in front of it. Few servers
    /// send any, and none has to be read.
    pub fn attributes(self) -> Attributes<'a> {
        Attributes::new(self.bytes.get(..self.start).unwrap_or_default())
    }

    /// This value and all inside it, in the order of the bytes.
    pub fn preorder(self) -> Preorder<'a> {
        Preorder::new(self)
    }

    /// The value as a `T`.
    ///
    /// # Errors
    /// The server's error, or that the reply is of another type than `T`.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn get<T: FromReply<'a>>(self) -> Result<T, ReplyError<'a>> {
        T::try_reply(self)
    }

    /// The first value in an aggregate.
    pub(crate) fn first_inside(self) -> Option<Self> {
        Self::first(self.body()).map(|(reply, _)| reply)
    }

    /// The plain value that a scanner found at the start of `bytes`.
    #[inline(always)]
    pub(crate) fn whole(bytes: &'a [u8], found: Whole) -> Self {
        let Whole { kind, number, start, end, .. } = found;
        let shape = if kind == Kind::Integer { Shape::Integer } else { Shape::Plain };
        Self::made(kind, shape, number, bytes.get(start..end).unwrap_or_default())
    }

    /// The reply that bytes start with which were [checked](Self::parse) before. Of other bytes it is another one, or one that
    /// ends early.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub fn parsed(bytes: &'a [u8]) -> Self {
        if express::OPEN
            && let Some((plain, _)) = express::value(bytes)
        {
            return Self::plain(plain, |reply| reply);
        }
        Self::any_alone(bytes)
    }

    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn any_alone(bytes: &'a [u8]) -> Self {
        Self::any(bytes).map_or(Self::NULL, |(reply, _)| reply)
    }

    /// The first value of checked bytes, and what follows its header or, without children, itself.
    #[cfg_attr(target_pointer_width = "64", inline(always))]
    pub(super) fn first(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        if express::OPEN
            && let Some((plain, behind)) = express::value(bytes)
        {
            return Some((Self::plain(plain, |reply| reply), behind));
        }
        Self::any(bytes)
    }

    /// What `make` makes of a plain value. It is compiled once for each kind.
    #[inline(always)]
    pub(super) fn plain<U>(plain: Plain<'a>, make: impl FnOnce(Self) -> U) -> U {
        match plain {
            Plain::Bulk(payload) => make(Self::made(Kind::Bulk, Shape::Plain, 0, payload)),
            Plain::Integer(value, digits) => make(Self::made(Kind::Integer, Shape::Integer, value, digits)),
            Plain::Simple(text) => make(Self::made(Kind::Simple, Shape::Plain, 0, text)),
        }
    }

    /// The same, whatever it is.
    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn any(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (&tag, line) = bytes.split_first()?;
        let Some(kind) = Kind::tagged(tag) else {
            return if tag == b'|' { Self::behind_attributes(bytes) } else { None };
        };
        if express::OPEN
            && kind.is_aggregate()
            && let Some((count, behind)) = express::checked_header(bytes, kind)
        {
            return Some((Self::made(kind, Shape::Count, count, behind), behind));
        }
        let (shape, number, body, behind) = if kind.has_length() {
            match skip::counted(line) {
                Counted::Null(behind) => return Some((Self::NULL, behind)),
                Counted::Streamed(behind) => (Shape::Streamed, 0, behind, behind),
                Counted::Whole(n, behind) if kind.is_aggregate() => {
                    let count = if kind == Kind::Map { n.saturating_add(n) } else { n };
                    (Shape::Count, count, behind, behind)
                }
                Counted::Whole(n, behind) => {
                    let (payload, behind) = skip::payload(n, behind);
                    (Shape::Plain, 0, payload, behind)
                }
            }
        } else {
            let (text, behind) = skip::text(line);
            let mut number = 0;
            let shape = match kind {
                Kind::Integer => {
                    number::integer(line, &mut number);
                    Shape::Integer
                }
                Kind::Boolean => {
                    number = u64::from(text == b"t");
                    Shape::Integer
                }
                _ => Shape::Plain,
            };
            (shape, number, text, behind)
        };
        Some((Self::made(kind, shape, number, body), behind))
    }

    const fn made(kind: Kind, shape: Shape, number: u64, bytes: &'a [u8]) -> Self {
        Self { kind, shape, number, bytes, start: 0 }
    }

    /// The first value behind its attributes. Rare: it is kept apart from the usual way.
    #[cold]
    fn behind_attributes(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let mut rest = bytes;
        while let Some(line) = rest.strip_prefix(b"|") {
            let (pairs, behind) = number::checked_length(line);
            rest = behind.get(skip::values(behind, pairs.saturating_add(pairs))..)?;
        }
        // No attribute starts here, so that this goes no deeper.
        let (reply, behind) = Self::first(rest)?;
        // What is counted has a line of its own in front, all else only the type byte.
        let header = if reply.kind.has_length() { rest.iter().position(|&byte| byte == b'\n')? } else { 0 };
        let start = bytes.len().checked_sub(rest.len())?.checked_add(header)?.checked_add(1)?;
        let whole = bytes.get(..start.checked_add(reply.bytes.len())?)?;
        Some((Self { bytes: whole, start, ..reply }, behind))
    }

    /// What of it stands behind its header.
    pub(super) fn owed(self) -> Owed {
        match self.shape {
            Shape::Count => Owed::Values(self.number),
            Shape::Streamed => Owed::Stream,
            Shape::Plain | Shape::Integer => Owed::Nothing,
        }
    }

    #[inline]
    pub(super) fn body(self) -> &'a [u8] {
        self.bytes.get(self.start..).unwrap_or_default()
    }

    /// Whether it is a string that came in pieces.
    pub(super) fn is_streamed_string(self) -> bool {
        self.kind == Kind::Bulk && self.is_streamed()
    }

    /// Whether an end marker, not a count, ends it.
    pub(super) fn is_streamed(self) -> bool {
        self.shape == Shape::Streamed
    }
}

/// Values compare by what they say: the bytes of the header do not count, nor do attributes; kinds do.
impl PartialEq for Reply<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.preorder().eq(other.preorder())
    }
}

impl Reply<'_> {
    /// Equal as leaves, or as the heads of aggregates.
    pub(super) fn same_head(self, other: Self) -> bool {
        let same_shape = self.shape == other.shape && self.number == other.number;
        self.kind == other.kind
            && match (self.chunks(), other.chunks()) {
                // The digits of an integer may have a sign or zeros in front.
                _ if self.kind.is_aggregate() || self.kind == Kind::Integer => same_shape,
                (Some(a), Some(b)) => a.flatten().eq(b.flatten()) && self.format() == other.format(),
                _ => self.body() == other.body() && same_shape,
            }
    }
}

impl fmt::Debug for Reply<'_> {
    /// One line, without recursion: `[1, "a", {"k": nil}]` reads as `array(3) 1 "a" map(2) "k" nil`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, visit) in self.preorder().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            match visit {
                Visit::End => f.write_str("end")?,
                Visit::Value(reply) => reply.fmt_head(f)?,
            }
        }
        Ok(())
    }
}

/// What it is, never what it says: replies are the server's data.
#[cfg(feature = "defmt")]
impl defmt::Format for Reply<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{}", self.kind);
    }
}

impl Reply<'_> {
    fn fmt_head(self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.kind {
            Kind::Array => "array",
            Kind::Map => "map",
            Kind::Set => "set",
            Kind::Push => "push",
            Kind::Null => return f.write_str("nil"),
            Kind::Boolean => return write!(f, "{}", self.number == 1),
            Kind::Error | Kind::BulkError => return write!(f, "{:?}", ServerError::new(self.body())),
            Kind::Integer | Kind::Double | Kind::BigNumber => {
                return write!(f, "{}", self.body().escape_ascii());
            }
            Kind::Simple | Kind::Bulk | Kind::Verbatim => {
                f.write_str("\"")?;
                for chunk in self.chunks().into_iter().flatten() {
                    write!(f, "{}", chunk.escape_ascii())?;
                }
                return f.write_str("\"");
            }
        };
        match self.shape {
            Shape::Count => write!(f, "{name}({})", self.number),
            _ => write!(f, "{name}(streamed)"),
        }
    }
}

/// The pieces of a string, in order.
#[derive(Clone, Debug)]
pub struct Chunks<'a> {
    rest: &'a [u8],
    whole: Option<&'a [u8]>,
}

impl<'a> Iterator for Chunks<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if let Some(bytes) = self.whole.take() {
            return Some(bytes);
        }
        let (len, behind) = number::checked_length(self.rest.strip_prefix(b";")?);
        if len == 0 {
            self.rest = behind;
            return None;
        }
        let (chunk, behind) = skip::payload(len, behind);
        self.rest = behind;
        Some(chunk)
    }
}
