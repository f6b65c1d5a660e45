//! Requests that an input describes, and their bytes as a naive writer has them.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::seeds::Seeds;
use crate::command::{Command, Request};
use crate::resp::{ArgSink, Reply};

/// A request of any arguments.
#[derive(Debug)]
pub(super) struct Program(pub(super) Vec<Word>);

/// An argument in one of the ways in which a request tells it.
#[derive(Debug)]
pub(super) enum Word {
    Bytes(Vec<u8>),
    Key(Vec<u8>),
    Secret(Vec<u8>),
    Integer(i64),
    Unsigned(u64),
    Double(f64),
    Later(u64),
}

impl Program {
    pub(super) fn read(seeds: &mut Seeds<'_>) -> Self {
        let mut words = Vec::new();
        for _ in 0..seeds.byte() % 24 {
            words.push(match seeds.byte() % 12 {
                0 | 1 => Word::Key(seeds.bytes().to_vec()),
                2 => Word::Secret(seeds.bytes().to_vec()),
                3 => Word::Integer(seeds.number().cast_signed()),
                4 => Word::Unsigned(seeds.number()),
                5 => Word::Double(f64::from_bits(seeds.number())),
                6 => Word::Double(f64::from(seeds.byte()) / 8.0),
                7 => Word::Bytes(alloc::vec![b'x'; seeds.long() % if cfg!(miri) { 300 } else { 5000 }]),
                8 => Word::Later(seeds.number() >> (seeds.byte() % 64)),
                // Ten arguments and a hundred have wider headers.
                9 => {
                    words.extend((0..seeds.byte() % 120).map(|n| Word::Integer(n.into())));
                    continue;
                }
                _ => Word::Bytes(seeds.bytes().to_vec()),
            });
        }
        Self(words)
    }
}

impl Request for Program {
    type Reply<'r> = Reply<'r>;

    fn command(&self) -> &'static Command {
        &Command::UNKNOWN
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        for word in &self.0 {
            match word {
                Word::Bytes(bytes) => sink.arg(bytes),
                Word::Key(key) => sink.key(key),
                Word::Secret(secret) => sink.secret(secret),
                Word::Integer(n) => sink.integer(*n),
                Word::Unsigned(n) => sink.unsigned(*n),
                Word::Double(n) => sink.double(*n),
                Word::Later(len) => sink.later(*len),
            }
        }
    }
}

/// Arguments as bytes; a length for what follows later.
#[derive(Default)]
pub(super) struct Args(pub(super) Vec<Result<Vec<u8>, u64>>);

impl ArgSink for Args {
    fn arg(&mut self, bytes: &[u8]) {
        self.0.push(Ok(bytes.to_vec()));
    }

    fn integer(&mut self, n: i64) {
        self.0.push(Ok(n.to_string().into_bytes()));
    }

    fn unsigned(&mut self, n: u64) {
        self.0.push(Ok(n.to_string().into_bytes()));
    }

    fn double(&mut self, n: f64) {
        // Whichever of the two is shorter to read is the core's business, that they are short is not.
        let size = n.abs();
        let plain = size == 0.0 || (1e-5..1e16).contains(&size) || !n.is_finite();
        let text = if plain { n.to_string() } else { format!("{n:e}") };
        let read = text.parse::<f64>().map(f64::to_bits);
        assert!(read == Ok(n.to_bits()) || n.is_nan(), "{text}");
        self.0.push(Ok(text.to_lowercase().into_bytes()));
    }

    fn later(&mut self, len: u64) {
        self.0.push(Err(len));
    }
}

impl Args {
    pub(super) fn of(request: &impl Request) -> Self {
        let mut args = Self::default();
        request.visit(&mut args);
        args
    }

    /// Which argument follows later, and how many bytes; the last one, if there are several.
    pub(super) fn later(&self) -> Option<(usize, u64)> {
        let later = |(at, arg): (usize, &Result<Vec<u8>, u64>)| arg.as_ref().err().map(|len| (at, *len));
        self.0.iter().enumerate().filter_map(later).next_back()
    }

    /// The frame, with a hole where bytes follow later.
    pub(super) fn frame(&self) -> Vec<u8> {
        let mut out = format!("*{}\r\n", self.0.len()).into_bytes();
        for arg in &self.0 {
            let (len, bytes) = match arg {
                Ok(bytes) => (bytes.len() as u64, &bytes[..]),
                Err(len) => (*len, &[][..]),
            };
            out.extend_from_slice(format!("${len}\r\n").as_bytes());
            out.extend_from_slice(bytes);
            out.extend_from_slice(b"\r\n");
        }
        out
    }

    /// The frame once `value` has followed.
    pub(super) fn whole(mut self, value: &[u8]) -> Vec<u8> {
        for arg in &mut self.0 {
            if arg.is_err() {
                *arg = Ok(value.to_vec());
            }
        }
        self.frame()
    }
}
