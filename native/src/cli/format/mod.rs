//! Replies as text, byte for byte as redis-cli 7.0 prints them.
//!
//! What it cannot print is printed in its manner: big numbers like doubles, bulk errors like
//! errors; attributes are left out.

mod csv;
mod escape;
mod json;
mod raw;
mod tty;
mod walk;

use respire_core::resp::Reply;

pub(crate) use self::escape::quote;
use self::json::Strings;
pub(crate) use self::walk::TooDeep;
use self::walk::Walk;

/// An output format.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Format {
    /// For people: types, numbers and indentation.
    Tty,
    /// For scripts: texts as they are.
    Raw,
    /// Comma-separated values.
    Csv,
    /// JSON with the bytes of strings as they are.
    Json,
    /// JSON in ASCII.
    QuotedJson,
}

/// Prints replies in one format.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Printer {
    /// The format of [`print`](Self::print).
    pub(crate) format: Format,
    /// What stands between elements in the raw format.
    pub(crate) element_delimiter: Vec<u8>,
    /// What stands behind each reply in the raw format.
    pub(crate) reply_delimiter: Vec<u8>,
}

impl Printer {
    /// A printer with newlines as delimiters.
    pub(crate) fn new(format: Format) -> Self {
        Self { format, element_delimiter: b"\n".to_vec(), reply_delimiter: b"\n".to_vec() }
    }

    /// Appends one top-level reply as it is printed, with its final delimiter.
    ///
    /// # Errors
    /// The reply is nested too deep; nothing was appended.
    pub(crate) fn print(&self, reply: Reply<'_>, out: &mut Vec<u8>) -> Result<(), TooDeep> {
        let walk = Walk::new(reply)?;
        match self.format {
            Format::Tty => {
                tty::print(walk, out);
                return Ok(());
            }
            Format::Raw => {
                raw::print(walk, &self.element_delimiter, out);
                out.extend_from_slice(&self.reply_delimiter);
                return Ok(());
            }
            Format::Csv => csv::print(walk, out),
            Format::Json => json::print(walk, Strings::Plain, out),
            Format::QuotedJson => json::print(walk, Strings::Quoted, out),
        }
        out.push(b'\n');
        Ok(())
    }

    /// Appends the raw text without a final delimiter: how INFO, CLIENT LIST and the like are
    /// printed whatever the format.
    ///
    /// # Errors
    /// The reply is nested too deep; nothing was appended.
    pub(crate) fn print_as_text(&self, reply: Reply<'_>, out: &mut Vec<u8>) -> Result<(), TooDeep> {
        raw::print(Walk::new(reply)?, &self.element_delimiter, out);
        Ok(())
    }
}

/// The text of a string, number or error; nothing for other values.
fn append_text(leaf: Reply<'_>, out: &mut Vec<u8>) {
    if let Some(error) = leaf.error() {
        out.extend_from_slice(error.text());
    }
    for chunk in leaf.chunks().into_iter().flatten() {
        out.extend_from_slice(chunk);
    }
}

/// `true` or `false`.
fn append_truth(leaf: Reply<'_>, out: &mut Vec<u8>) {
    let truth: &[u8] = if leaf.as_boolean() == Some(true) { b"true" } else { b"false" };
    out.extend_from_slice(truth);
}

#[cfg(test)]
mod tests {
    use super::walk::MAX_DEPTH;
    use super::*;

    const ALL: [Format; 5] = [Format::Tty, Format::Raw, Format::Csv, Format::Json, Format::QuotedJson];

    /// What `printer` makes of the reply in `bytes`.
    pub(super) fn printed(printer: &Printer, bytes: &[u8]) -> String {
        let mut out = Vec::new();
        printer.print(Reply::parse(bytes).unwrap(), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn delimiters_belong_to_the_raw_format() {
        let bytes = b"*2\r\n:1\r\n:2\r\n";
        for format in ALL {
            let plain = Printer::new(format);
            let printer = Printer { format, element_delimiter: b"|".to_vec(), reply_delimiter: Vec::new() };
            if format == Format::Raw {
                assert_eq!(printed(&printer, bytes), "1|2");
                assert_eq!(printed(&plain, bytes), "1\n2\n");
            } else {
                assert_eq!(printed(&printer, bytes), printed(&plain, bytes));
            }
        }
    }

    #[test]
    fn texts_have_no_delimiter() {
        for format in ALL {
            let printer = Printer::new(format);
            for (bytes, text) in [
                (&b"$8\r\n# Server\r\n"[..], &b"# Server"[..]),
                (b"=6\r\ntxt:a\n\r\n", b"a\n"),
                (b"-ERR x\r\n", b"ERR x\n"),
            ] {
                let mut out = Vec::new();
                printer.print_as_text(Reply::parse(bytes).unwrap(), &mut out).unwrap();
                assert_eq!(out, text);
            }
        }
    }

    #[test]
    fn what_is_too_deep_is_not_printed() {
        for (kind, depth) in [("*1\r\n", MAX_DEPTH), ("%1\r\n+k\r\n", MAX_DEPTH), ("~1\r\n", MAX_DEPTH)] {
            for format in ALL {
                let printer = Printer::new(format);
                let mut out = Vec::new();
                let fits = [kind.repeat(depth), ":1\r\n".into()].concat();
                assert_eq!(printer.print(Reply::parse(fits.as_bytes()).unwrap(), &mut out), Ok(()));
                assert!(!out.is_empty());
                out.clear();
                let deep = [kind.repeat(depth + 1), ":1\r\n".into()].concat();
                let deep = Reply::parse(deep.as_bytes()).unwrap();
                assert_eq!(printer.print(deep, &mut out), Err(TooDeep));
                assert_eq!(printer.print_as_text(deep, &mut out), Err(TooDeep));
                assert!(out.is_empty());
            }
        }
        assert_eq!(TooDeep.to_string(), "the reply is nested deeper than 1024 levels");
    }
}
