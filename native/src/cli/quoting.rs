//! Lines of commands: words, quotes and escapes.
//!
//! White space separates words. A part in double quotes knows `\n \r \t \b \a \xhh` and takes any
//! other escaped byte as it is; one in single quotes knows only `\'`. A closing quote ends its
//! word. A NUL byte ends the line.

use std::fmt;

/// A quote is not closed, or more text follows a closing quote.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Unbalanced;

impl fmt::Display for Unbalanced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("unbalanced quotes")
    }
}

impl std::error::Error for Unbalanced {}

/// The words of `line`; `None` if its quotes are not balanced.
pub(crate) fn split(line: &[u8]) -> Option<Vec<Vec<u8>>> {
    let mut words = Words::default();
    words.parse(line).ok()?;
    Some(words.iter().map(<[u8]>::to_vec).collect())
}

/// The one word that `argument` is; `None` if it is none, several, or not balanced.
pub(crate) fn unquote(argument: &[u8]) -> Option<Vec<u8>> {
    let mut words = Words::default();
    words.parse(argument).ok()?;
    if words.len() == 1 { Some(words.bytes) } else { None }
}

/// The words of one line at a time, in buffers that are used again for the next.
#[derive(Default)]
pub(crate) struct Words {
    /// All words, without anything between them.
    bytes: Vec<u8>,
    /// Where each ends in `bytes`.
    ends: Vec<usize>,
}

impl Words {
    /// Takes the words of `line` in place of those before.
    ///
    /// # Errors
    /// The quotes of the line are not balanced; there are no words then.
    pub(crate) fn parse(&mut self, line: &[u8]) -> Result<(), Unbalanced> {
        self.bytes.clear();
        self.ends.clear();
        let mut rest = line;
        loop {
            rest = skip_space(rest);
            if rest.first().is_none_or(|&byte| byte == 0) {
                return Ok(());
            }
            match word(rest, &mut self.bytes) {
                Some(behind) => rest = behind,
                None => {
                    self.bytes.clear();
                    self.ends.clear();
                    return Err(Unbalanced);
                }
            }
            self.ends.push(self.bytes.len());
        }
    }

    /// The words in their order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        self.ends.iter().map(move |&end| {
            let word = self.bytes.get(start..end).unwrap_or_default();
            start = end;
            word
        })
    }

    /// How many words there are.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether the line was blank.
    pub(crate) fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

/// Whether `byte` ends a word or starts a quoted part of it. Vertical tabs and form feeds separate
/// words as all white space does, but do not end one.
fn is_special(byte: u8) -> bool {
    matches!(byte, 0 | b' ' | b'\n' | b'\r' | b'\t' | b'"' | b'\'')
}

/// Appends the word that starts `line` to `out`; what follows it, or `None` if it is not balanced.
fn word<'a>(line: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let at = line.iter().position(|&byte| is_special(byte));
    let (plain, rest) = line.split_at(at.unwrap_or(line.len()));
    out.extend_from_slice(plain);
    let behind = match rest.split_first() {
        Some((b'"', quoted)) => double_quoted(quoted, out)?,
        Some((b'\'', quoted)) => single_quoted(quoted, out)?,
        _ => return Some(rest),
    };
    match behind.first() {
        Some(&byte) if byte != 0 && !is_space(byte) => None,
        _ => Some(behind),
    }
}

/// Appends the text up to the closing quote; what follows that.
fn double_quoted<'a>(text: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let mut rest = text;
    loop {
        rest = match rest {
            [b'"', behind @ ..] => return Some(behind),
            [b'\\', b'x', high, low, behind @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                out.push(hex_digit(*high) << 4 | hex_digit(*low));
                behind
            }
            [] | [0, ..] | [b'\\'] | [b'\\', 0, ..] => return None,
            [b'\\', escaped, behind @ ..] => {
                out.push(match escaped {
                    b'n' => b'\n',
                    b'r' => b'\r',
                    b't' => b'\t',
                    b'b' => 0x08,
                    b'a' => 0x07,
                    other => *other,
                });
                behind
            }
            [byte, behind @ ..] => {
                out.push(*byte);
                behind
            }
        };
    }
}

/// Appends the text up to the closing quote; what follows that.
fn single_quoted<'a>(text: &'a [u8], out: &mut Vec<u8>) -> Option<&'a [u8]> {
    let mut rest = text;
    loop {
        rest = match rest {
            [b'\'', behind @ ..] => return Some(behind),
            [] | [0, ..] => return None,
            [b'\\', b'\'', behind @ ..] => {
                out.push(b'\'');
                behind
            }
            [byte, behind @ ..] => {
                out.push(*byte);
                behind
            }
        };
    }
}

fn skip_space(line: &[u8]) -> &[u8] {
    let at = line.iter().position(|&byte| !is_space(byte));
    line.get(at.unwrap_or(line.len())..).unwrap_or_default()
}

/// White space in ASCII, vertical tab included.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

/// The value of a digit known to be one.
fn hex_digit(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20).wrapping_sub(b'a').wrapping_add(10) & 15,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(line: &str) -> Option<Vec<String>> {
        let words = split(line.as_bytes())?;
        Some(words.into_iter().map(|word| word.escape_ascii().to_string()).collect())
    }

    #[test]
    fn plain_words() {
        assert_eq!(strings("").unwrap(), [""; 0]);
        assert_eq!(strings(" \t\r").unwrap(), [""; 0]);
        assert_eq!(strings("SET k  v\r").unwrap(), ["SET", "k", "v"]);
        assert_eq!(strings(r"a\x41 b\ c").unwrap(), [r"a\\x41", r"b\\", "c"]);
        assert_eq!(split("SET é".as_bytes()).unwrap(), [&b"SET"[..], "é".as_bytes()]);
        assert_eq!(split(b"\xff \x80").unwrap(), [[0xff], [0x80]]);
    }

    #[test]
    fn double_quotes() {
        assert_eq!(strings(r#""" "a b""#).unwrap(), ["", "a b"]);
        assert_eq!(split(br#""\x41\xfF\n\r\t\b\a""#).unwrap(), [b"A\xff\n\r\t\x08\x07"]);
        assert_eq!(strings(r#""\z\u00e9\"\\\xg1\x1""#).unwrap(), [r#"zu00e9\"\\xg1x1"#]);
        assert_eq!(strings(r#""it's""#).unwrap(), [r"it\'s"]);
        assert_eq!(strings("a\"b c\"\td").unwrap(), ["ab c", "d"]);
    }

    #[test]
    fn single_quotes() {
        assert_eq!(split(br"'' 'a\' \n\\ b'").unwrap(), [&b""[..], br"a' \n\\ b"]);
        assert_eq!(split(b"x'\"' y").unwrap(), [&b"x\""[..], b"y"]);
        // The backslash takes the quote with it.
        assert_eq!(split(br"'a\'"), None);
    }

    #[test]
    fn unbalanced() {
        for line in
            [r#"""#, "'", r#"a"b c"d"#, r#""a"b"#, "'a'b", r#""a""b""#, r#""a\"#, r#"x "a\""#, "GET 'k"]
        {
            assert_eq!(split(line.as_bytes()), None, "{line}");
        }
        let mut words = Words::default();
        assert_eq!(words.parse(b"a b \"c"), Err(Unbalanced));
        assert!(words.is_empty());
        assert_eq!(words.iter().count(), 0);
    }

    #[test]
    fn nul_ends_the_line() {
        assert_eq!(split(b"GET\0k").unwrap(), [b"GET"]);
        assert_eq!(split(b"GET k\0\"").unwrap(), [&b"GET"[..], b"k"]);
        assert_eq!(split(b"GET \"k\"\0x").unwrap(), [&b"GET"[..], b"k"]);
        assert_eq!(split(b"GET \"k\0\""), None);
        assert_eq!(split(b"GET \"k\\\0\""), None);
        assert_eq!(split(b"GET 'k\0'"), None);
        assert_eq!(split(b"\0").unwrap(), [b""; 0]);
    }

    #[test]
    fn one_argument() {
        assert_eq!(unquote(b"plain").unwrap(), b"plain");
        assert_eq!(unquote(br"\x41").unwrap(), br"\x41");
        assert_eq!(unquote(br#""\x41 b""#).unwrap(), b"A b");
        assert_eq!(unquote(b"''").unwrap(), b"");
        for argument in [&b""[..], b"a b", b"a\"b", b"\"a\"b", b"\"a", b" "] {
            assert_eq!(unquote(argument), None);
        }
    }

    #[test]
    fn buffers_are_used_again() {
        let mut words = Words::default();
        for (line, count) in [("a bb ccc", 3), ("", 0), ("'x y'", 1)] {
            words.parse(line.as_bytes()).unwrap();
            assert_eq!(words.len(), count);
        }
        assert_eq!(words.iter().collect::<Vec<_>>(), [b"x y"]);
    }
}
