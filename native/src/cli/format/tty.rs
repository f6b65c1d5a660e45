//! The format for people: one line per value, numbered and indented.

use std::io::Write as _;

use respire_core::resp::{Kind, Reply};

use super::escape;
use super::walk::{Slot, Step, Walk};

/// Appends the reply with its final newline.
pub(super) fn print(walk: Walk<'_>, out: &mut Vec<u8>) {
    // By how much the lines of each open aggregate are indented.
    let mut indents = Vec::new();
    for step in walk {
        let indent = indents.last().copied().unwrap_or(0);
        match step {
            Step::Leaf(leaf, slot) => {
                if let Some(slot) = slot {
                    lead(slot, indent, false, out);
                }
                print_leaf(leaf, out);
                out.push(b'\n');
            }
            Step::Open(kind, shape, slot) => {
                indents.push(slot.map_or(0, |slot| indent + label_width(slot)));
                if let Some(slot) = slot {
                    lead(slot, indent, shape.tall, out);
                }
                if shape.len == 0 {
                    out.extend_from_slice(empty(kind));
                }
            }
            Step::Close(..) => {
                indents.pop();
            }
        }
    }
}

/// What stands before a value on its line: indentation and number, or the arrow behind a key.
fn lead(slot: Slot, indent: usize, tall: bool, out: &mut Vec<u8>) {
    if slot.is_paired() {
        // The newline of the key.
        out.pop();
        out.extend_from_slice(b" => ");
        if tall {
            out.push(b'\n');
            pad(indent + label_width(slot), out);
        }
        return;
    }
    // The first element stands behind the label of the aggregate itself.
    if slot.index > 0 {
        pad(indent, out);
    }
    let (number, mark) = match slot.parent {
        Kind::Map => (slot.index / 2, '#'),
        Kind::Set => (slot.index, '~'),
        _ => (slot.index, ')'),
    };
    // A Vec takes all that is written.
    let _ = write!(out, "{:>1$}{mark} ", number + 1, digits(slot));
}

/// How wide the numbers of an aggregate are: as its last one.
fn digits(slot: Slot) -> usize {
    let last = if slot.parent == Kind::Map { slot.len / 2 } else { slot.len };
    last.checked_ilog10().map_or(1, |log| log as usize + 1)
}

/// The width of `12) `, which the lines of a nested aggregate are indented by; its blank
/// included.
fn label_width(slot: Slot) -> usize {
    digits(slot) + 2
}

fn pad(width: usize, out: &mut Vec<u8>) {
    out.resize(out.len() + width, b' ');
}

fn empty(kind: Kind) -> &'static [u8] {
    match kind {
        Kind::Map => b"(empty hash)\n",
        Kind::Set => b"(empty set)\n",
        _ => b"(empty array)\n",
    }
}

fn print_leaf(leaf: Reply<'_>, out: &mut Vec<u8>) {
    let label: &[u8] = match leaf.kind() {
        Kind::Bulk => {
            escape::quote(leaf.chunks().into_iter().flatten(), out);
            return;
        }
        Kind::Null => b"(nil)",
        Kind::Boolean if leaf.as_boolean() == Some(true) => b"(true)",
        Kind::Boolean => b"(false)",
        Kind::Error | Kind::BulkError => b"(error) ",
        Kind::Integer => b"(integer) ",
        Kind::Double => b"(double) ",
        Kind::BigNumber => b"(big number) ",
        Kind::Simple | Kind::Verbatim => b"",
        // Not leaves.
        Kind::Array | Kind::Map | Kind::Set | Kind::Push => b"",
    };
    out.extend_from_slice(label);
    super::append_text(leaf, out);
}

#[cfg(test)]
mod tests {
    use super::super::tests::printed;
    use super::super::{Format, Printer};

    fn tty(bytes: &[u8]) -> String {
        printed(&Printer::new(Format::Tty), bytes)
    }

    #[test]
    fn leaves() {
        for (bytes, text) in [
            (&b"-ERR \"x\"\r\n"[..], "(error) ERR \"x\"\n"),
            (b"!5\r\nERR x\r\n", "(error) ERR x\n"),
            (b"+OK \"1\"\r\n", "OK \"1\"\n"),
            (b":-7\r\n", "(integer) -7\n"),
            (b"$3\r\na\"\n\r\n", "\"a\\\"\\n\"\n"),
            (b"$?\r\n;1\r\na\r\n;2\r\nbc\r\n;0\r\n", "\"abc\"\n"),
            (b"$-1\r\n", "(nil)\n"),
            (b"*-1\r\n", "(nil)\n"),
            (b"_\r\n", "(nil)\n"),
            (b",1.0\r\n", "(double) 1.0\n"),
            (b",-inf\r\n", "(double) -inf\n"),
            (b"#t\r\n", "(true)\n"),
            (b"#f\r\n", "(false)\n"),
            (b"=8\r\ntxt:a\n\"b\r\n", "a\n\"b\n"),
            (b"(12345678901234567890\r\n", "(big number) 12345678901234567890\n"),
            (b"*0\r\n", "(empty array)\n"),
            (b"~0\r\n", "(empty set)\n"),
            (b"%0\r\n", "(empty hash)\n"),
            (b"|1\r\n+a\r\n+b\r\n:1\r\n", "(integer) 1\n"),
        ] {
            assert_eq!(tty(bytes), text);
        }
    }

    #[test]
    fn arrays_are_indented_by_the_widest_number() {
        let mut bytes = b"*2\r\n*10\r\n".to_vec();
        bytes.extend_from_slice(&b":1\r\n".repeat(10));
        bytes.extend_from_slice(b"*1\r\n*1\r\n*1\r\n$4\r\ndeep\r\n");
        let text = tty(&bytes);
        assert!(text.starts_with("1)  1) (integer) 1\n    2) (integer) 1\n"), "{text}");
        assert!(text.ends_with("\n   10) (integer) 1\n2) 1) 1) 1) \"deep\"\n"), "{text}");

        let mut bytes = b"~11\r\n".to_vec();
        bytes.extend_from_slice(&b":1\r\n".repeat(10));
        bytes.extend_from_slice(b"~?\r\n:1\r\n:2\r\n.\r\n");
        let text = tty(&bytes);
        assert!(text.starts_with(" 1~ (integer) 1\n 2~"), "{text}");
        assert!(text.ends_with("\n11~ 1~ (integer) 1\n    2~ (integer) 2\n"), "{text}");
    }

    #[test]
    fn short_values_stay_behind_their_key() {
        assert_eq!(tty(b"%1\r\n+a\r\n*1\r\n:1\r\n"), "1# a => 1) (integer) 1\n");
        assert_eq!(tty(b"%1\r\n+a\r\n%1\r\n:1\r\n:2\r\n"), "1# a => 1# (integer) 1 => (integer) 2\n");
        assert_eq!(tty(b"%1\r\n+b\r\n*1\r\n*1\r\n:1\r\n"), "1# b => 1) 1) (integer) 1\n");
        assert_eq!(tty(b"%1\r\n+a\r\n%0\r\n"), "1# a => (empty hash)\n");
        assert_eq!(tty(b"%1\r\n*0\r\n*0\r\n"), "1# (empty array) => (empty array)\n");
        assert_eq!(tty(b"%1\r\n=5\r\ntxt:k\r\n=5\r\ntxt:x\r\n"), "1# k => x\n");
    }

    #[test]
    fn long_values_start_a_line() {
        let bytes =
            b"%2\r\n+a\r\n%2\r\n+x\r\n*2\r\n:1\r\n*1\r\n:2\r\n+y\r\n%0\r\n$1\r\nb\r\n~2\r\n_\r\n#t\r\n";
        let text = "1# a => \n   1# x => \n      1) (integer) 1\n      2) 1) (integer) 2\n   \
                    2# y => (empty hash)\n2# \"b\" => \n   1~ (nil)\n   2~ (true)\n";
        assert_eq!(tty(bytes), text);

        // Several lines further inside count, those of a key do not.
        let text = "1# a => \n   1~ 1) (integer) 1\n      2) (integer) 2\n";
        assert_eq!(tty(b"%1\r\n+a\r\n~1\r\n*2\r\n:1\r\n:2\r\n"), text);
        let text = "1# a => 1# 1) (integer) 1\n      2) (integer) 2 => b\n";
        assert_eq!(tty(b"%1\r\n+a\r\n%1\r\n*2\r\n:1\r\n:2\r\n+b\r\n"), text);

        let text = tty(&[b"%11\r\n".to_vec(), b":4\r\n*2\r\n:1\r\n:2\r\n".repeat(11)].concat());
        assert!(text.contains(" 4# (integer) 4 => \n    1) (integer) 1\n    2) (integer) 2\n"), "{text}");
    }

    #[test]
    fn aggregates_as_keys_and_below_arrays() {
        let text = "1# 1) (integer) 1\n   2) (integer) 2 => \n   1) (integer) 1\n   2) (integer) 2\n";
        assert_eq!(tty(b"%1\r\n*2\r\n:1\r\n:2\r\n*2\r\n:1\r\n:2\r\n"), text);
        let text = "1) 1) 1# k => \n         1) (integer) 1\n         2) (integer) 2\n   2) (integer) 3\n";
        assert_eq!(tty(b"*1\r\n*2\r\n%1\r\n+k\r\n*2\r\n:1\r\n:2\r\n:3\r\n"), text);
    }
}
