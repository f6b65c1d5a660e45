//! Less work than any parser can do: floors to see figures against.

use std::hint::black_box;

use super::workloads::Workload;
use crate::case::{Case, Kind};

/// The yardsticks of a workload.
pub(crate) fn cases(workload: &Workload) -> Vec<Case> {
    if let Some(pieces) = workload.cut() {
        return in_pieces(workload, pieces);
    }
    let (bytes, ends) = (workload.bytes, workload.ends);
    let mut found = Vec::new();
    skipped(bytes, |end| found.push(end));
    workload.check_ends("skip", &found);

    let mut copy = vec![0; bytes.len()];
    let mut searched = copy.clone();
    let wire = workload.wire();
    vec![
        Case::new("memcpy", Kind::Yardstick, wire, move || {
            copy.copy_from_slice(black_box(bytes));
            black_box(&copy);
        }),
        Case::new("memcpy+memchr", Kind::Yardstick, wire, move || {
            searched.copy_from_slice(black_box(bytes));
            // The first line end of each reply, as if its end were known.
            let mut start = 0;
            for &end in ends {
                black_box(memchr::memchr(b'\r', &searched[start..]));
                start = end;
            }
        }),
        Case::new("skip", Kind::Yardstick, 0.0, move || {
            skipped(black_box(bytes), |end| {
                black_box(end);
            });
        }),
    ]
}

/// Each piece is copied behind those before it, as a read would.
fn in_pieces(workload: &Workload, pieces: Vec<&'static [u8]>) -> Vec<Case> {
    let whole = workload.bytes.len();
    let mut buffer = vec![0; whole];
    let mut received = buffer.clone();
    let again = pieces.clone();
    vec![
        Case::new("memcpy", Kind::Yardstick, workload.wire(), move || {
            let mut at = 0;
            for piece in black_box(&pieces) {
                buffer[at..at + piece.len()].copy_from_slice(piece);
                at += piece.len();
                black_box(&buffer);
            }
        }),
        Case::new("skip", Kind::Yardstick, 0.0, move || {
            let mut skip = Skip::default();
            let (mut at, mut end) = (0, None);
            for piece in black_box(&again) {
                received[at..at + piece.len()].copy_from_slice(piece);
                at += piece.len();
                end = skip.feed(&received[..at]);
            }
            assert_eq!(end, Some(whole));
        }),
    ]
}

fn skipped(bytes: &[u8], mut each: impl FnMut(usize)) {
    let mut skip = Skip::default();
    let mut start = 0;
    while let Some(len) = skip.feed(&bytes[start..]) {
        start += len;
        each(start);
        if start == bytes.len() {
            return;
        }
    }
}

/// Finds ends and checks nothing: what it is given must be RESP without nulls or streams.
#[derive(Default)]
pub(crate) struct Skip {
    /// Where the next value starts.
    at: usize,
    /// Values to come behind that one.
    owed: usize,
}

impl Skip {
    /// Looks at bytes that start with the reply. How long it is, once it is whole.
    #[inline]
    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Option<usize> {
        loop {
            let (&tag, line) = bytes.get(self.at..)?.split_first()?;
            let (end, more) = match tag {
                b'$' | b'=' | b'!' => {
                    let (n, len) = digits(line)?;
                    (len + n + 2, 0)
                }
                b'*' | b'~' | b'>' => {
                    let (n, len) = digits(line)?;
                    (len, n)
                }
                b'%' => {
                    let (n, len) = digits(line)?;
                    (len, 2 * n)
                }
                _ => (line.iter().position(|&byte| byte == b'\r')? + 2, 0),
            };
            if line.len() < end {
                return None;
            }
            self.at += 1 + end;
            self.owed += more;
            if self.owed == 0 {
                return Some(std::mem::take(self).at);
            }
            self.owed -= 1;
        }
    }
}

/// A number, and how long it is with its line end.
#[inline]
fn digits(line: &[u8]) -> Option<(usize, usize)> {
    let mut n: usize = 0;
    for (at, &byte) in line.iter().enumerate() {
        if byte == b'\r' {
            return Some((n, at + 2));
        }
        n = n.wrapping_mul(10).wrapping_add(usize::from(byte.wrapping_sub(b'0')));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skipping_finds_ends_in_pieces_of_any_size() {
        let bytes = b"*3\r\n:12\r\n%1\r\n+a\r\n$12\r\nabcdefghijkl\r\n>0\r\n";
        for size in 1..=bytes.len() {
            let mut skip = Skip::default();
            for end in (size..bytes.len()).step_by(size) {
                assert_eq!(skip.feed(&bytes[..end]), None, "{size} {end}");
            }
            assert_eq!(skip.feed(bytes), Some(bytes.len()));
        }
        let mut ends = Vec::new();
        skipped(b"+OK\r\n$0\r\n\r\n:1\r\n", |end| ends.push(end));
        assert_eq!(ends, [5, 11, 15]);
    }
}
