//! The header of a value: what stands behind its type byte, and what must follow.

use super::Kind;
use super::number::{self, Line};
use crate::error::ProtocolError;

/// What a peer may send in one value. Over a limit the connection ends with a typed error;
/// nothing is ever allocated from a header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Limits {
    /// Bytes of one line: simple strings, errors and big numbers.
    pub line: u32,
    /// Bytes of one string.
    pub bulk: u64,
    /// Values directly inside one aggregate; a map of n pairs has 2n.
    pub elements: u64,
}

impl Limits {
    /// For servers and desktops: lines of 64 KiB, strings of 512 MiB (the server's own limit,
    /// `proto-max-bulk-len`), 2^28 elements.
    pub const SERVER: Self = Self { line: 64 << 10, bulk: 512 << 20, elements: 1 << 28 };

    /// For devices: lines of 4 KiB, strings of 1 MiB, 65 536 elements.
    pub const DEVICE: Self = Self { line: 4 << 10, bulk: 1 << 20, elements: 1 << 16 };
}

impl Default for Limits {
    fn default() -> Self {
        Self::SERVER
    }
}

/// What the next byte is.
#[derive(Clone, Copy, Debug)]
pub(super) enum Stage {
    /// The type byte of a value.
    Value,
    /// Inside a line of text of which `len` bytes are settled.
    Text { len: u32 },
    /// Inside the bytes of a string.
    Payload { left: u64, chunk: bool },
    /// At the CRLF behind a string.
    Terminator { chunk: bool },
    /// At the `;` of a streamed string.
    Chunk,
}

/// A header whose bytes are here, or not yet.
pub(super) enum Head {
    /// This many bytes, behind which `children` values and then the `stage` follow.
    Whole {
        len: usize,
        kind: Option<Kind>,
        children: Children,
        stage: Stage,
    },
    Partial,
}

/// What stands inside a value.
pub(super) enum Children {
    None,
    Count(u64),
    /// Attributes do not stand for a value.
    Attributes(u64),
    Streamed {
        map: bool,
    },
}

impl Limits {
    /// Reads the header behind a type byte.
    pub(super) fn head(self, tag: u8, line: &[u8]) -> Result<Head, ProtocolError> {
        let whole =
            |len, kind| Head::Whole { len, kind: Some(kind), children: Children::None, stage: Stage::Value };
        let text = |kind| Head::Whole {
            len: 0,
            kind: Some(kind),
            children: Children::None,
            stage: Stage::Text { len: 0 },
        };
        match tag {
            b'+' => Ok(text(Kind::Simple)),
            b'-' => Ok(text(Kind::Error)),
            b'(' => Ok(text(Kind::BigNumber)),
            b':' => match number::integer(line) {
                Line::Whole(_, len) => Ok(whole(len, Kind::Integer)),
                Line::Partial => Ok(Head::Partial),
                Line::Bad => Err(ProtocolError::BadInteger),
            },
            b'$' => self.string(line, Kind::Bulk),
            b'!' => self.string(line, Kind::BulkError),
            b'=' => self.string(line, Kind::Verbatim),
            b'*' => self.aggregate(line, Kind::Array),
            b'%' => self.aggregate(line, Kind::Map),
            b'~' => self.aggregate(line, Kind::Set),
            b'>' => self.aggregate(line, Kind::Push),
            b'|' => self.attributes(line),
            b'_' => literal(line, b"\r\n", whole(2, Kind::Null), ProtocolError::BadNull),
            b'#' => match line.first() {
                Some(b't' | b'f') => literal(
                    line.get(1..).unwrap_or_default(),
                    b"\r\n",
                    whole(3, Kind::Boolean),
                    ProtocolError::BadBoolean,
                ),
                Some(_) => Err(ProtocolError::BadBoolean),
                None => Ok(Head::Partial),
            },
            b',' => double(line, whole),
            b';' | b'.' => Err(ProtocolError::BadStream),
            _ => Err(ProtocolError::UnknownType(tag)),
        }
    }

    fn string(self, line: &[u8], kind: Kind) -> Result<Head, ProtocolError> {
        if kind == Kind::Bulk {
            match line.first() {
                Some(b'-') => return null(line),
                Some(b'?') => {
                    let head = Head::Whole {
                        len: 3,
                        kind: Some(kind),
                        children: Children::None,
                        stage: Stage::Chunk,
                    };
                    return literal(line, b"?\r\n", head, ProtocolError::BadLength);
                }
                _ => {}
            }
        }
        let (left, len) = match number::length(line) {
            Line::Whole(left, len) => (left, len),
            Line::Partial => return Ok(Head::Partial),
            Line::Bad => return Err(ProtocolError::BadLength),
        };
        if left > self.bulk {
            return Err(ProtocolError::BulkTooLong);
        }
        if kind == Kind::Verbatim {
            // Three bytes of format and a colon.
            match line.get(len + 3) {
                _ if left < 4 => return Err(ProtocolError::BadVerbatim),
                None => return Ok(Head::Partial),
                Some(b':') => {}
                Some(_) => return Err(ProtocolError::BadVerbatim),
            }
        }
        let stage = Stage::Payload { left, chunk: false };
        Ok(Head::Whole { len, kind: Some(kind), children: Children::None, stage })
    }

    fn aggregate(self, line: &[u8], kind: Kind) -> Result<Head, ProtocolError> {
        match line.first() {
            Some(b'-') if kind == Kind::Array => return null(line),
            Some(b'?') if kind != Kind::Push => {
                let children = Children::Streamed { map: kind == Kind::Map };
                let head = Head::Whole { len: 3, kind: Some(kind), children, stage: Stage::Value };
                return literal(line, b"?\r\n", head, ProtocolError::BadLength);
            }
            _ => {}
        }
        let factor = if kind == Kind::Map { 2 } else { 1 };
        self.counted(line, factor, |count, len| Head::Whole {
            len,
            kind: Some(kind),
            children: Children::Count(count),
            stage: Stage::Value,
        })
    }

    fn attributes(self, line: &[u8]) -> Result<Head, ProtocolError> {
        self.counted(line, 2, |count, len| Head::Whole {
            len,
            kind: None,
            children: Children::Attributes(count),
            stage: Stage::Value,
        })
    }

    fn counted(
        self,
        line: &[u8],
        factor: u64,
        head: impl FnOnce(u64, usize) -> Head,
    ) -> Result<Head, ProtocolError> {
        match number::length(line) {
            Line::Whole(count, len) => match count.checked_mul(factor) {
                Some(count) if count <= self.elements => Ok(head(count, len)),
                _ => Err(ProtocolError::TooManyElements),
            },
            Line::Partial => Ok(Head::Partial),
            Line::Bad => Err(ProtocolError::BadLength),
        }
    }
}

/// `$-1` and `*-1`: null, in RESP3 too, since servers and proxies mix the spellings.
fn null(line: &[u8]) -> Result<Head, ProtocolError> {
    let head = Head::Whole { len: 4, kind: Some(Kind::Null), children: Children::None, stage: Stage::Value };
    literal(line, b"-1\r\n", head, ProtocolError::BadLength)
}

/// The bytes that must come, whole or as far as they are here.
fn literal(line: &[u8], wanted: &[u8], head: Head, error: ProtocolError) -> Result<Head, ProtocolError> {
    if line.starts_with(wanted) {
        Ok(head)
    } else if wanted.starts_with(line) {
        Ok(Head::Partial)
    } else {
        Err(error)
    }
}

/// The longest double that any server prints has 24 bytes; 17 digits, signs, point, exponent.
fn double(line: &[u8], whole: impl FnOnce(usize, Kind) -> Head) -> Result<Head, ProtocolError> {
    const LONGEST: usize = 48;
    let seen = line.get(..LONGEST).unwrap_or(line);
    let Some(end) = seen.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
        return if seen.len() == LONGEST { Err(ProtocolError::BadDouble) } else { Ok(Head::Partial) };
    };
    let text = seen.get(..end).unwrap_or_default();
    if !number::is_double(text) {
        return Err(ProtocolError::BadDouble);
    }
    let rest = line.get(end..).unwrap_or_default();
    literal(rest, b"\r\n", whole(end + 2, Kind::Double), ProtocolError::BadLineEnd)
}
