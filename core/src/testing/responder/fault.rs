//! The error lines a command can fail with.

use alloc::borrow::Cow;
use alloc::vec::Vec;

/// An error reply: its code and text, without the leading `-`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Fault(Cow<'static, [u8]>);

/// What a handler returns; its reply, if any, is already written.
pub(crate) type Done = Result<(), Fault>;

impl Fault {
    /// An error whose text is known beforehand.
    pub(crate) const fn new(line: &'static str) -> Self {
        Self(Cow::Borrowed(line.as_bytes()))
    }

    /// An error put together from `parts`.
    ///
    /// A line break inside would end the error line early, so it becomes a
    /// space, as servers do with text that came from a client. They also keep
    /// such text as a C string, so each part ends at its first NUL.
    pub(crate) fn of(parts: &[&[u8]]) -> Self {
        let mut line = Vec::new();
        for part in parts {
            line.extend(c_string(part).iter().map(|&byte| match byte {
                b'\r' | b'\n' => b' ',
                other => other,
            }));
        }
        Self(Cow::Owned(line))
    }

    /// The line, code first.
    pub(crate) fn line(&self) -> &[u8] {
        &self.0
    }

    /// The arguments are too few or too many for the command called `name`.
    pub(crate) fn arity(name: &str) -> Self {
        Self::of(&[b"ERR wrong number of arguments for '", name.as_bytes(), b"' command"])
    }

    /// The expiry given to the command called `name` is not a usable time.
    pub(crate) fn expiry(name: &str) -> Self {
        Self::of(&[b"ERR invalid expire time in '", name.as_bytes(), b"' command"])
    }

    /// `name` is followed by a subcommand that the server does not know.
    pub(crate) fn subcommand(name: &str, given: &[u8]) -> Self {
        let upper = name.to_ascii_uppercase();
        Self::of(&[b"ERR unknown subcommand '", head(given, 128), b"'. Try ", upper.as_bytes(), b" HELP."])
    }

    /// A command that the server does not know, with `quotes` around what was
    /// sent: 7.0 uses `'x' `, and 5.0 used `` `x`, ``.
    pub(crate) fn unknown<'a>(
        name: &[u8],
        args: impl Iterator<Item = &'a [u8]>,
        quotes: (&[u8], &[u8]),
    ) -> Self {
        const SHOWN: usize = 128;
        let mut shown = Vec::new();
        for arg in args {
            let room = SHOWN.saturating_sub(shown.len());
            if room == 0 {
                break;
            }
            shown.extend_from_slice(quotes.0);
            shown.extend_from_slice(head(c_string(arg), room));
            shown.extend_from_slice(quotes.1);
        }
        let quote = quotes.0;
        Self::of(&[
            b"ERR unknown command ",
            quote,
            head(name, SHOWN),
            quote,
            b", with args beginning with: ",
            &shown,
        ])
    }
}

/// What is before the first NUL.
fn c_string(bytes: &[u8]) -> &[u8] {
    bytes.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// At most the first `limit` bytes.
fn head(bytes: &[u8], limit: usize) -> &[u8] {
    bytes.get(..limit).unwrap_or(bytes)
}

pub(crate) const SYNTAX: Fault = Fault::new("ERR syntax error");
pub(crate) const NOT_INTEGER: Fault = Fault::new("ERR value is not an integer or out of range");
pub(crate) const NOT_INT: Fault =
    Fault::new("ERR value is out of range, value must between -2147483648 and 2147483647");
pub(crate) const NOT_POSITIVE: Fault = Fault::new("ERR value is out of range, must be positive");
pub(crate) const NOT_FLOAT: Fault = Fault::new("ERR value is not a valid float");
pub(crate) const NOT_FINITE: Fault = Fault::new("ERR increment would produce NaN or Infinity");
pub(crate) const OVERFLOW: Fault = Fault::new("ERR increment or decrement would overflow");
pub(crate) const NO_SUCH_KEY: Fault = Fault::new("ERR no such key");
pub(crate) const INDEX_RANGE: Fault = Fault::new("ERR index out of range");
pub(crate) const DB_RANGE: Fault = Fault::new("ERR DB index is out of range");
pub(crate) const WRONG_TYPE: Fault =
    Fault::new("WRONGTYPE Operation against a key holding the wrong kind of value");
pub(crate) const NO_AUTH: Fault = Fault::new("NOAUTH Authentication required.");
pub(crate) const WRONG_PASS: Fault =
    Fault::new("WRONGPASS invalid username-password pair or user is disabled.");
