//! The format for tables: all leaves on one line, with commas between them.

use respire_core::error::ServerError;
use respire_core::resp::Kind;

use super::escape;
use super::walk::{Step, Walk};

/// Appends the reply without a final newline; an empty aggregate is an empty field.
pub(super) fn print(walk: Walk<'_>, out: &mut Vec<u8>) {
    for step in walk {
        if step.begins().is_some_and(|slot| slot.index > 0) {
            out.push(b',');
        }
        let Step::Leaf(leaf, _) = step else { continue };
        match leaf.kind() {
            Kind::Null => out.extend_from_slice(b"NULL"),
            Kind::Boolean => super::append_truth(leaf, out),
            Kind::Simple | Kind::Bulk | Kind::Verbatim => {
                escape::quote(leaf.chunks().into_iter().flatten(), out);
            }
            Kind::Error | Kind::BulkError => {
                out.extend_from_slice(b"ERROR,");
                escape::quote(leaf.error().map(ServerError::text), out);
            }
            _ => super::append_text(leaf, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::printed;
    use super::super::{Format, Printer};

    fn csv(bytes: &[u8]) -> String {
        printed(&Printer::new(Format::Csv), bytes)
    }

    #[test]
    fn leaves() {
        for (bytes, text) in [
            (&b"-ERR \"a\"\r\n"[..], "ERROR,\"ERR \\\"a\\\"\"\n"),
            (b"!5\r\nERR a\r\n", "ERROR,\"ERR a\"\n"),
            (b"+OK\r\n", "\"OK\"\n"),
            (b":-7\r\n", "-7\n"),
            (b"$3\r\na\xff\n\r\n", "\"a\\xff\\n\"\n"),
            (b"$?\r\n;1\r\na\r\n;2\r\nbc\r\n;0\r\n", "\"abc\"\n"),
            (b"$-1\r\n", "NULL\n"),
            (b",1.0\r\n", "1.0\n"),
            (b"#t\r\n", "true\n"),
            (b"#f\r\n", "false\n"),
            (b"=5\r\ntxt:a\r\n", "\"a\"\n"),
            (b"(123\r\n", "123\n"),
            (b"~0\r\n", "\n"),
        ] {
            assert_eq!(csv(bytes), text);
        }
    }

    #[test]
    fn nesting_is_flat() {
        assert_eq!(csv(b"*3\r\n:1\r\n*0\r\n:2\r\n"), "1,,2\n");
        assert_eq!(csv(b"%2\r\n+a\r\n~2\r\n:1\r\n_\r\n+b\r\n%0\r\n"), "\"a\",1,NULL,\"b\",\n");
    }
}
