//! Splits a line of a table into words.

/// Splits at blanks; a word, or a part of it, may stand in double quotes with the escapes `\n`,
/// `\r`, `\t`, `\\`, `\"` and `\xhh`, or in single quotes with none.
///
/// `{all256}` outside quotes stands for each byte once, in order.
///
/// # Panics
///
/// When the line is malformed: the table is wrong.
pub(super) fn split(line: &str) -> Vec<Vec<u8>> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut chars = line.bytes().peekable();
    while let Some(byte) = chars.next() {
        match byte {
            b' ' | b'\t' => words.extend(word.take()),
            b'"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some(b'"') => break,
                        Some(b'\\') => word.push(escape(&mut chars, line)),
                        Some(other) => word.push(other),
                        None => panic!("unfinished quote: {line}"),
                    }
                }
            }
            b'\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next() {
                        Some(b'\'') => break,
                        Some(other) => word.push(other),
                        None => panic!("unfinished quote: {line}"),
                    }
                }
            }
            other => word.get_or_insert_default().push(other),
        }
    }
    words.extend(word);
    for word in &mut words {
        if word == b"{all256}" {
            *word = (0..=255).collect();
        }
    }
    words
}

/// The byte that an escape after a backslash stands for.
fn escape(chars: &mut impl Iterator<Item = u8>, line: &str) -> u8 {
    match chars.next() {
        Some(b'n') => b'\n',
        Some(b'r') => b'\r',
        Some(b't') => b'\t',
        Some(same @ (b'\\' | b'"')) => same,
        Some(b'x') => {
            let mut digit = || {
                let byte = chars.next().map(char::from);
                byte.and_then(|c| c.to_digit(16)).unwrap_or_else(|| panic!("bad \\x: {line}"))
            };
            u8::try_from(digit() * 16 + digit()).expect("two digits")
        }
        _ => panic!("bad escape: {line}"),
    }
}

#[test]
fn words_are_split() {
    assert_eq!(split(r#"SET  k "a b""#), [&b"SET"[..], b"k", b"a b"]);
    assert_eq!(split(r#"a"\x00\n"b '' 'it"\n'"#), [&b"a\0\nb"[..], b"", br#"it"\n"#]);
    assert_eq!(split("{all256}")[0].len(), 256);
    assert!(split("  ").is_empty());
}
