//! A parser and an encoder of RESP that are too simple to be wrong: recursive, line by line, from
//! the first byte each time. Whatever the real ones accept must read the same here.
//!
//! The core's own tests include this file, too, so it names nothing but `super::resp`.

use alloc::string::ToString;
use alloc::vec::Vec;

use super::resp::{Kind, Reply};

/// A value, in the plainest form.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Tree {
    Null,
    Simple(Vec<u8>),
    Error(Vec<u8>),
    Integer(i64),
    Bulk(Vec<u8>),
    Boolean(bool),
    /// Its text.
    Double(Vec<u8>),
    BigNumber(Vec<u8>),
    BulkError(Vec<u8>),
    Verbatim(Vec<u8>, Vec<u8>),
    Array(Vec<Self>),
    /// Keys and values in turn.
    Map(Vec<Self>),
    Set(Vec<Self>),
    Push(Vec<Self>),
}

/// Why there is no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// More bytes may make one.
    Short,
    /// No further byte can.
    Bad,
    /// Too deep for a recursive reader.
    Deep,
}

/// How deep a recursive reader goes.
const DEPTH: usize = 100;
const LINE: usize = 64 << 10;

/// Reads the first value of `bytes`; also how many bytes it takes, attributes included.
pub(crate) fn parse(bytes: &[u8]) -> Result<(Tree, usize), Fault> {
    let mut naive = Naive { bytes, at: 0, depth: 0 };
    let tree = naive.value(true)?;
    Ok((tree, naive.at))
}

struct Naive<'a> {
    bytes: &'a [u8],
    at: usize,
    depth: usize,
}

impl<'a> Naive<'a> {
    fn value(&mut self, top: bool) -> Result<Tree, Fault> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Fault::Deep);
        }
        while self.peek()? == b'|' {
            let line = self.line()?;
            let values = length(line)?.checked_mul(2).ok_or(Fault::Bad)?;
            for _ in 0..values {
                self.value(false)?;
            }
        }
        let tag = self.peek()?;
        let line = self.line()?;
        let text = || line.to_vec();
        let tree = match tag {
            b'+' => Tree::Simple(text()),
            b'-' => Tree::Error(text()),
            b'(' => Tree::BigNumber(text()),
            b':' => Tree::Integer(integer(line)?),
            b',' if is_double(line) => Tree::Double(text()),
            b'#' if line == b"t" || line == b"f" => Tree::Boolean(line == b"t"),
            b'_' if line.is_empty() => Tree::Null,
            b'$' | b'*' if line == b"-1" => Tree::Null,
            b'$' if line == b"?" => Tree::Bulk(self.chunks()?),
            b'$' => Tree::Bulk(self.payload(length(line)?)?.to_vec()),
            b'!' => Tree::BulkError(self.payload(length(line)?)?.to_vec()),
            b'=' => {
                let (format, text) = self.payload(length(line)?)?.split_at_checked(3).ok_or(Fault::Bad)?;
                Tree::Verbatim(format.to_vec(), text.strip_prefix(b":").ok_or(Fault::Bad)?.to_vec())
            }
            b'*' => Tree::Array(self.values(line, 1)?),
            b'~' => Tree::Set(self.values(line, 1)?),
            b'%' => Tree::Map(self.values(line, 2)?),
            b'>' if top && line != b"?" => Tree::Push(self.values(line, 1)?),
            _ => return Err(Fault::Bad),
        };
        self.depth -= 1;
        Ok(tree)
    }

    fn values(&mut self, line: &[u8], factor: u64) -> Result<Vec<Tree>, Fault> {
        let mut values = Vec::new();
        if line != b"?" {
            for _ in 0..length(line)?.checked_mul(factor).ok_or(Fault::Bad)? {
                values.push(self.value(false)?);
            }
            return Ok(values);
        }
        while self.peek()? != b'.' {
            values.push(self.value(false)?);
        }
        let whole = self.line()?.is_empty() && (values.len() as u64).is_multiple_of(factor);
        if whole { Ok(values) } else { Err(Fault::Bad) }
    }

    fn chunks(&mut self) -> Result<Vec<u8>, Fault> {
        let mut text = Vec::new();
        while self.peek()? == b';' {
            let line = self.line()?;
            match length(line)? {
                0 => return Ok(text),
                n => text.extend_from_slice(self.payload(n)?),
            }
        }
        Err(Fault::Bad)
    }

    fn payload(&mut self, len: u64) -> Result<&'a [u8], Fault> {
        let len = usize::try_from(len).map_err(|_| Fault::Short)?;
        let (payload, rest) = self.rest().split_at_checked(len).ok_or(Fault::Short)?;
        self.at += len + 2;
        match rest {
            [b'\r', b'\n', ..] => Ok(payload),
            [] | [b'\r'] => Err(Fault::Short),
            _ => Err(Fault::Bad),
        }
    }

    /// What follows the type byte, up to CRLF.
    fn line(&mut self) -> Result<&'a [u8], Fault> {
        let line = self.rest().get(1..).ok_or(Fault::Short)?;
        let end = line.iter().position(|&byte| byte == b'\r' || byte == b'\n');
        let (line, rest) = line.split_at(end.ok_or(Fault::Short)?);
        self.at += line.len() + 3;
        match rest {
            [b'\r', b'\n', ..] if line.len() <= LINE => Ok(line),
            [b'\r'] => Err(Fault::Short),
            _ => Err(Fault::Bad),
        }
    }

    fn peek(&self) -> Result<u8, Fault> {
        self.rest().first().copied().ok_or(Fault::Short)
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
}

fn length(line: &[u8]) -> Result<u64, Fault> {
    let text = core::str::from_utf8(line).map_err(|_| Fault::Bad)?;
    let length: u64 = text.parse().map_err(|_| Fault::Bad)?;
    if text.len() <= 19 && length.to_string() == text { Ok(length) } else { Err(Fault::Bad) }
}

fn integer(line: &[u8]) -> Result<i64, Fault> {
    let text = core::str::from_utf8(line).map_err(|_| Fault::Bad)?;
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits > 19 { Err(Fault::Bad) } else { text.parse().map_err(|_| Fault::Bad) }
}

fn is_double(line: &[u8]) -> bool {
    let unsigned = line.strip_prefix(b"-").or(line.strip_prefix(b"+")).unwrap_or(line);
    let digits = unsigned.first().is_some_and(|first| matches!(first, b'0'..=b'9' | b'.'));
    let number = core::str::from_utf8(line).is_ok_and(|text| text.parse::<f64>().is_ok());
    unsigned == b"inf" || unsigned == b"nan" || digits && number && line.len() < 48
}

impl Tree {
    /// What the accessors of a reply say.
    pub(crate) fn of(reply: Reply<'_>) -> Self {
        let text = || reply.chunks().map(|chunks| chunks.flatten().copied().collect()).unwrap_or_default();
        let error = || reply.error().map(|error| error.text().to_vec()).unwrap_or_default();
        let inside = || reply.elements().into_iter().flatten().flatten().map(Self::of).collect();
        match reply.kind() {
            Kind::Null => Self::Null,
            Kind::Simple => Self::Simple(text()),
            Kind::Error => Self::Error(error()),
            Kind::Integer => reply.as_integer().map_or(Self::Null, Self::Integer),
            Kind::Bulk => Self::Bulk(text()),
            Kind::Boolean => reply.as_boolean().map_or(Self::Null, Self::Boolean),
            Kind::Double => Self::Double(text()),
            Kind::BigNumber => Self::BigNumber(text()),
            Kind::BulkError => Self::BulkError(error()),
            Kind::Verbatim => Self::Verbatim(reply.format().unwrap_or_default().to_vec(), text()),
            Kind::Array => Self::Array(inside()),
            Kind::Map => Self::Map(inside()),
            Kind::Set => Self::Set(inside()),
            Kind::Push => Self::Push(inside()),
        }
    }

    /// Appends the value in one of its spellings; `dice` chooses, and 0 is always the usual one.
    pub(crate) fn encode(&self, out: &mut Vec<u8>, dice: &mut impl FnMut() -> u8) {
        self.encode_at(out, dice, 4);
    }

    /// `streams`: how many more streamed aggregates may be open.
    fn encode_at(&self, out: &mut Vec<u8>, dice: &mut impl FnMut() -> u8, streams: u8) {
        if dice() % 16 == 15 {
            out.extend_from_slice(b"|1\r\n+ttl\r\n:5\r\n");
        }
        let (tag, factor, items) = match self {
            Self::Null => return put(out, [&b"_"[..], b"$-1", b"*-1"].get(dice() as usize % 3), &[]),
            Self::Simple(text) => return put(out, Some(&b"+"), text),
            Self::Error(text) => return put(out, Some(&b"-"), text),
            Self::BigNumber(text) => return put(out, Some(&b"("), text),
            Self::Double(text) => return put(out, Some(&b","), text),
            Self::Integer(n) => return put(out, Some(&b":"), n.to_string().as_bytes()),
            Self::Boolean(truth) => return put(out, Some(&b"#"), if *truth { b"t" } else { b"f" }),
            Self::Bulk(text) if dice() % 8 == 7 => return stream(out, text, 1 + dice() as usize % 5),
            Self::Bulk(text) => return sized(out, b"$", &[text]),
            Self::BulkError(text) => return sized(out, b"!", &[text]),
            Self::Verbatim(format, text) => return sized(out, b"=", &[format, b":", text]),
            Self::Array(items) => (b"*", 1, items),
            Self::Set(items) => (b"~", 1, items),
            Self::Map(items) => (b"%", 2, items),
            Self::Push(items) => (b">", 1, items),
        };
        let streamed = streams > 0 && tag != b">" && dice() % 8 == 7;
        let count = (items.len() / factor).to_string();
        put(out, Some(&&tag[..]), if streamed { b"?" } else { count.as_bytes() });
        for item in items {
            item.encode_at(out, dice, streams - u8::from(streamed));
        }
        if streamed {
            out.extend_from_slice(b".\r\n");
        }
    }
}

fn put(out: &mut Vec<u8>, tag: Option<&impl AsRef<[u8]>>, text: &[u8]) {
    out.extend_from_slice(tag.map_or(&b""[..], AsRef::as_ref));
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

fn sized(out: &mut Vec<u8>, tag: &[u8], parts: &[&[u8]]) {
    let text = parts.concat();
    put(out, Some(&tag), text.len().to_string().as_bytes());
    put(out, Some(&b""), &text);
}

fn stream(out: &mut Vec<u8>, text: &[u8], size: usize) {
    out.extend_from_slice(b"$?\r\n");
    for chunk in text.chunks(size) {
        sized(out, b";", &[chunk]);
    }
    out.extend_from_slice(b";0\r\n");
}
