//! Requests out of bytes: the incremental parser for what clients send.
//!
//! It takes both forms, arrays of bulk strings and inline commands
//! (<https://redis.io/docs/latest/develop/reference/protocol-spec/>), in any
//! split, and looks at every byte a bounded number of times.

use super::number;
use alloc::vec::Vec;
use core::mem;

/// The arguments of one command, laid end to end.
#[derive(Clone, Default)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// What the parser found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// A request.
    Ready,
    /// More bytes are needed.
    Waiting,
    /// The client does not speak the protocol; this is the text of the error.
    Broken(Vec<u8>),
}

/// The bytes a client has sent and the place reached in them.
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    /// Where the next line or string starts.
    at: usize,
    /// Up to where a line's end has been looked for in vain.
    scanned: usize,
    /// How many arguments of the request at hand are still to come.
    left: usize,
    /// The length of the bulk string at hand, once it is known.
    bulk: Option<usize>,
    partial: Request,
    bulk_limit: usize,
}

/// The longest line, as servers have it (`PROTO_INLINE_MAX_SIZE`).
const LINE_LIMIT: usize = 64 * 1024;
/// What a client may send before it has authenticated.
const STRANGER_ARGS: i64 = 10;
const STRANGER_BULK: i64 = 16 * 1024;

impl Request {
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Argument `index`, the command's name being number 0; empty if there is
    /// none, which the arity in the table rules out where it matters.
    pub(crate) fn get(&self, index: usize) -> &[u8] {
        let start = match index.checked_sub(1) {
            Some(before) => self.ends.get(before).copied().unwrap_or(0),
            None => 0,
        };
        let end = self.ends.get(index).copied().unwrap_or(start);
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// The arguments from `index` on.
    pub(crate) fn from(&self, index: usize) -> impl Iterator<Item = &[u8]> {
        (index..self.len()).map(|index| self.get(index))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    fn push(&mut self, arg: &[u8]) {
        self.bytes.extend_from_slice(arg);
        self.end_arg();
    }

    fn end_arg(&mut self) {
        self.ends.push(self.bytes.len());
    }
}

impl Inbox {
    pub(crate) fn new(bulk_limit: usize) -> Self {
        Self {
            bytes: Vec::new(),
            at: 0,
            scanned: 0,
            left: 0,
            bulk: None,
            partial: Request::default(),
            bulk_limit,
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Bytes received and not yet part of a finished argument.
    pub(crate) fn pending(&self) -> usize {
        self.bytes.len().saturating_sub(self.at)
    }

    /// Gives back the room of what was parsed; to be called once per batch.
    pub(crate) fn compact(&mut self) {
        if self.at >= self.bytes.len() {
            self.bytes.clear();
        } else {
            self.bytes.drain(..self.at);
        }
        self.scanned = self.scanned.saturating_sub(self.at);
        self.at = 0;
    }

    /// Reads the next request into `request`. A `stranger` has a password to
    /// give first and is held to smaller sizes.
    pub(crate) fn next(&mut self, request: &mut Request, stranger: bool) -> Step {
        loop {
            if self.left == 0 {
                let found = match self.rest().first() {
                    None => return Step::Waiting,
                    Some(b'*') => self.header(stranger),
                    Some(_) => self.inline(),
                };
                match found {
                    Ok(true) => {}
                    Ok(false) => return Step::Waiting,
                    Err(error) => return Step::Broken(error),
                }
            }
            match self.arguments(stranger) {
                Ok(true) if self.partial.len() == 0 => {}
                Ok(true) => {
                    mem::swap(&mut self.partial, request);
                    return Step::Ready;
                }
                Ok(false) => return Step::Waiting,
                Err(error) => return Step::Broken(error),
            }
        }
    }

    /// The first line of an array: how many arguments there are. One without
    /// any is no request, and nobody answers it.
    fn header(&mut self, stranger: bool) -> Result<bool, Vec<u8>> {
        let Some(line) = self.line(b'\r', b"too big mbulk count string")? else {
            return Ok(false);
        };
        let count = self
            .bytes
            .get(line.0 + 1..line.1)
            .and_then(number::integer)
            .filter(|&count| count <= i64::from(i32::MAX))
            .ok_or_else(|| error(b"invalid multibulk length"))?;
        if stranger && count > STRANGER_ARGS {
            return Err(error(b"unauthenticated multibulk length"));
        }
        self.skip_line(line.1);
        self.partial.clear();
        self.left = usize::try_from(count).unwrap_or(0);
        Ok(true)
    }

    /// The bulk strings of an array.
    fn arguments(&mut self, stranger: bool) -> Result<bool, Vec<u8>> {
        while self.left > 0 {
            let len = match self.bulk {
                Some(len) => len,
                None => match self.bulk_header(stranger)? {
                    Some(len) => *self.bulk.insert(len),
                    None => return Ok(false),
                },
            };
            // The two bytes after the string are not looked at, as in servers.
            let Some(next) = len.checked_add(2).filter(|&whole| whole <= self.pending()) else {
                return Ok(false);
            };
            let text = self.bytes.get(self.at..self.at + len).unwrap_or_default();
            self.partial.push(text);
            self.at += next;
            self.scanned = self.at;
            self.bulk = None;
            self.left -= 1;
        }
        Ok(true)
    }

    fn bulk_header(&mut self, stranger: bool) -> Result<Option<usize>, Vec<u8>> {
        let Some(line) = self.line(b'\r', b"too big bulk count string")? else {
            return Ok(None);
        };
        let text = self.bytes.get(line.0..line.1).unwrap_or_default();
        let digits = match text {
            [b'$', digits @ ..] => digits,
            other => {
                // An empty line shows the carriage return that ends it.
                let got = other.first().copied().unwrap_or(b'\r');
                let mut text = error(b"expected '$', got '");
                text.push(if matches!(got, b'\r' | b'\n') { b' ' } else { got });
                text.push(b'\'');
                return Err(text);
            }
        };
        let len = number::integer(digits)
            .filter(|&len| usize::try_from(len).is_ok_and(|len| len <= self.bulk_limit))
            .ok_or_else(|| error(b"invalid bulk length"))?;
        if stranger && len > STRANGER_BULK {
            return Err(error(b"unauthenticated bulk length"));
        }
        self.skip_line(line.1);
        Ok(usize::try_from(len).ok())
    }

    /// A line of words, with quotes.
    fn inline(&mut self) -> Result<bool, Vec<u8>> {
        let Some((start, end)) = self.line(b'\n', b"too big inline request")? else {
            return Ok(false);
        };
        self.partial.clear();
        let line = self.bytes.get(start..end).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        split(line, &mut self.partial).ok_or_else(|| error(b"unbalanced quotes in request"))?;
        self.at = end + 1;
        self.scanned = self.at;
        Ok(true)
    }

    /// The line that starts here, as a range. One that ends in `\r` is there
    /// only with the byte after it.
    fn line(&mut self, ending: u8, too_long: &[u8]) -> Result<Option<(usize, usize)>, Vec<u8>> {
        let from = self.scanned.max(self.at);
        let unseen = self.bytes.get(from..).unwrap_or_default();
        let end = unseen.iter().position(|&byte| byte == ending).map(|found| from + found);
        self.scanned = end.unwrap_or(self.bytes.len());
        if self.scanned - self.at > LINE_LIMIT {
            return Err(error(too_long));
        }
        let extra = usize::from(ending == b'\r');
        Ok(end.filter(|end| end + extra < self.bytes.len()).map(|end| (self.at, end)))
    }

    /// Goes on after the two bytes that end a line at `end`.
    fn skip_line(&mut self, end: usize) {
        self.at = end + 2;
        self.scanned = self.at;
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }
}

fn error(what: &[u8]) -> Vec<u8> {
    let mut text = b"ERR Protocol error: ".to_vec();
    text.extend_from_slice(what);
    text
}

/// Splits an inline command; `None` if a quote is not closed, or closed in
/// the middle of a word.
///
/// `"` takes `\xHH` and the escapes of C, `'` takes only `\'`; both may also
/// start inside a word. A NUL ends the line, which servers keep as a C string.
fn split(line: &[u8], into: &mut Request) -> Option<()> {
    let mut rest = line.split(|&byte| byte == 0).next().unwrap_or_default();
    loop {
        while let [b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r', after @ ..] = rest {
            rest = after;
        }
        if rest.is_empty() {
            return Some(());
        }
        loop {
            rest = match rest {
                [] => break,
                [b' ' | b'\n' | b'\r' | b'\t', after @ ..] => {
                    rest = after;
                    break;
                }
                [b'"', after @ ..] => {
                    rest = double_quoted(after, &mut into.bytes)?;
                    break;
                }
                [b'\'', after @ ..] => {
                    rest = single_quoted(after, &mut into.bytes)?;
                    break;
                }
                [byte, after @ ..] => {
                    into.bytes.push(*byte);
                    after
                }
            };
        }
        into.end_arg();
    }
}

fn double_quoted<'l>(mut rest: &'l [u8], word: &mut Vec<u8>) -> Option<&'l [u8]> {
    loop {
        let (byte, after) = match rest {
            [b'"', after @ ..] => return closed(after),
            [b'\\', b'x', high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                (hex(*high) << 4 | hex(*low), after)
            }
            [b'\\', escaped, after @ ..] => {
                let byte = match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                };
                (byte, after)
            }
            [byte, after @ ..] => (*byte, after),
            [] => return None,
        };
        word.push(byte);
        rest = after;
    }
}

fn single_quoted<'l>(mut rest: &'l [u8], word: &mut Vec<u8>) -> Option<&'l [u8]> {
    loop {
        let (byte, after) = match rest {
            [b'\\', b'\'', after @ ..] => (b'\'', after),
            [b'\'', after @ ..] => return closed(after),
            [byte, after @ ..] => (*byte, after),
            [] => return None,
        };
        word.push(byte);
        rest = after;
    }
}

/// After a closing quote comes a blank or the end.
fn closed(rest: &[u8]) -> Option<&[u8]> {
    match rest {
        [] | [b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r', ..] => Some(rest),
        _ => None,
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit.wrapping_sub(b'A').wrapping_add(10),
    }
}
