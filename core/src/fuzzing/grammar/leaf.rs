//! Values with nothing inside, in every spelling.

use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use super::{Fatal, Wanted, Writer};
use crate::fuzzing::oracle::Tree;
use crate::resp::Over;

impl Writer<'_> {
    /// Writes a value with nothing inside, unless the program is over.
    pub(super) fn leaf(&mut self, kind: u8, text: Vec<u8>) {
        if self.fatal.is_some() {
            return;
        }
        let line = || text.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect::<Vec<_>>();
        let number = || text.iter().take(8).fold(0, |number, &byte| number << 8 | u64::from(byte));
        let (first, len) = (text.first().copied().unwrap_or(0), text.len());
        let leaf = match kind {
            0 => Tree::Null,
            1 => Tree::Simple(line()),
            2 => Tree::Error(line()),
            3 => Tree::Integer(number().cast_signed()),
            5 => Tree::Boolean(first % 2 == 1),
            6 => Tree::Double(double(number(), first)),
            7 => Tree::BigNumber(line()),
            8 => Tree::BulkError(text),
            9 => match text.split_first_chunk::<3>() {
                Some((format, text)) => Tree::Verbatim(format.to_vec(), text.to_vec()),
                None => Tree::Verbatim(b"txt".to_vec(), text),
            },
            _ => Tree::Bulk(text),
        };
        self.place();
        self.spell(&leaf, first.wrapping_add(len as u8));
        self.note(Wanted::Leaf(leaf));
        self.settle();
    }

    /// Writes a leaf in one of its spellings.
    fn spell(&mut self, leaf: &Tree, dice: u8) {
        match leaf {
            Tree::Null => self.line([&b"_"[..], b"$-1", b"*-1"].get(usize::from(dice) % 3), &[]),
            Tree::Simple(text) => self.text(b"+", text),
            Tree::Error(text) => self.text(b"-", text),
            Tree::BigNumber(text) => self.text(b"(", text),
            Tree::Double(text) => self.line(Some(&b","), text),
            Tree::Boolean(truth) => self.line(Some(&b"#"), if *truth { b"t" } else { b"f" }),
            Tree::Integer(n) => {
                let zeros = usize::from(dice / 8) % (20 - n.unsigned_abs().to_string().len());
                let sign = match n {
                    ..0 => "-",
                    _ if dice % 4 == 1 => "+",
                    _ => "",
                };
                let digits = n.unsigned_abs();
                self.line(Some(&b":"), format!("{sign}{:0>zeros$}{digits}", "").as_bytes());
            }
            Tree::Bulk(text) if dice % 8 == 7 => {
                self.line(Some(&b"$?"), &[]);
                let most = usize::try_from(self.limits.bulk).unwrap_or(usize::MAX);
                let more = usize::from(dice / 8 % 2);
                for chunk in text.chunks(most.saturating_add(more).min(1 + text.len() / 3)) {
                    self.sized(b";", &[chunk]);
                }
                self.line(Some(&b";0"), &[]);
            }
            Tree::Bulk(text) => self.sized(b"$", &[text]),
            Tree::BulkError(text) => self.sized(b"!", &[text]),
            Tree::Verbatim(format, text) => self.sized(b"=", &[format, b":", text]),
            Tree::Array(_) | Tree::Map(_) | Tree::Set(_) | Tree::Push(_) => unreachable!("no leaf"),
        }
    }

    fn text(&mut self, tag: &[u8], text: &[u8]) {
        if text.len() > self.limits.line as usize {
            self.fatal = Some(Fatal::Line);
        }
        self.line(Some(&tag), text);
    }

    fn sized(&mut self, tag: &[u8], parts: &[&[u8]]) {
        let text = parts.concat();
        if text.len() as u64 > self.limits.bulk {
            self.exceed(Over::Bulk);
        }
        self.line(Some(&tag), text.len().to_string().as_bytes());
        self.line(Some(&b""), &text);
    }

    pub(super) fn line(&mut self, tag: Option<&impl AsRef<[u8]>>, text: &[u8]) {
        self.out.extend_from_slice(tag.map_or(&b""[..], AsRef::as_ref));
        self.out.extend_from_slice(text);
        self.out.extend_from_slice(b"\r\n");
    }
}

/// A double in a spelling that servers use, or might.
fn double(bits: u64, dice: u8) -> Vec<u8> {
    let odd: &[&str] = &["inf", "-inf", "+inf", "nan", "-nan", "-0", ".5", "1.", "+1.5", "1E5", "00.10e+05"];
    let double = f64::from_bits(bits);
    match odd.get(usize::from(dice) % 32) {
        Some(text) => text.as_bytes().to_vec(),
        None if !double.is_finite() => b"inf".to_vec(),
        None => match double.to_string() {
            text if text.len() < 40 => text.into_bytes(),
            _ => format!("{double:e}").into_bytes(),
        },
    }
}
