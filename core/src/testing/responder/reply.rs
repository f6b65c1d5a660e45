//! The reply writer: one call per reply type, in the client's protocol.
//!
//! What RESP3 has and RESP2 has not is written the way servers fall back: a
//! map as a flat array, a double as a bulk string, a push as an array
//! (<https://github.com/redis/redis-specifications/blob/master/protocol/RESP3.md>).

use super::fault::Fault;
use super::number;
use alloc::vec::Vec;

/// Bytes on their way to one client.
#[derive(Default)]
pub(crate) struct Outbox {
    bytes: Vec<u8>,
    /// How many of them were taken already.
    taken: usize,
    /// Whether the client asked for RESP3.
    pub(crate) resp3: bool,
    /// Whether replies are dropped, as after CLIENT REPLY OFF.
    pub(crate) muted: bool,
}

impl Outbox {
    /// What is to be sent.
    pub(crate) fn pending(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    /// Drops the first `n` bytes of what is to be sent.
    pub(crate) fn take(&mut self, n: usize) {
        self.taken = self.taken.saturating_add(n).min(self.bytes.len());
        // Moving only when at least half is free keeps the total cost linear.
        if self.taken == self.bytes.len() {
            self.bytes.clear();
            self.taken = 0;
        } else if self.taken > self.bytes.len() / 2 {
            self.bytes.drain(..self.taken);
            self.taken = 0;
        }
    }

    /// Drops everything that is to be sent.
    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.taken = 0;
    }

    /// Bytes as they are, for tests that need an odd reply.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn ok(&mut self) {
        self.simple("OK");
    }

    pub(crate) fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    pub(crate) fn error(&mut self, fault: &Fault) {
        self.line(b'-', fault.line());
    }

    pub(crate) fn integer(&mut self, value: i64) {
        self.header(b':', value);
    }

    /// A number of things; no collection holds more than `i64::MAX`.
    pub(crate) fn count(&mut self, value: usize) {
        self.header(b':', i64::try_from(value).unwrap_or(i64::MAX));
    }

    /// 1 or 0, which is how these replies say yes and no in both protocols.
    pub(crate) fn flag(&mut self, value: bool) {
        self.integer(i64::from(value));
    }

    pub(crate) fn bulk(&mut self, text: &[u8]) {
        self.length(b'$', text.len());
        self.line_end(text);
    }

    /// A bulk string, or null.
    pub(crate) fn maybe(&mut self, text: Option<&[u8]>) {
        match text {
            Some(text) => self.bulk(text),
            None => self.null(),
        }
    }

    /// An integer as a bulk string.
    pub(crate) fn integer_text(&mut self, value: i64) {
        self.bulk(&number::integer_text(value));
    }

    pub(crate) fn null(&mut self) {
        self.write(if self.resp3 { b"_\r\n" } else { b"$-1\r\n" });
    }

    /// Null where otherwise an array stands.
    pub(crate) fn null_array(&mut self) {
        self.write(if self.resp3 { b"_\r\n" } else { b"*-1\r\n" });
    }

    pub(crate) fn array(&mut self, len: usize) {
        self.length(b'*', len);
    }

    /// A map of `len` pairs.
    pub(crate) fn map(&mut self, len: usize) {
        if self.resp3 {
            self.length(b'%', len);
        } else {
            self.length(b'*', len.saturating_mul(2));
        }
    }

    pub(crate) fn set(&mut self, len: usize) {
        self.length(if self.resp3 { b'~' } else { b'*' }, len);
    }

    pub(crate) fn double(&mut self, value: f64) {
        let text = number::double_text(value);
        if self.resp3 {
            self.line(b',', text.as_bytes());
        } else {
            self.bulk(text.as_bytes());
        }
    }

    /// Text meant for people.
    pub(crate) fn verbatim(&mut self, text: &[u8]) {
        if self.resp3 {
            self.length(b'=', text.len().saturating_add(4));
            self.write(b"txt:");
            self.line_end(text);
        } else {
            self.bulk(text);
        }
    }

    /// A message that answers no request: it passes even where replies are
    /// dropped, so `body` writes it with the muting lifted.
    pub(crate) fn push(&mut self, len: usize, body: impl FnOnce(&mut Self)) {
        let muted = core::mem::replace(&mut self.muted, false);
        self.length(if self.resp3 { b'>' } else { b'*' }, len);
        body(self);
        self.muted = muted;
    }

    fn length(&mut self, mark: u8, len: usize) {
        self.header(mark, i64::try_from(len).unwrap_or(i64::MAX));
    }

    fn header(&mut self, mark: u8, value: i64) {
        if self.muted {
            return;
        }
        self.bytes.push(mark);
        number::push_integer(&mut self.bytes, value);
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn line(&mut self, mark: u8, text: &[u8]) {
        if self.muted {
            return;
        }
        self.bytes.push(mark);
        self.line_end(text);
    }

    fn line_end(&mut self, text: &[u8]) {
        if self.muted {
            return;
        }
        self.bytes.extend_from_slice(text);
        self.bytes.extend_from_slice(b"\r\n");
    }

    fn write(&mut self, bytes: &[u8]) {
        if !self.muted {
            self.bytes.extend_from_slice(bytes);
        }
    }
}
