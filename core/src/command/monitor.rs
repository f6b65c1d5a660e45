//! The lines of `MONITOR`: when, in which database, who, and what.
//!
//! ```text
//! 1339518083.107412 [0 127.0.0.1:60866] "set" "key" "a\r\nb\x00"
//! ```

use core::fmt;

/// One line of `MONITOR`, checked to its end. Nothing of it is copied.
///
/// ```
/// use respire_core::command::{MonitorLine, Origin};
///
/// let line = MonitorLine::parse(br#"1339518083.107412 [3 127.0.0.1:60866] "set" "key" "a\x00b""#).unwrap();
/// assert_eq!((line.seconds, line.micros, line.db), (1_339_518_083, 107_412, 3));
/// assert_eq!(line.origin, Origin::Address(b"127.0.0.1:60866"));
/// assert!(line.args().nth(2).unwrap().bytes().eq(*b"a\0b"));
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct MonitorLine<'l> {
    /// When it was executed, by the server's clock: seconds since 1970.
    pub seconds: u64,
    /// And microseconds, less than a million.
    pub micros: u32,
    /// In which database.
    pub db: u32,
    /// Who asked for it.
    pub origin: Origin<'l>,
    /// All arguments, quoted, with blanks between.
    quoted: &'l [u8],
}

/// Who has asked for a command that `MONITOR` shows.
#[derive(Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Origin<'l> {
    /// A client with this address: `127.0.0.1:60866`, `[::1]:60866`.
    Address(&'l [u8]),
    /// A client over the server's Unix socket, which has this path.
    Unix(&'l [u8]),
    /// A script.
    Script,
}

/// The arguments of a line, the command's name first.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MonitorArgs<'l> {
    rest: &'l [u8],
}

/// One argument, as it was quoted.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MonitorArg<'l> {
    quoted: &'l [u8],
}

/// The bytes of an argument.
#[derive(Clone, Debug)]
pub struct MonitorBytes<'l> {
    quoted: &'l [u8],
}

impl<'l> MonitorLine<'l> {
    /// Reads a line, without its end. `None`: it is none.
    #[must_use]
    pub fn parse(line: &'l [u8]) -> Option<Self> {
        let (seconds, line) = number(line)?;
        let line = line.strip_prefix(b".")?;
        let (micros, rest) = number(line)?;
        // Six digits, always.
        if line.len().checked_sub(rest.len()) != Some(6) {
            return None;
        }
        let (db, rest) = number(rest.strip_prefix(b" [")?)?;
        let rest = rest.strip_prefix(b" ")?;
        // A path may have brackets in it.
        let end = rest.windows(3).position(|three| three == b"] \"")?;
        let (origin, quoted) = rest.split_at_checked(end)?;
        let origin = match origin {
            b"lua" => Origin::Script,
            origin => origin.strip_prefix(b"unix:").map_or(Origin::Address(origin), Origin::Unix),
        };
        let quoted = quoted.get(2..)?;
        let mut rest = quoted;
        loop {
            let (_, behind) = argument(rest)?;
            match behind {
                [] => break,
                [b' ', behind @ ..] => rest = behind,
                _ => return None,
            }
        }
        let (micros, db) = (u32::try_from(micros).ok()?, u32::try_from(db).ok()?);
        Some(Self { seconds, micros, db, origin, quoted })
    }

    /// What was asked for: the command's name and its arguments, at least one. Servers show `(redacted)` for what is secret.
    pub const fn args(&self) -> MonitorArgs<'l> {
        MonitorArgs { rest: self.quoted }
    }
}

impl<'l> Iterator for MonitorArgs<'l> {
    type Item = MonitorArg<'l>;

    fn next(&mut self) -> Option<MonitorArg<'l>> {
        let (quoted, behind) = argument(self.rest)?;
        self.rest = behind.strip_prefix(b" ").unwrap_or(behind);
        Some(MonitorArg { quoted })
    }
}

impl<'l> MonitorArg<'l> {
    /// Its bytes, as they were sent to the server.
    pub const fn bytes(self) -> MonitorBytes<'l> {
        MonitorBytes { quoted: self.quoted }
    }

    /// As the server wrote it, without the quotation marks around it.
    pub const fn quoted(self) -> &'l [u8] {
        self.quoted
    }
}

impl Iterator for MonitorBytes<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (byte, behind) = byte(self.quoted)?;
        self.quoted = behind;
        Some(byte)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.quoted.len() / 4, Some(self.quoted.len()))
    }
}

/// The digits in front, and what is behind them.
fn number(line: &[u8]) -> Option<(u64, &[u8])> {
    let len = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (digits, behind) = line.split_at_checked(len)?;
    let first = digits.first()?;
    let value = digits
        .iter()
        .skip(1)
        .try_fold(digit(*first)?, |value, byte| value.checked_mul(10)?.checked_add(digit(*byte)?))?;
    Some((value, behind))
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(10).map(u64::from)
}

/// The argument in front, without its quotation marks, and what is behind them.
fn argument(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = line.strip_prefix(b"\"")?;
    let mut rest = text;
    while let Some((_, behind)) = byte(rest) {
        rest = behind;
    }
    let behind = rest.strip_prefix(b"\"")?;
    Some((text.get(..text.len().checked_sub(rest.len())?)?, behind))
}

/// The byte in front, and what is behind it. `None`: a quotation mark, or nothing that a server writes.
fn byte(text: &[u8]) -> Option<(u8, &[u8])> {
    Some(match text {
        [b'\\', b'x', high, low, rest @ ..] => {
            let hex = |digit: u8| char::from(digit).to_digit(16);
            (u8::try_from(hex(*high)? << 4 | hex(*low)?).ok()?, rest)
        }
        [b'\\', escaped, rest @ ..] => {
            let byte = match escaped {
                b'\\' | b'"' => *escaped,
                b'n' => b'\n',
                b'r' => b'\r',
                b't' => b'\t',
                b'a' => 0x07,
                b'b' => 0x08,
                _ => return None,
            };
            (byte, rest)
        }
        [b'"' | b'\\', ..] | [] => return None,
        [plain, rest @ ..] => (*plain, rest),
    })
}

impl fmt::Debug for MonitorLine<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { seconds, micros, db, origin, .. } = self;
        write!(f, "{seconds}.{micros:06} [{db} {origin:?}] {:?}", self.args())
    }
}

impl fmt::Debug for Origin<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => write!(f, "{}", address.escape_ascii()),
            Self::Unix(path) => write!(f, "unix:{}", path.escape_ascii()),
            Self::Script => f.write_str("lua"),
        }
    }
}

impl fmt::Debug for MonitorArgs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(*self).finish()
    }
}

impl fmt::Debug for MonitorArg<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.quoted.escape_ascii())
    }
}
