//! Requests to bytes: visit once to measure, once to write.

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

/// Counts what a request takes on the wire.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Measure {
    args: usize,
    bytes: usize,
    later: Option<Later>,
}

/// An argument whose bytes follow later.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Later {
    /// How many bytes.
    pub(crate) len: u64,
    /// Which argument it is, from 0; to a writer, how many bytes of the frame stand before it.
    pub(crate) at: usize,
}

impl Measure {
    /// Nothing counted yet.
    pub const fn new() -> Self {
        Self { args: 0, bytes: 0, later: None }
    }

    /// How many arguments there are.
    pub const fn args(&self) -> usize {
        self.args
    }

    /// The length of the whole frame: header, and every argument with its own. Bytes that are left
    /// for [`later`](ArgSink::later) are not counted in.
    pub const fn frame_len(&self) -> usize {
        self.bytes.saturating_add(3 + Digits::count(self.args as u64))
    }

    /// How many bytes are left for [`later`](ArgSink::later).
    pub const fn owed(&self) -> u64 {
        match self.later {
            Some(later) => later.len,
            None => 0,
        }
    }

    /// The argument that is left for later.
    pub(crate) const fn later(&self) -> Option<Later> {
        self.later
    }

    const fn add(&mut self, len: usize) {
        self.args += 1;
        self.bytes = self.bytes.saturating_add(len).saturating_add(5 + Digits::count(len as u64));
    }
}

impl ArgSink for Measure {
    fn arg(&mut self, bytes: &[u8]) {
        self.add(bytes.len());
    }

    fn integer(&mut self, n: i64) {
        self.add(Digits::count(n.unsigned_abs()) + usize::from(n < 0));
    }

    fn unsigned(&mut self, n: u64) {
        self.add(Digits::count(n));
    }

    fn later(&mut self, len: u64) {
        // A second one is misplaced, wherever it stands.
        let at = if self.later.is_some() { 0 } else { self.args };
        self.later = Some(Later { len, at });
        self.args += 1;
        self.bytes = self.bytes.saturating_add(5 + Digits::count(len));
    }
}

/// What a writer did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Written {
    /// As many bytes as there was room for.
    pub(crate) exact: bool,
    /// The argument that is left for later.
    pub(crate) later: Option<Later>,
}

/// Writes a request as an array of bulk strings into memory of the measured size.
#[derive(Debug)]
pub struct Writer<'b> {
    out: &'b mut [u8],
    at: usize,
    overrun: bool,
    later: Option<Later>,
}

impl<'b> Writer<'b> {
    /// Writes the header of a request with `args` arguments.
    pub fn new(out: &'b mut [u8], args: usize) -> Self {
        let mut writer = Self { out, at: 0, overrun: false, later: None };
        writer.header(b'*', args as u64);
        writer
    }

    /// Whether just as many bytes were written as there was room for.
    pub const fn is_exact(&self) -> bool {
        !self.overrun && self.at == self.out.len()
    }

    /// What has come of it.
    pub(crate) const fn finish(self) -> Written {
        Written { exact: self.is_exact(), later: self.later }
    }

    fn header(&mut self, tag: u8, n: u64) {
        self.put(&[tag]);
        match n {
            // One digit is the common case, and costs no division.
            0..=9 => self.put(&[n as u8 + b'0', b'\r', b'\n']),
            _ => {
                self.put(Digits::unsigned(n).as_bytes());
                self.put(b"\r\n");
            }
        }
    }

    fn put(&mut self, bytes: &[u8]) {
        let end = self.at.saturating_add(bytes.len());
        match self.out.get_mut(self.at..end) {
            Some(room) => {
                room.copy_from_slice(bytes);
                self.at = end;
            }
            None => self.overrun = true,
        }
    }
}

impl ArgSink for Writer<'_> {
    fn arg(&mut self, bytes: &[u8]) {
        self.header(b'$', bytes.len() as u64);
        self.put(bytes);
        self.put(b"\r\n");
    }

    fn later(&mut self, len: u64) {
        self.header(b'$', len);
        self.later = Some(Later { len, at: self.at });
        self.put(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn visit(sink: &mut impl ArgSink) {
        sink.word("ZADD");
        sink.key(b"k");
        sink.integer(i64::MIN);
        sink.unsigned(u64::MAX);
        sink.double(-1.5e300);
        sink.arg(&[b'x'; 120]);
        sink.arg(b"");
    }

    #[test]
    fn a_frame_is_just_as_long_as_measured() {
        let mut measure = Measure::new();
        visit(&mut measure);
        let mut out = [0; 512];
        let out = &mut out[..measure.frame_len()];
        let mut writer = Writer::new(out, measure.args());
        visit(&mut writer);
        assert!(writer.is_exact());
        assert!(out.starts_with(b"*7\r\n$4\r\nZADD\r\n$1\r\nk\r\n$20\r\n-9223372036854775808\r\n"));
        assert!(out.ends_with(b"\r\n$0\r\n\r\n"));
    }

    #[test]
    fn a_writer_without_room_says_so() {
        let mut out = [0; 10];
        let mut writer = Writer::new(&mut out, 1);
        writer.arg(b"too long");
        assert!(!writer.is_exact());
    }
}
