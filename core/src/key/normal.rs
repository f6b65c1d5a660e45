//! Keys that mean the same, made the same.

use super::KeyError;

/// What is done to a key before anything else. Each step can be left out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Normalise {
    /// White space of ASCII at both ends goes.
    pub trim: bool,
    /// Several `:` beside each other become one.
    pub collapse: bool,
    /// Letters of ASCII become small.
    pub lowercase: bool,
    /// An empty key is refused; servers have nothing against it.
    pub reject_empty: bool,
    /// How many bytes a key may have after all that.
    pub max_len: usize,
}

impl Normalise {
    /// Keys as they are, of any length.
    pub const NONE: Self =
        Self { trim: false, collapse: false, lowercase: false, reject_empty: false, max_len: usize::MAX };
}

impl Default for Normalise {
    /// All but `lowercase`, and at most 1024 bytes.
    fn default() -> Self {
        Self { trim: true, collapse: true, lowercase: false, reject_empty: true, max_len: 1024 }
    }
}

/// A key that is good, and what is left to be done to it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Normal<'k> {
    /// Without what was trimmed.
    key: &'k [u8],
    collapse: bool,
    lowercase: bool,
    /// It has a `{`, and perhaps a hash tag.
    tagged: bool,
    len: usize,
}

impl Normalise {
    /// Looks at a key, and changes nothing yet.
    #[inline]
    pub(super) fn look<'k>(&self, key: &'k [u8]) -> Result<Normal<'k>, KeyError> {
        let key = if self.trim { key.trim_ascii() } else { key };
        let twice = if self.collapse { doubles(key) } else { 0 };
        let lowercase = self.lowercase && any(key, |byte| byte.is_ascii_uppercase());
        let len = key.len().saturating_sub(twice);
        match len {
            0 if self.reject_empty => Err(KeyError::Empty),
            len if len > self.max_len => Err(KeyError::TooLong { limit: self.max_len }),
            len => {
                Ok(Normal { key, collapse: twice > 0, lowercase, tagged: any(key, |byte| byte == b'{'), len })
            }
        }
    }
}

/// How many `:` stand behind another one.
fn doubles(key: &[u8]) -> usize {
    let behind = key.get(1..).unwrap_or_default();
    let twice = |(&a, &b): (&u8, &u8)| (a == b':') & (b == b':');
    // Most keys have none, and this is found out without a branch for each byte.
    match key.iter().zip(behind).fold(false, |any, pair| any | twice(pair)) {
        false => 0,
        true => key.iter().zip(behind).filter(|&pair| twice(pair)).count(),
    }
}

/// Whether some byte is such, without a branch for each.
fn any(key: &[u8], is: impl Fn(u8) -> bool) -> bool {
    key.iter().fold(false, |any, &byte| any | is(byte))
}

impl<'k> Normal<'k> {
    /// How many bytes it has when all is done.
    pub(super) const fn len(&self) -> usize {
        self.len
    }

    /// Whether it may have a hash tag.
    pub(super) const fn may_have_tag(&self) -> bool {
        self.tagged
    }

    /// The bytes, if nothing is left to be done.
    pub(super) const fn plain(&self) -> Option<&'k [u8]> {
        if self.collapse || self.lowercase { None } else { Some(self.key) }
    }

    /// The bytes when all is done.
    pub(super) fn bytes(&self) -> impl Iterator<Item = u8> + use<'k> {
        let Self { key, collapse, lowercase, .. } = *self;
        let mut before = 0;
        key.iter().filter_map(move |&byte| {
            let again = collapse && byte == b':' && before == b':';
            before = byte;
            (!again).then(|| if lowercase { byte.to_ascii_lowercase() } else { byte })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::String;

    fn normal(rules: Normalise, key: &str) -> Result<String, KeyError> {
        let normal = rules.look(key.as_bytes())?;
        let text = String::from_utf8(normal.bytes().collect()).unwrap();
        assert_eq!(text.len(), normal.len(), "{key:?}");
        if let Some(plain) = normal.plain() {
            assert_eq!(plain, text.as_bytes());
        }
        Ok(text)
    }

    /// S0-KEY-02: each step does its work, and none that is switched off does.
    #[test]
    fn normalise() {
        let all = Normalise::default();
        for (key, expected) in [
            (" a::b ", "a:b"),
            ("a", "a"),
            ("a:b:c", "a:b:c"),
            ("::a:::b::", ":a:b:"),
            (":", ":"),
            ("\t\r\n\x0ca b\n", "a b"),
            ("A::B", "A:B"),
            ("é ", "é"),
            ("{a::b}c", "{a:b}c"),
        ] {
            assert_eq!(normal(all, key).as_deref(), Ok(expected), "{key:?}");
        }
        for key in ["", " ", "\t \n"] {
            assert_eq!(normal(all, key), Err(KeyError::Empty), "{key:?}");
            assert_eq!(normal(Normalise { reject_empty: false, ..all }, key).as_deref(), Ok(""));
            assert_eq!(normal(Normalise::NONE, key).as_deref(), Ok(key));
        }
        let lower = Normalise { lowercase: true, ..all };
        assert_eq!(normal(lower, " A::bÉ ").as_deref(), Ok("a:bÉ"));
        assert_eq!(normal(Normalise { trim: false, ..all }, " a::b ").as_deref(), Ok(" a:b "));
        assert_eq!(normal(Normalise { collapse: false, ..all }, " a::b ").as_deref(), Ok("a::b"));
        assert_eq!(normal(Normalise { collapse: false, ..lower }, " A::b ").as_deref(), Ok("a::b"));
    }

    #[test]
    fn the_limit_is_for_what_is_left() {
        let short = Normalise { max_len: 3, ..Normalise::default() };
        assert_eq!(normal(short, "  a:::b  ").as_deref(), Ok("a:b"));
        assert_eq!(normal(short, "a:bc"), Err(KeyError::TooLong { limit: 3 }));
        let long = "k".repeat(1024);
        assert!(normal(Normalise::default(), &long).is_ok());
        assert_eq!(normal(Normalise::default(), &(long + "k")), Err(KeyError::TooLong { limit: 1024 }));
    }
}
