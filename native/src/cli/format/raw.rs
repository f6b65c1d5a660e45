//! The format for scripts: texts as they are, with a delimiter between them.

use respire_core::resp::Kind;

use super::walk::{Step, Walk};

/// Appends the reply with `delimiter` between elements, however nested, and none behind it.
pub(super) fn print(walk: Walk<'_>, delimiter: &[u8], out: &mut Vec<u8>) {
    for step in walk {
        if let Some(slot) = step.begins() {
            if slot.is_paired() {
                out.push(b' ');
            } else if slot.index > 0 {
                out.extend_from_slice(delimiter);
            }
        }
        let Step::Leaf(leaf, _) = step else { continue };
        match leaf.kind() {
            Kind::Boolean if leaf.as_boolean() == Some(true) => out.extend_from_slice(b"(true)"),
            Kind::Boolean => out.extend_from_slice(b"(false)"),
            kind => {
                super::append_text(leaf, out);
                if kind.is_error() {
                    // Of its own, whatever the delimiters are.
                    out.push(b'\n');
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::printed;
    use super::super::{Format, Printer};

    fn raw(element: &str, bytes: &[u8]) -> String {
        let mut printer = Printer::new(Format::Raw);
        printer.element_delimiter = element.into();
        printer.reply_delimiter = b"$".to_vec();
        printed(&printer, bytes)
    }

    #[test]
    fn leaves() {
        for (bytes, text) in [
            (&b"-ERR a\r\n"[..], "ERR a\n$"),
            (b"!5\r\nERR a\r\n", "ERR a\n$"),
            (b"+OK\r\n", "OK$"),
            (b":-7\r\n", "-7$"),
            (b"$3\r\na\"\n\r\n", "a\"\n$"),
            (b"$?\r\n;1\r\na\r\n;2\r\nbc\r\n;0\r\n", "abc$"),
            (b"_\r\n", "$"),
            (b",1e3\r\n", "1e3$"),
            (b"#t\r\n", "(true)$"),
            (b"#f\r\n", "(false)$"),
            (b"=5\r\ntxt:a\r\n", "a$"),
            (b"(123\r\n", "123$"),
            (b"*0\r\n", "$"),
        ] {
            assert_eq!(raw(",", bytes), text);
        }
    }

    #[test]
    fn nesting_is_flat() {
        assert_eq!(raw("\n", b"*3\r\n:1\r\n*0\r\n:2\r\n"), "1\n\n2$");
        assert_eq!(raw("--", b"*2\r\n:1\r\n~2\r\n:2\r\n:3\r\n"), "1--2--3$");
        assert_eq!(raw("\\n", b"*2\r\n-ERR a\r\n:2\r\n"), "ERR a\n\\n2$");
    }

    #[test]
    fn pairs_are_joined_by_a_blank() {
        assert_eq!(raw(",", b"%2\r\n:1\r\n:2\r\n:3\r\n*2\r\n:4\r\n:5\r\n"), "1 2,3 4,5$");
        let nested = b"%2\r\n+a\r\n%2\r\n+x\r\n*2\r\n:1\r\n*1\r\n:2\r\n+y\r\n%0\r\n+b\r\n~2\r\n_\r\n#t\r\n";
        assert_eq!(raw("\n", nested), "a x 1\n2\ny \nb \n(true)$");
    }
}
