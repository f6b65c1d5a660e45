//! Whether two runs are the same, and how they differ.

use std::fmt::Write;

use super::table::{Case, Mask};
use crate::Finished;

/// How much of an output a message shows.
const SHOWN: usize = 2000;

/// `None` if `ours` is what `theirs` is, else a description of the difference.
pub fn difference(case: &Case, theirs: &Finished, ours: &Finished) -> Option<String> {
    let mut text = String::new();
    if (theirs.code(), theirs.timed_out) != (ours.code(), ours.timed_out) {
        let _ = writeln!(text, "  status: expected {}, got {}", ending(theirs), ending(ours));
    }
    let outputs = [
        ("stdout", case.stdout, &theirs.stdout, &ours.stdout),
        ("stderr", case.stderr, &theirs.stderr, &ours.stderr),
    ];
    for (name, mask, theirs, ours) in outputs {
        if masked(mask, theirs) != masked(mask, ours) {
            let _ = writeln!(text, "  {name} expected: {}", shown(theirs));
            let _ = writeln!(text, "  {name} got:      {}", shown(ours));
        }
    }
    (!text.is_empty()).then_some(text)
}

fn ending(run: &Finished) -> String {
    if run.timed_out { "no end".to_owned() } else { run.status.to_string() }
}

/// The part of an output that counts.
fn masked(mask: Mask, output: &[u8]) -> Vec<u8> {
    match mask {
        Mask::Exact => output.to_vec(),
        Mask::Any => Vec::new(),
        Mask::Presence => vec![u8::from(!output.is_empty())],
        Mask::First => output.split_inclusive(|&b| b == b'\n').next().unwrap_or(b"").to_vec(),
        Mask::Sorted => {
            let mut lines: Vec<_> = output.split_inclusive(|&b| b == b'\n').collect();
            lines.sort_unstable();
            lines.concat()
        }
        Mask::Digits => {
            let mut masked = Vec::with_capacity(output.len());
            for &byte in output {
                let byte = if byte.is_ascii_digit() { b'N' } else { byte };
                if byte != b'N' || masked.last() != Some(&b'N') {
                    masked.push(byte);
                }
            }
            masked
        }
    }
}

/// An output in one line, shortened.
pub fn shown(output: &[u8]) -> String {
    let mut text = output[..output.len().min(SHOWN)].escape_ascii().to_string();
    if output.len() > SHOWN {
        let _ = write!(text, " … ({} bytes)", output.len());
    }
    text
}

#[test]
fn masks_hide_what_varies() {
    assert_eq!(masked(Mask::Digits, b"id=17 db=0\n"), b"id=N db=N\n");
    assert_eq!(masked(Mask::Sorted, b"b\na\n"), b"a\nb\n");
    assert_eq!(masked(Mask::First, b"b\na\n"), b"b\n");
    assert_eq!(masked(Mask::Presence, b""), masked(Mask::Presence, b""));
    assert_ne!(masked(Mask::Presence, b""), masked(Mask::Presence, b"x"));
}
