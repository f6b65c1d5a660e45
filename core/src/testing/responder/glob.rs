//! Glob patterns as KEYS, SCAN, PSUBSCRIBE and CONFIG GET take them.
//!
//! `*`, `?`, `[a-c]`, `[^x]` and `\` as described under
//! <https://redis.io/docs/latest/commands/keys/>.

/// Whether the whole of `text` matches `pattern`.
///
/// Only the last `*` is ever retried, so the cost is at most the product of
/// both lengths, whatever the pattern.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    compare(pattern, text, |a, b| a == b)
}

/// [`matches`], without regard to the case of ASCII letters.
pub(crate) fn matches_ignoring_case(pattern: &[u8], text: &[u8]) -> bool {
    compare(pattern, text, |a, b| a.eq_ignore_ascii_case(&b))
}

fn compare(pattern: &[u8], text: &[u8], same: impl Fn(u8, u8) -> bool) -> bool {
    let (mut pattern, mut text) = (pattern, text);
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', rest @ ..] = pattern {
            retry = Some((rest, text));
            pattern = rest;
            continue;
        }
        if let Some((&byte, after)) = text.split_first() {
            if let Some(rest) = one(pattern, byte, &same) {
                (pattern, text) = (rest, after);
                continue;
            }
        } else if pattern.is_empty() {
            return true;
        }
        // A mismatch: let the last star take one byte more, if there is one.
        match retry {
            Some((rest, [_, after @ ..])) => {
                retry = Some((rest, after));
                (pattern, text) = (rest, after);
            }
            _ => return false,
        }
    }
}

/// What is left of `pattern` after its first item took `byte`.
fn one<'p>(pattern: &'p [u8], byte: u8, same: &impl Fn(u8, u8) -> bool) -> Option<&'p [u8]> {
    match pattern {
        [b'?', rest @ ..] => Some(rest),
        [b'[', rest @ ..] => class(rest, byte, same),
        [b'\\', literal, rest @ ..] | [literal, rest @ ..] if same(*literal, byte) => Some(rest),
        _ => None,
    }
}

/// A class, after its `[`; one that is never closed ends with the pattern.
fn class<'p>(pattern: &'p [u8], byte: u8, same: &impl Fn(u8, u8) -> bool) -> Option<&'p [u8]> {
    let (negated, mut pattern) = match pattern {
        [b'^', rest @ ..] => (true, rest),
        _ => (false, pattern),
    };
    let mut found = false;
    loop {
        pattern = match pattern {
            [] => break,
            [b'\\', literal, rest @ ..] => {
                found |= same(*literal, byte);
                rest
            }
            [b']', rest @ ..] => {
                pattern = rest;
                break;
            }
            [from, b'-', to, rest @ ..] => {
                let (low, high) = if from <= to { (from, to) } else { (to, from) };
                found |= (*low..=*high).contains(&byte)
                    || (same(b'a', b'A')
                        && ((*low..=*high).contains(&byte.to_ascii_lowercase())
                            || (*low..=*high).contains(&byte.to_ascii_uppercase())));
                rest
            }
            [literal, rest @ ..] => {
                found |= same(*literal, byte);
                rest
            }
        };
    }
    (found != negated).then_some(pattern)
}

#[cfg(test)]
mod tests {
    use super::{matches, matches_ignoring_case};

    #[test]
    fn stars_and_marks() {
        assert!(matches(b"*", b""));
        assert!(matches(b"h*llo", b"heeeello"));
        assert!(matches(b"*a*b*c", b"xxaxxbxxc"));
        assert!(!matches(b"*a*b*c", b"xxaxxbxx"));
        assert!(matches(b"h?llo", b"hxllo"));
        assert!(!matches(b"h?llo", b"hllo"));
        assert!(matches(b"**", b"anything"));
        assert!(!matches(b"", b"x"));
    }

    #[test]
    fn classes() {
        assert!(matches(b"h[ae]llo", b"hallo"));
        assert!(!matches(b"h[^e]llo", b"hello"));
        assert!(matches(b"h[a-c]llo", b"hbllo"));
        assert!(matches(b"h[c-a]llo", b"hbllo"));
        assert!(matches(b"[\\]]", b"]"));
        assert!(matches(b"a[bc", b"ac"));
    }

    #[test]
    fn escapes() {
        assert!(matches(b"a\\*", b"a*"));
        assert!(!matches(b"a\\*", b"ab"));
        assert!(matches(b"a\\", b"a\\"));
    }

    #[test]
    fn a_hostile_pattern_ends_quickly() {
        let text = [b'a'; 5_000];
        let mut pattern = [b'*', b'a'].repeat(500);
        pattern.push(b'b');
        assert!(!matches(&pattern, &text));
    }

    #[test]
    fn case_can_be_ignored() {
        assert!(matches_ignoring_case(b"MAX*", b"maxmemory"));
        assert!(matches_ignoring_case(b"[A-N]ax*", b"maxmemory"));
    }
}
