//! What stands at the start of a value, and the rest of one that came in pieces.

use super::Kind;
use super::level::Form;
use super::limits::Over;
use super::number::{self, Line};
use super::scan::{Scanner, Stage};
use crate::error::ProtocolError;
use crate::flaw::flaw;

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
    /// The value that starts here, or as much of its head as there is. The rest is for
    /// [`resume`](Self::resume).
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(super) fn value(&mut self, bytes: &[u8]) -> Stepped {
        let rest = bytes.get(self.pos..).unwrap_or_default();
        let Some((&tag, line)) = rest.split_first() else { return Ok(Step::Short) };
        // Only streams wait for a value that is not owed.
        if self.level.left == 0 && self.element(tag) {
            return self.end_of_stream(line);
        }
        let Some(kind) = Kind::tagged(tag) else {
            return match tag {
                b'|' => self.counted(line, None),
                b';' | b'.' => Err(ProtocolError::BadStream),
                _ => Err(ProtocolError::UnknownType(tag)),
            };
        };
        flaw!(NestedPush => if kind == Kind::Push { return self.counted(line, Some(kind)) });
        match kind {
            Kind::Simple | Kind::BigNumber | Kind::Error => {
                self.name(kind);
                self.pos += 1;
                self.stage = Stage::Text;
                self.rest = self.limits.line.into();
                Ok(Step::Open)
            }
            Kind::Push if !self.is_top() => Err(ProtocolError::NestedPush),
            _ if kind.has_length() => self.counted(line, Some(kind)),
            _ => self.plain(line, kind),
        }
    }

    #[cfg_attr(target_pointer_width = "64", inline)]
    fn leaf(&mut self, len: usize, kind: Kind) -> Stepped {
        self.name(kind);
        self.pos += len + 1;
        Ok(Step::Leaf)
    }

    /// A value that is one short line.
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn plain(&mut self, line: &[u8], kind: Kind) -> Stepped {
        let (end, error) = match kind {
            Kind::Integer => (number::integer(line, &mut 0), ProtocolError::BadInteger),
            Kind::Double => double(line),
            Kind::Boolean => {
                let right = matches!(line.first(), None | Some(b't' | b'f'));
                (if right { number::end(line, 1) } else { Line::Bad }, ProtocolError::BadBoolean)
            }
            _ => (number::end(line, 0), ProtocolError::BadNull),
        };
        match end {
            Line::Whole(len) => self.leaf(len, kind),
            Line::Partial => Ok(Step::Short),
            Line::Bad => Err(error),
        }
    }

    /// A string, an aggregate or, without a kind, attributes.
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn counted(&mut self, line: &[u8], kind: Option<Kind>) -> Stepped {
        let mut count = 0;
        let len = match number::length(line, &mut count) {
            Line::Whole(len) => len,
            Line::Partial => return Ok(Step::Short),
            Line::Bad => return self.odd(line, kind),
        };
        flaw!(Cast32 => count = u64::from(count as u32));
        if kind == Some(Kind::Verbatim) {
            // Three bytes of format and a colon.
            match line.get(len + 3) {
                Some(b':') if count >= 4 => {}
                None if count >= 4 => return Ok(Step::Short),
                _ => return Err(ProtocolError::BadVerbatim),
            }
        }
        let is_string = kind.is_some_and(|kind| !kind.is_aggregate());
        if let Some(kind) = kind {
            self.name(kind);
        }
        self.pos += len + 1;
        if is_string {
            if count > self.limits.bulk {
                self.exceed(Over::Bulk);
            }
            self.stage = Stage::Payload;
            self.rest = count;
            return Ok(Step::Open);
        }
        let pairs = matches!(kind, None | Some(Kind::Map));
        let form = if kind.is_none() { Form::Attributes } else { Form::Counted };
        if count == 0 && kind.is_none() {
            return Ok(Step::Open);
        }
        if count == 0 && !self.is_told() {
            return Ok(Step::Leaf);
        }
        if count > (u32::MAX >> u8::from(pairs)).into() {
            return Err(ProtocolError::TooLarge);
        }
        self.enter((count as u32) << u8::from(pairs), form)?;
        Ok(Step::Open)
    }

    /// Null of RESP2, or something streamed.
    #[cold]
    fn odd(&mut self, line: &[u8], kind: Option<Kind>) -> Stepped {
        let Some(kind) = kind else { return Err(ProtocolError::BadLength) };
        let (name, len) = match line {
            [b'-'] | [b'-', b'1', ..] if matches!(kind, Kind::Bulk | Kind::Array) => (Kind::Null, 2),
            [b'?', ..] if matches!(kind, Kind::Bulk | Kind::Array | Kind::Map | Kind::Set) => (kind, 1),
            _ => return Err(ProtocolError::BadLength),
        };
        match number::end(line, len) {
            Line::Whole(len) => self.leaf(len, name)?,
            Line::Partial => return Ok(Step::Short),
            Line::Bad => return Err(ProtocolError::BadLength),
        };
        match name {
            Kind::Null => return Ok(Step::Leaf),
            Kind::Bulk => self.stage = Stage::Chunk,
            Kind::Map => self.enter_stream(Form::Pairs)?,
            _ => self.enter_stream(Form::Stream)?,
        }
        Ok(Step::Open)
    }

    /// Goes on inside a value.
    #[cold]
    pub(super) fn resume(&mut self, bytes: &[u8]) -> Stepped {
        match self.stage {
            Stage::Value => Ok(Step::Open),
            Stage::Text => self.rest_of_line(bytes),
            Stage::Payload | Stage::ChunkPayload => self.payload(bytes),
            Stage::Chunk => self.chunk(bytes),
        }
    }

    /// The rest of a line.
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn rest_of_line(&mut self, bytes: &[u8]) -> Stepped {
        let rest = bytes.get(self.pos..).unwrap_or_default();
        let end = rest.iter().position(|&byte| byte <= b'\r' && matches!(byte, b'\r' | b'\n'));
        let taken = end.unwrap_or(rest.len());
        let Some(rest_of_line) = self.rest.checked_sub(taken as u64) else {
            return Err(ProtocolError::LineTooLong);
        };
        self.pos += taken;
        match number::end(rest, taken) {
            Line::Whole(_) => {
                self.pos += 2;
                self.stage = Stage::Value;
                Ok(Step::Leaf)
            }
            Line::Partial => {
                self.rest = rest_of_line;
                Ok(Step::Short)
            }
            Line::Bad => {
                self.check_size()?;
                Err(ProtocolError::BadLineEnd)
            }
        }
    }

    /// The rest of a string, or of one of its chunks, and the line end behind it.
    pub(super) fn payload(&mut self, bytes: &[u8]) -> Stepped {
        let rest = bytes.get(self.pos..).unwrap_or_default();
        let taken = usize::try_from(self.rest).unwrap_or(usize::MAX).min(rest.len());
        self.rest -= taken as u64;
        self.pos += taken;
        if self.rest > 0 {
            return Ok(Step::Short);
        }
        match number::end(rest, taken) {
            Line::Whole(_) => {
                self.pos += 2;
                if self.stage == Stage::ChunkPayload {
                    self.stage = Stage::Chunk;
                    return Ok(Step::Open);
                }
                self.stage = Stage::Value;
                Ok(Step::Leaf)
            }
            Line::Partial => Ok(Step::Short),
            Line::Bad => Err(ProtocolError::BadTerminator),
        }
    }

    /// The header of a chunk.
    pub(super) fn chunk(&mut self, bytes: &[u8]) -> Stepped {
        let line = match bytes.get(self.pos..).unwrap_or_default() {
            [b';', line @ ..] => line,
            [] => return Ok(Step::Short),
            _ => return Err(ProtocolError::BadStream),
        };
        match number::length(line, &mut self.rest) {
            Line::Whole(len) => {
                if self.rest > self.limits.bulk {
                    self.exceed(Over::Bulk);
                }
                self.pos += len + 1;
                if self.rest == 0 {
                    self.stage = Stage::Value;
                    return Ok(Step::Leaf);
                }
                self.stage = Stage::ChunkPayload;
                Ok(Step::Open)
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
        match number::end(line, 0) {
            Line::Partial => Ok(Step::Short),
            Line::Whole(len) if self.level.form != Form::HalfPair && self.reopen() => {
                self.pos += len + 1;
                Ok(Step::Leaf)
            }
            _ => Err(ProtocolError::BadStream),
        }
    }
}

/// A double, and what is wrong if something is. The longest that any server prints has 24 bytes: 17
/// digits, signs, point, exponent.
fn double(line: &[u8]) -> (Line, ProtocolError) {
    const LONGEST: usize = 48;
    let seen = line.get(..LONGEST).unwrap_or(line);
    let Some(end) = seen.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else {
        return (if seen.len() == LONGEST { Line::Bad } else { Line::Partial }, ProtocolError::BadDouble);
    };
    if number::is_double(seen.get(..end).unwrap_or_default()) {
        (number::end(line, end), ProtocolError::BadLineEnd)
    } else {
        (Line::Bad, ProtocolError::BadDouble)
    }
}
