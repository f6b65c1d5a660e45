//! Values that are RESP for sure, in every spelling.

use alloc::string::ToString;
use alloc::vec;
use alloc::vec::Vec;

use super::oracle::{self, Tree};
use crate::command::Request;
use crate::command::words;
use crate::resp::{Encoder, Limits, Reply, Scanner};

/// A value made of `data`, encoded and read back; and the same bytes as the words of a request.
///
/// # Panics
/// If another value comes back.
pub fn round_trip(data: &[u8]) {
    let mut seeds = Seeds(data);
    let count = 1 + seeds.byte() % 4;
    let trees: Vec<Tree> = (0..count).map(|_| seeds.tree(5, true)).collect();
    let mut bytes = Vec::new();
    for tree in &trees {
        tree.encode(&mut bytes, &mut || seeds.byte());
    }
    let size = 1 + usize::from(seeds.byte()) % 100;
    read_back(&bytes, &trees, size);
    read_back(&bytes, &trees, bytes.len());
    request(data);
}

fn read_back(bytes: &[u8], trees: &[Tree], size: usize) {
    let mut scanner = Scanner::new(Limits::SERVER);
    let (mut start, mut end) = (0, 0);
    for tree in trees {
        let frame = loop {
            let found = scanner.scan(bytes.get(start..end).unwrap_or_default());
            match found.unwrap_or_else(|error| unreachable!("{error}: {}", bytes.escape_ascii())) {
                Some(frame) => break frame,
                None => assert!(end < bytes.len(), "not whole: {}", bytes.escape_ascii()),
            }
            end = bytes.len().min(end + size);
        };
        let value = bytes.get(start..end).unwrap_or_default();
        assert_eq!(Tree::of(Reply::new(value, frame)), *tree);
        start += frame.len;
    }
    assert_eq!(start, bytes.len(), "nothing is left");
}

/// The words come back from a reader that knows arrays of strings.
fn request(data: &[u8]) {
    let args: Vec<&[u8]> = data.split(|&byte| byte == 0).collect();
    let request = words(&args);
    let mut measure = Encoder::new(&mut []);
    request.visit(&mut measure);
    let measured = measure.finish();
    let mut bytes = vec![0; measured.len()];
    let mut encoder = Encoder::new(&mut bytes);
    request.visit(&mut encoder);
    let encoded = encoder.finish();
    assert!(encoded.is_written() && encoded.len() == measured.len(), "another length than measured");
    let strings = args.iter().map(|arg| Tree::Bulk(arg.to_vec())).collect();
    assert_eq!(oracle::parse(&bytes), Ok((Tree::Array(strings), bytes.len())));
}

/// Bytes that decide, one by one, and zeros once they are used up.
struct Seeds<'a>(&'a [u8]);

impl<'a> Seeds<'a> {
    fn byte(&mut self) -> u8 {
        let (byte, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *byte
    }

    fn bytes(&mut self) -> &'a [u8] {
        let len = usize::from(self.byte()) % 40;
        let (bytes, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        bytes
    }

    fn number(&mut self) -> u64 {
        (0..self.byte() % 9).fold(0, |number, _| number << 8 | u64::from(self.byte()))
    }

    /// Bytes without line ends.
    fn line(&mut self) -> Vec<u8> {
        self.bytes().iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect()
    }

    fn double(&mut self) -> Vec<u8> {
        match f64::from_bits(self.number()) {
            double if double.is_finite() => alloc::format!("{double:e}").into_bytes(),
            double => double.to_string().to_lowercase().into_bytes(),
        }
    }

    fn tree(&mut self, depth: u8, top: bool) -> Tree {
        let kinds = if depth > 0 { 14 } else { 10 };
        match self.byte() % kinds {
            0 => Tree::Null,
            1 => Tree::Simple(self.line()),
            2 => Tree::Error(self.line()),
            3 => Tree::Integer(self.number().cast_signed()),
            4 => Tree::Bulk(self.bytes().to_vec()),
            5 => Tree::Boolean(self.byte() % 2 == 1),
            6 => Tree::Double(self.double()),
            7 => Tree::BigNumber(self.line()),
            8 => Tree::BulkError(self.bytes().to_vec()),
            9 => Tree::Verbatim([self.byte(), self.byte(), self.byte()].to_vec(), self.bytes().to_vec()),
            10 => Tree::Array(self.trees(depth, 1)),
            11 => Tree::Map(self.trees(depth, 2)),
            12 => Tree::Set(self.trees(depth, 1)),
            _ if top => Tree::Push(self.trees(depth, 1)),
            _ => Tree::Array(self.trees(depth, 1)),
        }
    }

    fn trees(&mut self, depth: u8, factor: u8) -> Vec<Tree> {
        let count = self.byte() % 6 * factor;
        (0..count).map(|_| self.tree(depth - 1, false)).collect()
    }
}
