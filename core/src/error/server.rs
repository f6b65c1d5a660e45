//! What a server answers when it says no.

use core::fmt;

/// An error reply: the server understood and said no.
///
/// The text is bytes, not UTF-8: scripts and old servers send anything. `Display` and `Debug`
/// escape what is not printable and stop after 256 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ServerError<'a>(&'a [u8]);

impl<'a> ServerError<'a> {
    /// The error whose whole text is `text`, without type byte and line end.
    pub const fn new(text: &'a [u8]) -> Self {
        Self(text)
    }

    /// The whole text.
    pub const fn text(self) -> &'a [u8] {
        self.0
    }

    /// The code: the first word (`WRONGTYPE`, `ERR`, `MOVED`), empty if there is none.
    pub fn code(self) -> &'a [u8] {
        self.0.split(|&byte| byte == b' ').next().unwrap_or_default()
    }

    /// What follows the code.
    pub fn message(self) -> &'a [u8] {
        let code = self.code().len();
        self.0.get(code.saturating_add(1)..).unwrap_or_default()
    }
}

impl fmt::Display for ServerError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.get(..256).unwrap_or(self.0);
        for chunk in shown.utf8_chunks() {
            for c in chunk.valid().chars() {
                if c.is_control() {
                    write!(f, "{}", c.escape_default())?;
                } else {
                    fmt::Write::write_char(f, c)?;
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        if shown.len() < self.0.len() { f.write_str("…") } else { Ok(()) }
    }
}

impl fmt::Debug for ServerError<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServerError({self})")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for ServerError<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "ServerError({=[u8]:a})", self.0.get(..256).unwrap_or(self.0));
    }
}

impl core::error::Error for ServerError<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_has_a_code_and_a_message() {
        let error = ServerError::new(b"MOVED 3999 127.0.0.1:6381");
        assert_eq!(error.code(), b"MOVED");
        assert_eq!(error.message(), b"3999 127.0.0.1:6381");
        assert_eq!(ServerError::new(b"").code(), b"");
        assert_eq!(ServerError::new(b"").message(), b"");
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn text_from_the_server_cannot_write_to_the_terminal() {
        let error = ServerError::new(b"ERR \x1b[2J\xff\nok \xc3\xa9");
        assert_eq!(alloc::format!("{error}"), "ERR \\u{1b}[2J\\xff\\nok é");
        let long = [b'x'; 300];
        assert_eq!(alloc::format!("{}", ServerError::new(&long)).chars().count(), 257);
    }
}
