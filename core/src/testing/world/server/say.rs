//! Answers: every type of both protocols, each with its token inside where there is room for one.

use alloc::vec::Vec;

use super::super::digest::Digest;
use crate::resp::{Digits, Kind};

/// The answer that is being written.
pub(in super::super) struct Say<'a> {
    pub(in super::super) out: &'a mut Vec<u8>,
    pub(in super::super) resp3: bool,
    pub(in super::super) digest: Digest,
}

/// What EVAL answers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in super::super) struct Shape(pub(in super::super) u64);

/// The shape of a string with so many bytes.
pub(in super::super) const LARGE: u64 = 100;

impl<'a> Say<'a> {
    pub(in super::super) const fn new(out: &'a mut Vec<u8>, resp3: bool) -> Self {
        Self { out, resp3, digest: Digest::NEW }
    }

    pub(in super::super) fn bulk(&mut self, text: &[u8]) {
        self.digest.leaf(Kind::Bulk, text);
        self.string(b'$', text);
    }

    pub(in super::super) fn simple(&mut self, text: &[u8]) {
        self.digest.leaf(Kind::Simple, text);
        self.line(b'+', text);
    }

    pub(in super::super) fn error(&mut self, text: &[u8]) {
        self.digest.leaf(Kind::Error, text);
        self.line(b'-', text);
    }

    pub(in super::super) fn integer(&mut self, n: u64) {
        let digits = Digits::unsigned(n);
        self.digest.leaf(Kind::Integer, digits.as_bytes());
        self.line(b':', digits.as_bytes());
    }

    /// The null of a string, or of an array.
    pub(in super::super) fn null(&mut self, array: bool) {
        self.digest.leaf(Kind::Null, &[]);
        self.out.extend_from_slice(match (self.resp3, array) {
            (true, _) => b"_\r\n",
            (false, false) => b"$-1\r\n",
            (false, true) => b"*-1\r\n",
        });
    }

    pub(in super::super) fn open(&mut self, kind: Kind, len: u64) {
        let (kind, tag, len) = match kind {
            Kind::Map if self.resp3 => (kind, b'%', len / 2),
            Kind::Set if self.resp3 => (kind, b'~', len),
            Kind::Push if self.resp3 => (kind, b'>', len),
            _ => (Kind::Array, b'*', len),
        };
        self.digest.open(kind);
        self.line(tag, Digits::unsigned(len).as_bytes());
    }

    /// What a script answers to the request with this token.
    pub(in super::super) fn shape(&mut self, shape: Shape, token: u64) {
        let name = Name::new(token);
        let text = name.as_bytes();
        match shape.0 {
            0 => self.bulk(text),
            1 => self.simple(text),
            2 => self.error(&[b"ERR ", text].concat()),
            3 => self.integer(token),
            4 => self.null(token.is_multiple_of(2)),
            5 => {
                self.open(Kind::Array, 3);
                self.bulk(text);
                self.open(Kind::Array, 0);
                self.null(false);
            }
            // An error inside is data.
            6 => {
                self.open(Kind::Array, 2);
                self.error(&[b"MOVED 1 ", text, b":1"].concat());
                self.bulk(text);
            }
            7 => {
                self.open(Kind::Map, 4);
                for key in [&b"a"[..], b"b"] {
                    self.simple(key);
                    self.bulk(text);
                }
            }
            8 => {
                self.open(Kind::Set, 2);
                self.bulk(text);
                self.integer(1);
            }
            9 => self.in_resp3(Kind::Double, b',', b"0.1", text),
            10 if self.resp3 => {
                self.digest.leaf(Kind::Boolean, &[u8::from(token.is_multiple_of(2))]);
                self.out.extend_from_slice(if token.is_multiple_of(2) { b"#t\r\n" } else { b"#f\r\n" });
            }
            11 => self.in_resp3(Kind::BigNumber, b'(', b"12345678901234567890", text),
            12 if self.resp3 => {
                self.digest.leaf(Kind::Verbatim, text);
                self.string(b'=', &[b"txt:", text].concat());
            }
            13 if self.resp3 => {
                self.out.extend_from_slice(b"|1\r\n+ttl\r\n:9\r\n");
                self.bulk(text);
            }
            14 if self.resp3 => self.streamed(text),
            15 if self.resp3 => {
                self.digest.open(Kind::Array);
                self.out.extend_from_slice(b"*?\r\n");
                self.bulk(text);
                self.integer(token);
                self.out.extend_from_slice(b".\r\n");
            }
            16 => self.deep(150, text),
            17 if self.resp3 => {
                self.digest.leaf(Kind::BulkError, text);
                self.string(b'!', text);
            }
            18 => {
                self.open(Kind::Array, 12);
                (0..12).for_each(|n| self.integer(token + n));
            }
            len if len >= LARGE => {
                let mut long = Vec::with_capacity(len as usize);
                long.extend_from_slice(text);
                long.resize(len as usize, b'.');
                self.bulk(&long);
            }
            _ => self.bulk(text),
        }
    }

    /// A type that RESP2 does not have.
    fn in_resp3(&mut self, kind: Kind, tag: u8, value: &[u8], text: &[u8]) {
        if self.resp3 {
            self.digest.leaf(kind, value);
            self.line(tag, value);
        } else {
            self.bulk(text);
        }
    }

    fn streamed(&mut self, text: &[u8]) {
        self.digest.leaf(Kind::Bulk, text);
        self.out.extend_from_slice(b"$?\r\n");
        for half in text.chunks(text.len().div_ceil(2).max(1)) {
            self.string(b';', half);
        }
        self.out.extend_from_slice(b";0\r\n");
    }

    /// Deeper than anybody allows.
    fn deep(&mut self, levels: usize, text: &[u8]) {
        for _ in 0..levels {
            self.open(Kind::Array, 1);
        }
        self.bulk(text);
    }

    fn line(&mut self, tag: u8, text: &[u8]) {
        self.out.push(tag);
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(b"\r\n");
    }

    fn string(&mut self, tag: u8, text: &[u8]) {
        self.line(tag, Digits::unsigned(text.len() as u64).as_bytes());
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(b"\r\n");
    }
}

/// A token as text, `t123e`: no name is the start of another.
#[derive(Clone, Copy)]
pub(in super::super) struct Name {
    text: [u8; 24],
    len: usize,
}

impl Name {
    pub(in super::super) fn new(token: u64) -> Self {
        let digits = Digits::unsigned(token);
        let mut name = Self { text: [0; 24], len: digits.as_bytes().len() + 2 };
        let all = b"t".iter().chain(digits.as_bytes()).chain(b"e");
        name.text.iter_mut().zip(all).for_each(|(place, &byte)| *place = byte);
        name
    }

    pub(in super::super) fn as_bytes(&self) -> &[u8] {
        self.text.get(..self.len).unwrap_or_default()
    }
}
