//! What several tests share: the naive oracle, and bytes fed in pieces.
#![allow(dead_code, reason = "no test uses all of it")]

use respire_core::resp::{self, Frame, Limits, ProtocolError, Scanner};

#[path = "../../src/fuzzing/oracle.rs"]
pub(crate) mod oracle;

pub(crate) type Scanned = Result<Option<Frame>, ProtocolError>;

/// Bytes as they read in a message.
pub(crate) fn show(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(200)];
    format!("{}{}", shown.escape_ascii(), if shown.len() < bytes.len() { "…" } else { "" })
}

/// Scans `bytes` as they arrive up to each of `ends` in turn, and then whole. Stops at the first
/// frame or error.
pub(crate) fn scan_at(bytes: &[u8], ends: impl IntoIterator<Item = usize>) -> Scanned {
    scan_under(Limits::SERVER, bytes, ends)
}

/// The same under other limits.
pub(crate) fn scan_under(limits: Limits, bytes: &[u8], ends: impl IntoIterator<Item = usize>) -> Scanned {
    let mut scanner = Scanner::new(limits);
    for end in ends.into_iter().chain([bytes.len()]) {
        let found = scanner.scan(&bytes[..end]);
        if !matches!(found, Ok(None)) {
            return found;
        }
    }
    Ok(None)
}

/// Scans `bytes` whole, in two pieces cut everywhere, and byte by byte: the same each time.
pub(crate) fn scan_everyway(bytes: &[u8]) -> Scanned {
    let whole = scan_at(bytes, []);
    for cut in 0..=bytes.len() {
        assert_eq!(scan_at(bytes, [cut]), whole, "cut at {cut}: {}", show(bytes));
    }
    assert_eq!(scan_at(bytes, 0..bytes.len()), whole, "byte by byte: {}", show(bytes));
    whole
}

/// The same, but the scanner forgets what is settled before each piece; only whether there is a
/// frame, its kind and its end can agree.
pub(crate) fn skip_byte_by_byte(bytes: &[u8]) -> Result<Option<(resp::Kind, usize)>, ProtocolError> {
    let mut scanner = Scanner::new(Limits::SERVER);
    let mut start = 0;
    for end in 0..=bytes.len() {
        if let Some(frame) = scanner.scan(&bytes[start..end])? {
            return Ok(Some((frame.kind, start + frame.len)));
        }
        if scanner.settled() > 0 {
            start += scanner.settled();
            scanner.forget();
            assert!(scanner.is_inside(), "forgetting is no fresh start");
        }
    }
    Ok(None)
}
