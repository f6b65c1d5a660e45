//! What stands at the start of a value, and the rest of one that came in pieces.

use super::Kind;
use super::level::Form;
use super::limits::Over;
use super::number::{self, Line};
use super::scan::{Scanner, Stage};
use crate::error::ProtocolError;

/// What the scanner came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Step {
    /// The end of a value with nothing inside.
    Leaf,
    /// Something else, and there may be more behind it: the values of an aggregate, say.
    Open,
    /// The end of what is here.
    Short,
}

type Stepped = Result<Step, ProtocolError>;

impl Scanner {
    /// The value that starts here, or as much of it as there is.
    #[inline]
    pub(super) fn value(&mut self, bytes: &[u8]) -> Stepped {
        let rest = bytes.get(self.pos..).unwrap_or_default();
        let Some((&tag, line)) = rest.split_first() else { return Ok(Step::Short) };
        // Only streams wait for a value that is not owed.
        if self.level.left == 0 && self.element(tag) {
            return self.end_of_stream(line);
        }
        match tag {
            b'$' => self.string(line, Kind::Bulk),
            b':' => match number::integer(line) {
                Line::Whole(_, len) => self.leaf(len, Kind::Integer),
                Line::Partial => Ok(Step::Short),
                Line::Bad => Err(ProtocolError::BadInteger),
            },
            b'+' => self.text(bytes, Kind::Simple),
            b'*' => self.aggregate(line, Kind::Array),
            _ => self.rare(bytes, tag, line),
        }
    }

    #[inline]
    fn leaf(&mut self, len: usize, kind: Kind) -> Stepped {
        self.name(kind);
        self.pos = self.pos.saturating_add(len + 1);
        Ok(Step::Leaf)
    }

    fn rare(&mut self, bytes: &[u8], tag: u8, line: &[u8]) -> Stepped {
        match tag {
            b'-' => self.text(bytes, Kind::Error),
            b'(' => self.text(bytes, Kind::BigNumber),
            b'!' => self.string(line, Kind::BulkError),
            b'=' => self.string(line, Kind::Verbatim),
            b'%' => self.aggregate(line, Kind::Map),
            b'~' => self.aggregate(line, Kind::Set),
            b'>' if !self.is_top() => Err(ProtocolError::NestedPush),
            b'>' => self.aggregate(line, Kind::Push),
            b'|' => match number::length(line) {
                Line::Whole(count, len) => {
                    self.pos = self.pos.saturating_add(len + 1);
                    if count > 0 {
                        self.enter(values(count, true)?, Form::Attributes)?;
                    }
                    Ok(Step::Open)
                }
                Line::Partial => Ok(Step::Short),
                Line::Bad => Err(ProtocolError::BadLength),
            },
            b'_' => self.literal(line, b"\r\n", Kind::Null, ProtocolError::BadNull),
            b'#' if line.first() == Some(&b't') => {
                self.literal(line, b"t\r\n", Kind::Boolean, ProtocolError::BadBoolean)
            }
            b'#' => self.literal(line, b"f\r\n", Kind::Boolean, ProtocolError::BadBoolean),
            b',' => self.double(line),
            b';' | b'.' => Err(ProtocolError::BadStream),
            _ => Err(ProtocolError::UnknownType(tag)),
        }
    }

    #[inline]
    fn string(&mut self, line: &[u8], kind: Kind) -> Stepped {
        let (left, len) = match number::length(line) {
            Line::Whole(left, len) => (left, len),
            Line::Partial => return Ok(Step::Short),
            Line::Bad => return self.odd_string(line, kind),
        };
        if kind == Kind::Verbatim {
            // Three bytes of format and a colon.
            match line.get(len + 3) {
                _ if left < 4 => return Err(ProtocolError::BadVerbatim),
                None => return Ok(Step::Short),
                Some(b':') => {}
                Some(_) => return Err(ProtocolError::BadVerbatim),
            }
        }
        self.name(kind);
        if left > self.limits.bulk {
            self.exceed(Over::Bulk);
        }
        self.stage = Stage::Payload { left, chunk: false };
        self.pos = self.pos.saturating_add(len + 1);
        Ok(Step::Open)
    }

    /// Null, or a streamed string.
    #[cold]
    fn odd_string(&mut self, line: &[u8], kind: Kind) -> Stepped {
        match line.first() {
            Some(b'-') if kind == Kind::Bulk => {
                self.literal(line, b"-1\r\n", Kind::Null, ProtocolError::BadLength)
            }
            Some(b'?') if kind == Kind::Bulk => {
                let step = self.literal(line, b"?\r\n", kind, ProtocolError::BadLength)?;
                if step == Step::Short {
                    return Ok(step);
                }
                self.stage = Stage::Chunk;
                Ok(Step::Open)
            }
            _ => Err(ProtocolError::BadLength),
        }
    }

    #[inline]
    fn aggregate(&mut self, line: &[u8], kind: Kind) -> Stepped {
        let (count, len) = match number::length(line) {
            Line::Whole(count, len) => (count, len),
            Line::Partial => return Ok(Step::Short),
            Line::Bad => return self.odd_aggregate(line, kind),
        };
        self.name(kind);
        self.pos = self.pos.saturating_add(len + 1);
        if count == 0 && !self.is_told() {
            return Ok(Step::Leaf);
        }
        self.enter(values(count, kind == Kind::Map)?, Form::Counted)?;
        Ok(Step::Open)
    }

    /// Null, or a streamed aggregate.
    #[cold]
    fn odd_aggregate(&mut self, line: &[u8], kind: Kind) -> Stepped {
        match line.first() {
            Some(b'-') if kind == Kind::Array => {
                self.literal(line, b"-1\r\n", Kind::Null, ProtocolError::BadLength)
            }
            Some(b'?') if kind != Kind::Push => {
                let step = self.literal(line, b"?\r\n", kind, ProtocolError::BadLength)?;
                if step == Step::Short {
                    return Ok(step);
                }
                self.enter_stream(if kind == Kind::Map { Form::Pairs } else { Form::Stream })?;
                Ok(Step::Open)
            }
            _ => Err(ProtocolError::BadLength),
        }
    }

    /// The bytes that must come, whole or as far as they are here.
    fn literal(&mut self, line: &[u8], wanted: &[u8], kind: Kind, error: ProtocolError) -> Stepped {
        if line.starts_with(wanted) {
            self.leaf(wanted.len(), kind)
        } else if wanted.starts_with(line) {
            Ok(Step::Short)
        } else {
            Err(error)
        }
    }

    /// The longest double that any server prints has 24 bytes; 17 digits, signs, point, exponent.
    fn double(&mut self, line: &[u8]) -> Stepped {
        const LONGEST: usize = 48;
        let seen = line.get(..LONGEST).unwrap_or(line);
        let Some(end) = seen.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
            return if seen.len() == LONGEST { Err(ProtocolError::BadDouble) } else { Ok(Step::Short) };
        };
        if !number::is_double(seen.get(..end).unwrap_or_default()) {
            return Err(ProtocolError::BadDouble);
        }
        match line.get(end..).unwrap_or_default() {
            [b'\r', b'\n', ..] => self.leaf(end + 2, Kind::Double),
            [b'\r'] => Ok(Step::Short),
            _ => Err(ProtocolError::BadLineEnd),
        }
    }

    #[inline]
    fn text(&mut self, bytes: &[u8], kind: Kind) -> Stepped {
        self.name(kind);
        self.pos = self.pos.saturating_add(1);
        self.rest_of_line(bytes, 0)
    }

    /// The rest of a line of which `len` bytes are settled.
    #[inline]
    fn rest_of_line(&mut self, bytes: &[u8], len: u32) -> Stepped {
        let rest = bytes.get(self.pos..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte <= b'\r' && matches!(byte, b'\r' | b'\n'));
        let taken = end.unwrap_or(rest.len());
        let len = u32::try_from(taken).ok().and_then(|taken| len.checked_add(taken));
        let len = len.filter(|&len| len <= self.limits.line).ok_or(ProtocolError::LineTooLong)?;
        self.pos = self.pos.saturating_add(taken);
        match rest.get(taken..).unwrap_or_default() {
            [b'\r', b'\n', ..] => {
                self.pos = self.pos.saturating_add(2);
                self.stage = Stage::Value;
                Ok(Step::Leaf)
            }
            [] | [b'\r'] => {
                self.stage = Stage::Text { len };
                Ok(Step::Short)
            }
            _ => {
                self.check_size()?;
                Err(ProtocolError::BadLineEnd)
            }
        }
    }

    /// Goes on inside a value.
    #[cold]
    pub(super) fn resume(&mut self, bytes: &[u8]) -> Stepped {
        match self.stage {
            Stage::Value => Ok(Step::Open),
            Stage::Text { len } => self.rest_of_line(bytes, len),
            Stage::Payload { left, chunk } => self.payload(bytes, left, chunk),
            Stage::Chunk => self.chunk(bytes),
        }
    }

    fn payload(&mut self, bytes: &[u8], left: u64, chunk: bool) -> Stepped {
        let rest = bytes.get(self.pos..).unwrap_or_default();
        let taken = usize::try_from(left).unwrap_or(usize::MAX).min(rest.len());
        let left = left - taken as u64;
        self.pos = self.pos.saturating_add(taken);
        self.stage = Stage::Payload { left, chunk };
        if left > 0 {
            return Ok(Step::Short);
        }
        self.terminator(rest.get(taken..).unwrap_or_default(), chunk)
    }

    /// The line end behind a string, or behind one of its chunks.
    pub(super) fn terminator(&mut self, rest: &[u8], chunk: bool) -> Stepped {
        match rest {
            [b'\r', b'\n', ..] => {
                self.pos = self.pos.saturating_add(2);
                self.stage = if chunk { Stage::Chunk } else { Stage::Value };
                Ok(if chunk { Step::Open } else { Step::Leaf })
            }
            [] | [b'\r'] => Ok(Step::Short),
            _ => Err(ProtocolError::BadTerminator),
        }
    }

    /// The header of a chunk.
    pub(super) fn chunk(&mut self, bytes: &[u8]) -> Stepped {
        let line = match bytes.get(self.pos..).unwrap_or_default().split_first() {
            Some((b';', line)) => line,
            Some(_) => return Err(ProtocolError::BadStream),
            None => return Ok(Step::Short),
        };
        match number::length(line) {
            Line::Whole(left, len) => {
                if left > self.limits.bulk {
                    self.exceed(Over::Bulk);
                }
                self.pos = self.pos.saturating_add(len + 1);
                let last = left == 0;
                self.stage = if last { Stage::Value } else { Stage::Payload { left, chunk: true } };
                Ok(if last { Step::Leaf } else { Step::Open })
            }
            Line::Partial => Ok(Step::Short),
            Line::Bad => Err(ProtocolError::BadLength),
        }
    }

    /// Something stands in a stream where nothing is owed. Says whether it is not a value, but the
    /// end marker.
    #[cold]
    fn element(&mut self, tag: u8) -> bool {
        if tag == b'.' {
            return true;
        }
        self.announce(1);
        self.level.left = 1;
        self.level.form = match self.level.form {
            Form::Pairs => Form::HalfPair,
            Form::HalfPair => Form::Pairs,
            form => form,
        };
        false
    }

    fn end_of_stream(&mut self, line: &[u8]) -> Stepped {
        match line {
            [b'\r', b'\n', ..] => {}
            [] | [b'\r'] => return Ok(Step::Short),
            _ => return Err(ProtocolError::BadStream),
        }
        if self.level.form == Form::HalfPair || !self.reopen() {
            return Err(ProtocolError::BadStream);
        }
        self.pos = self.pos.saturating_add(3);
        Ok(Step::Leaf)
    }
}

/// How many values so many elements are.
#[inline]
fn values(count: u64, pairs: bool) -> Result<u32, ProtocolError> {
    let count =
        u32::try_from(count).ok().and_then(|count| if pairs { count.checked_mul(2) } else { Some(count) });
    count.ok_or(ProtocolError::TooLarge)
}
