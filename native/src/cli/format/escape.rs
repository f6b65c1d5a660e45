//! Bytes as quoted text: the three ways of escaping.

/// `bytes` between quotes with C-like escapes, as the terminal and CSV formats show strings;
/// everything but printable ASCII becomes `\n`-like names or `\xhh`.
pub(crate) fn quote<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    quoted(chunks, out, |byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\'), quote_one);
}

/// A JSON string; bytes from 0x7f are copied, whether they are UTF-8 or not.
pub(super) fn json<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    quoted(chunks, out, |byte| matches!(byte, ..b' ' | b'"' | b'\\'), json_one);
}

/// The text of [`quote`] with each backslash doubled, so that JSON readers get the escapes. A
/// quote becomes `\\"`, which is not JSON; it is printed so all the same.
pub(super) fn json_quote<'a>(chunks: impl IntoIterator<Item = &'a [u8]>, out: &mut Vec<u8>) {
    let special = |byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\');
    quoted(chunks, out, special, |byte, out| {
        let start = out.len();
        quote_one(byte, out);
        // All escapes start with a backslash, and only that of the backslash has a second one.
        let backslashes = out.iter().skip(start).filter(|&&byte| byte == b'\\').count();
        out.splice(start..start, std::iter::repeat_n(b'\\', backslashes));
    });
}

/// Quotes around `chunks`, copied in runs but for the `special` bytes, which `escape` writes.
fn quoted<'a>(
    chunks: impl IntoIterator<Item = &'a [u8]>,
    out: &mut Vec<u8>,
    special: impl Fn(u8) -> bool,
    escape: impl Fn(u8, &mut Vec<u8>),
) {
    out.push(b'"');
    for chunk in chunks {
        let mut rest = chunk;
        while let Some(at) = rest.iter().position(|&byte| special(byte)) {
            let (plain, from) = rest.split_at(at);
            out.extend_from_slice(plain);
            let Some((&byte, behind)) = from.split_first() else { break };
            escape(byte, out);
            rest = behind;
        }
        out.extend_from_slice(rest);
    }
    out.push(b'"');
}

fn quote_one(byte: u8, out: &mut Vec<u8>) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x07 => b'a',
        0x08 => b'b',
        _ => {
            let [high, low] = hex(byte);
            out.extend_from_slice(&[b'\\', b'x', high, low]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

fn json_one(byte: u8, out: &mut Vec<u8>) {
    let letter = match byte {
        b'"' | b'\\' => byte,
        b'\n' => b'n',
        b'\r' => b'r',
        b'\t' => b't',
        0x08 => b'b',
        0x0c => b'f',
        _ => {
            let [high, low] = hex(byte);
            out.extend_from_slice(&[b'\\', b'u', b'0', b'0', high, low]);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', letter]);
}

/// The two lower case digits of `byte`.
fn hex(byte: u8) -> [u8; 2] {
    [byte >> 4, byte & 15].map(|digit| if digit < 10 { b'0' + digit } else { b'a' + digit - 10 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(escape: fn([&'static [u8]; 1], &mut Vec<u8>), bytes: &'static [u8]) -> String {
        let mut out = Vec::new();
        escape([bytes], &mut out);
        String::from_utf8_lossy(&out).into_owned()
    }

    #[test]
    fn c_like() {
        assert_eq!(with(quote, b""), r#""""#);
        assert_eq!(with(quote, b"it's \"q\" \\"), r#""it's \"q\" \\""#);
        assert_eq!(with(quote, b"\n\r\t\x07\x08"), r#""\n\r\t\a\b""#);
        assert_eq!(
            with(quote, b"\x00\x0b\x0c\x1f\x7f\xc3\xa9\xff~"),
            r#""\x00\x0b\x0c\x1f\x7f\xc3\xa9\xff~""#
        );
    }

    #[test]
    fn json_strings() {
        assert_eq!(with(json, b"a/\"\\\n\r\t\x08\x0c"), r#""a/\"\\\n\r\t\b\f""#);
        assert_eq!(with(json, b"\x00\x07\x1f\x7f"), "\"\\u0000\\u0007\\u001f\x7f\"");
        assert_eq!(with(json, "é".as_bytes()), "\"é\"");
        let mut out = Vec::new();
        json([&b"\xff"[..]], &mut out);
        assert_eq!(out, b"\"\xff\"");
    }

    #[test]
    fn doubled() {
        assert_eq!(with(json_quote, b"q\"\\\n"), r#""q\\"\\\\\\n""#);
        assert_eq!(with(json_quote, b"\xff"), r#""\\xff""#);
    }

    #[test]
    fn chunks_are_one_string() {
        let mut out = Vec::new();
        quote([&b"a"[..], b"\n", b"", b"b"], &mut out);
        assert_eq!(out, br#""a\nb""#);
    }
}
