//! The same value as a RESP2 server spells it.

use alloc::format;
use alloc::vec::Vec;

use crate::resp::{Kind, Reply, Visit};

/// The value in RESP2: maps flat, sets as arrays, strings for what has no type of its own, no
/// attributes and no streams. `None` if RESP2 cannot say it: an error of several lines.
pub(super) fn resp2(reply: Reply<'_>) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    for visit in reply.preorder() {
        // Streams end where their count says.
        let Visit::Value(value) = visit else { continue };
        let text = || value.chunks().map(|chunks| chunks.flatten().copied().collect::<Vec<u8>>());
        match value.kind() {
            Kind::Array | Kind::Map | Kind::Set | Kind::Push => {
                let elements = value.elements()?;
                let count = elements.remaining().unwrap_or_else(|| elements.count() as u64);
                out.extend_from_slice(format!("*{count}\r\n").as_bytes());
            }
            Kind::Null if out.len() % 2 == 0 => out.extend_from_slice(b"$-1\r\n"),
            Kind::Null => out.extend_from_slice(b"*-1\r\n"),
            Kind::Boolean => out.extend_from_slice(if value.as_boolean()? { b":1\r\n" } else { b":0\r\n" }),
            Kind::Simple => line(&mut out, b'+', &text()?),
            Kind::Integer => line(&mut out, b':', &text()?),
            Kind::Error | Kind::BulkError => {
                let text = value.error()?.text();
                if text.iter().any(|byte| matches!(byte, b'\r' | b'\n')) {
                    return None;
                }
                line(&mut out, b'-', text);
            }
            Kind::Bulk | Kind::Verbatim | Kind::Double | Kind::BigNumber => {
                let text = text()?;
                out.extend_from_slice(format!("${}\r\n", text.len()).as_bytes());
                out.extend_from_slice(&text);
                out.extend_from_slice(b"\r\n");
            }
        }
    }
    Some(out)
}

fn line(out: &mut Vec<u8>, tag: u8, text: &[u8]) {
    out.push(tag);
    out.extend_from_slice(text);
    out.extend_from_slice(b"\r\n");
}

/// Whether pairs can be told from elements in RESP2, too: a flat map whose key is an aggregate looks
/// like a list of pairs there, and so does a list of maps or sets. Looks as many levels deep as types do.
pub(super) fn has_plain_pairs(reply: Reply<'_>, levels: u8) -> bool {
    let Some(elements) = reply.elements() else { return true };
    let map = elements.is_map();
    levels == 0
        || elements.enumerate().all(|(at, element)| {
            let Ok(element) = element else { return false };
            let plain = match element.kind() {
                Kind::Array => !map || at % 2 == 1,
                Kind::Map | Kind::Set => map && at % 2 == 1,
                _ => true,
            };
            plain && has_plain_pairs(element, levels - 1)
        })
}
