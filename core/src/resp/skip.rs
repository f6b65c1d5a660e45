//! Stepping over values that were checked before.

use super::{express, number};

/// What must be stepped over.
#[derive(Clone, Copy, Debug)]
pub(super) enum Owed {
    Nothing,
    /// So many values.
    Values(u64),
    /// All up to the end marker of a stream, and with it.
    Stream,
}

/// How many bytes that is.
pub(super) fn owed(bytes: &[u8], owed: Owed) -> usize {
    match owed {
        Owed::Nothing => 0,
        Owed::Values(count) => values(bytes, count),
        Owed::Stream => skip(bytes, 0, 1),
    }
}

/// How many bytes `count` values take, attributes in front of them included.
///
/// In checked bytes an end marker always ends the innermost stream. So what is inside a stream need
/// not be counted, and no level remembered: depth costs nothing.
pub(super) fn values(bytes: &[u8], count: u64) -> usize {
    skip(bytes, count, 0)
}

fn skip(bytes: &[u8], mut left: u64, mut streams: usize) -> usize {
    let mut rest = bytes;
    while left > 0 || streams > 0 {
        if express::OPEN && streams == 0 {
            (rest, left) = express::checked_leaves(rest, left);
            if left == 0 {
                break;
            }
        }
        let Some((&tag, line)) = rest.split_first() else { break };
        let outside = streams == 0;
        // Attributes, chunks and end markers are no values.
        if outside && tag != b'|' {
            left -= 1;
        }
        rest = match tag {
            b'$' | b'!' | b'=' | b'*' | b'%' | b'~' | b'>' | b'|' | b';' => match counted(line) {
                Counted::Null(behind) => behind,
                Counted::Streamed(behind) => {
                    streams += 1;
                    behind
                }
                Counted::Whole(n, behind) => match tag {
                    b'*' | b'~' | b'>' | b'%' | b'|' => {
                        if outside {
                            let inside = if matches!(tag, b'%' | b'|') { n.saturating_add(n) } else { n };
                            left = left.saturating_add(inside);
                        }
                        behind
                    }
                    b';' if n == 0 => {
                        streams = streams.saturating_sub(1);
                        behind
                    }
                    _ => payload(n, behind).1,
                },
            },
            b'.' => {
                streams = streams.saturating_sub(1);
                line.get(2..).unwrap_or_default()
            }
            _ => text(line).1,
        };
    }
    bytes.len() - rest.len()
}

/// What stands behind the type byte of a value that has a length.
pub(super) enum Counted<'a> {
    Whole(u64, &'a [u8]),
    Streamed(&'a [u8]),
    Null(&'a [u8]),
}

/// Reads a length.
#[cfg_attr(target_pointer_width = "64", inline)]
pub(super) fn counted(line: &[u8]) -> Counted<'_> {
    match line.first() {
        Some(b'-') => Counted::Null(line.get(4..).unwrap_or_default()),
        Some(b'?') => Counted::Streamed(line.get(3..).unwrap_or_default()),
        _ => {
            let (n, behind) = number::checked_length(line);
            Counted::Whole(n, behind)
        }
    }
}

/// A string of `n` bytes, and what stands behind its line end.
#[cfg_attr(target_pointer_width = "64", inline)]
pub(super) fn payload(n: u64, bytes: &[u8]) -> (&[u8], &[u8]) {
    let (payload, rest) = usize::try_from(n).ok().and_then(|n| bytes.split_at_checked(n)).unwrap_or_default();
    (payload, rest.get(2..).unwrap_or_default())
}

/// A line, and what stands behind its end.
#[cfg_attr(target_pointer_width = "64", inline)]
pub(super) fn text(line: &[u8]) -> (&[u8], &[u8]) {
    let end = line.iter().position(|&byte| byte == b'\r').unwrap_or(line.len());
    let (text, rest) = line.split_at_checked(end).unwrap_or_default();
    (text, rest.get(2..).unwrap_or_default())
}
