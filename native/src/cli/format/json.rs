//! The format for programs: JSON on one line, though errors are not valid JSON.

use respire_core::error::ServerError;
use respire_core::resp::{Kind, Reply};

use super::escape;
use super::walk::{Slot, Step, Walk};

/// How strings are written.
#[derive(Clone, Copy)]
pub(super) enum Strings {
    /// As JSON strings of whatever bytes they are.
    Plain,
    /// As ASCII, with the escapes of the terminal format inside.
    Quoted,
}

/// Appends the reply without a final newline.
pub(super) fn print(walk: Walk<'_>, strings: Strings, out: &mut Vec<u8>) {
    for step in walk {
        match step {
            Step::Leaf(leaf, slot) => {
                separate(slot, out);
                let bare_key = is_key(slot) && !is_string(leaf.kind()) && !leaf.kind().is_error();
                quote_if(bare_key, out);
                print_leaf(leaf, strings, out);
                quote_if(bare_key, out);
            }
            Step::Open(kind, _, slot) => {
                separate(slot, out);
                quote_if(is_key(slot), out);
                out.push(if kind == Kind::Map { b'{' } else { b'[' });
            }
            Step::Close(kind, slot) => {
                out.push(if kind == Kind::Map { b'}' } else { b']' });
                quote_if(is_key(slot), out);
            }
        }
    }
}

/// What stands between a value and the one before it.
fn separate(slot: Option<Slot>, out: &mut Vec<u8>) {
    match slot {
        Some(slot) if slot.is_paired() => out.push(b':'),
        Some(slot) if slot.index > 0 => out.push(b','),
        _ => {}
    }
}

fn is_key(slot: Option<Slot>) -> bool {
    slot.is_some_and(Slot::is_key)
}

/// Whether the value is a JSON string by itself. Other keys but errors get quotes around their
/// text, and quotes in that text stay as they are.
fn is_string(kind: Kind) -> bool {
    matches!(kind, Kind::Simple | Kind::Bulk | Kind::Verbatim)
}

fn quote_if(wanted: bool, out: &mut Vec<u8>) {
    if wanted {
        out.push(b'"');
    }
}

fn print_leaf(leaf: Reply<'_>, strings: Strings, out: &mut Vec<u8>) {
    match leaf.kind() {
        Kind::Null => out.extend_from_slice(b"null"),
        Kind::Boolean => super::append_truth(leaf, out),
        Kind::Error | Kind::BulkError => {
            out.extend_from_slice(b"error:");
            print_string(leaf.error().map(ServerError::text), strings, out);
        }
        kind if is_string(kind) => print_string(leaf.chunks().into_iter().flatten(), strings, out),
        _ => super::append_text(leaf, out),
    }
}

fn print_string<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, strings: Strings, out: &mut Vec<u8>) {
    match strings {
        Strings::Plain => escape::json(chunks, out),
        Strings::Quoted => escape::json_quote(chunks, out),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::printed;
    use super::super::{Format, Printer};

    fn json(bytes: &[u8]) -> String {
        printed(&Printer::new(Format::Json), bytes)
    }

    #[test]
    fn leaves() {
        for (bytes, text) in [
            (&b"-ERR \"a\"\r\n"[..], "error:\"ERR \\\"a\\\"\"\n"),
            (b"!5\r\nERR a\r\n", "error:\"ERR a\"\n"),
            (b"+OK\r\n", "\"OK\"\n"),
            (b":-7\r\n", "-7\n"),
            (b"$3\r\na\x07\n\r\n", "\"a\\u0007\\n\"\n"),
            (b"$?\r\n;1\r\na\r\n;2\r\nbc\r\n;0\r\n", "\"abc\"\n"),
            (b"$-1\r\n", "null\n"),
            (b",inf\r\n", "inf\n"),
            (b",1.0\r\n", "1.0\n"),
            (b"#t\r\n", "true\n"),
            (b"#f\r\n", "false\n"),
            (b"=5\r\ntxt:a\r\n", "\"a\"\n"),
            (b"(123\r\n", "123\n"),
        ] {
            assert_eq!(json(bytes), text);
        }
    }

    #[test]
    fn aggregates() {
        assert_eq!(json(b"*3\r\n:1\r\n*0\r\n%0\r\n"), "[1,[],{}]\n");
        assert_eq!(json(b"%2\r\n+a\r\n~2\r\n:1\r\n_\r\n$1\r\nb\r\n:2\r\n"), "{\"a\":[1,null],\"b\":2}\n");
    }

    #[test]
    fn keys_are_strings() {
        let bytes = b"%5\r\n:0\r\n:1\r\n#t\r\n:1\r\n,1.5\r\n:1\r\n_\r\n:1\r\n*2\r\n:1\r\n:2\r\n:1\r\n";
        assert_eq!(json(b"%1\r\n-ERR a\r\n:1\r\n"), "{error:\"ERR a\":1}\n");
        assert_eq!(json(bytes), "{\"0\":1,\"true\":1,\"1.5\":1,\"null\":1,\"[1,2]\":1}\n");
    }

    #[test]
    fn quoted() {
        let printer = Printer::new(Format::QuotedJson);
        assert_eq!(printed(&printer, b"$4\r\nq\"\\\n\r\n"), "\"q\\\\\"\\\\\\\\\\\\n\"\n");
        assert_eq!(printed(&printer, b"%1\r\n$1\r\n\xff\r\n:1\r\n"), "{\"\\\\xff\":1}\n");
    }
}
