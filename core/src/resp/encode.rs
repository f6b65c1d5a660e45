//! Requests to bytes: written into what room there is, and measured on the way.

use super::number::{Digits, DoubleText};

/// Receives the arguments of a request, one call each.
///
/// One definition of a request's arguments serves every reader: measuring, encoding, routing by
/// key, key prefixes, redaction. A sink overrides the calls whose meaning it cares about; the
/// others end in [`arg`](ArgSink::arg).
pub trait ArgSink {
    /// An argument as bytes.
    fn arg(&mut self, bytes: &[u8]);

    /// A word of the command itself: its name, an option.
    fn word(&mut self, word: &'static str) {
        self.arg(word.as_bytes());
    }

    /// A key: it decides the slot and takes the prefix.
    fn key(&mut self, key: &[u8]) {
        self.arg(key);
    }

    /// A password or the like: never to be shown.
    fn secret(&mut self, secret: &[u8]) {
        self.arg(secret);
    }

    /// An integer, in decimal.
    fn integer(&mut self, n: i64) {
        self.arg(Digits::signed(n).as_bytes());
    }

    /// An unsigned integer, in decimal.
    fn unsigned(&mut self, n: u64) {
        self.arg(Digits::unsigned(n).as_bytes());
    }

    /// An argument of `len` bytes that the connection is given later. Here it counts as empty, so
    /// that every argument keeps its position.
    fn later(&mut self, _len: u64) {
        self.arg(&[]);
    }

    /// A double: the shortest text that reads back as the same number.
    fn double(&mut self, n: f64) {
        self.arg(DoubleText::new(n).as_bytes());
    }
}

/// Writes a request as an array of bulk strings, and measures it.
///
/// What does not fit is counted and not written. So one visit is enough where there is room, and
/// tells how much room to make where there is none; then the request is visited again. One type for
/// both, since every request type has code of its own for every type that visits it.
///
/// ```
/// use respire_core::command::{Request, get};
/// use respire_core::resp::Encoder;
///
/// let mut measure = Encoder::new(&mut []);
/// get("k").visit(&mut measure);
/// let measured = measure.finish();
/// assert!(!measured.is_written());
///
/// let mut frame = vec![0; measured.len()];
/// let mut encoder = Encoder::new(&mut frame);
/// get("k").visit(&mut encoder);
/// assert!(encoder.finish().is_written());
/// assert_eq!(frame, b"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n");
/// ```
#[derive(Debug)]
pub struct Encoder<'b> {
    out: &'b mut [u8],
    /// Bytes of the arguments behind a header for less than ten of them.
    at: usize,
    args: usize,
    later: Option<Later>,
    secret: bool,
}

/// What an [`Encoder`] has seen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Encoded {
    len: usize,
    args: usize,
    later: Option<Later>,
    secret: bool,
    written: bool,
}

/// An argument whose bytes follow later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Later {
    /// How many bytes.
    len: u64,
    /// Which argument it is, from 0. A second one is misplaced wherever it stands: 0, too.
    arg: usize,
    /// How many bytes of the frame stand before it.
    at: usize,
}

/// `*`, one digit, CRLF.
const HEADER: usize = 4;

impl<'b> Encoder<'b> {
    /// An encoder that writes into `out`, as far as that goes.
    pub const fn new(out: &'b mut [u8]) -> Self {
        Self { out, at: HEADER, args: 0, later: None, secret: false }
    }

    /// Puts the header in front, now that the number of arguments is known.
    #[inline]
    pub fn finish(mut self) -> Encoded {
        let digits = Digits::unsigned(self.args as u64);
        let digits = digits.as_bytes();
        let wider = digits.len() - 1;
        let len = self.at.saturating_add(wider);
        let written = len <= self.out.len();
        if written {
            if wider > 0 {
                self.out.copy_within(HEADER..self.at, HEADER + wider);
            }
            self.at = 0;
            self.put(b"*");
            self.put(digits);
            self.put(b"\r\n");
        }
        let later = self.later.map(|later| Later { at: later.at.saturating_add(wider), ..later });
        Encoded { len, args: self.args, later, secret: self.secret, written }
    }

    fn header(&mut self, len: u64) {
        match len {
            // One digit is the common case, and costs no division.
            0..=9 => self.put(&[b'$', len as u8 + b'0', b'\r', b'\n']),
            _ => {
                self.put(b"$");
                self.put(Digits::unsigned(len).as_bytes());
                self.put(b"\r\n");
            }
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        let end = self.at.saturating_add(bytes.len());
        if let Some(room) = self.out.get_mut(self.at..end) {
            room.copy_from_slice(bytes);
        }
        self.at = end;
    }
}

impl ArgSink for Encoder<'_> {
    fn arg(&mut self, bytes: &[u8]) {
        self.args += 1;
        self.header(bytes.len() as u64);
        self.put(bytes);
        self.put(b"\r\n");
    }

    fn secret(&mut self, secret: &[u8]) {
        self.secret = true;
        self.arg(secret);
    }

    fn later(&mut self, len: u64) {
        self.header(len);
        let arg = if self.later.is_some() { 0 } else { self.args };
        self.later = Some(Later { len, arg, at: self.at });
        self.args += 1;
        self.put(b"\r\n");
    }
}

impl Encoded {
    /// The length of the whole frame. Bytes that are left for [`later`](ArgSink::later) are not
    /// counted in.
    pub const fn len(self) -> usize {
        self.len
    }

    /// Whether there are no arguments at all.
    pub const fn is_empty(self) -> bool {
        self.args == 0
    }

    /// How many arguments there are.
    pub const fn args(self) -> usize {
        self.args
    }

    /// Whether there is a password or the like in it.
    pub(crate) const fn is_secret(self) -> bool {
        self.secret
    }

    /// Whether all of it was written.
    pub const fn is_written(self) -> bool {
        self.written
    }

    /// Whether both saw the same, one of them perhaps without room.
    pub(crate) fn is_like(self, other: Self) -> bool {
        Self { written: true, ..self } == Self { written: true, ..other }
    }

    /// How many bytes are left for [`later`](ArgSink::later).
    pub const fn owed(self) -> u64 {
        match self.later {
            Some(later) => later.len,
            None => 0,
        }
    }

    /// Which argument is left for later, from 0.
    pub(crate) fn later_arg(self) -> Option<usize> {
        self.later.map(|later| later.arg)
    }

    /// How many bytes of the frame stand behind what is left for later.
    pub(crate) fn tail(self) -> usize {
        self.later.map_or(0, |later| self.len.saturating_sub(later.at))
    }
}
