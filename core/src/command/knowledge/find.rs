//! The row of a request, and what it says at once.

use core::cmp::Ordering;

use super::Args;
use super::rows::{Row, TABLES};
use crate::error::Author;

impl Args<'_> {
    /// Whether the request may change data: what a replica refuses, and what may do anything, such as
    /// scripts, `EXEC` and every command that is not known.
    ///
    /// It goes by the command. `SORT` without `STORE` and `BITFIELD` with nothing but `GET` count as
    /// writing, as they do for a replica.
    pub fn is_write(self) -> bool {
        find(self).is_none_or(|(row, _)| row.write)
    }

    /// Who may have chosen the words of an error that answers the request: only the server, or also a
    /// script, a module or a user. [`ErrorKind::proof`](crate::error::ErrorKind::proof) asks for it.
    pub fn author(self) -> Author {
        find(self).map_or(Author::Anyone, |(row, _)| row.author)
    }
}

/// The row, and the arguments behind its words. A row of two words goes before one of one.
pub(super) fn find(mut args: Args<'_>) -> Option<(&'static Row, Args<'_>)> {
    // No command has a space in its name; a row has it between two words.
    let first = args.next().filter(|first| !first.contains(&b' '))?;
    let mut behind = args;
    if let Some(second) = behind.next()
        && let Some(row) = search(first, Some(second))
    {
        return Some((row, behind));
    }
    search(first, None).map(|row| (row, args))
}

fn search(first: &[u8], second: Option<&[u8]>) -> Option<&'static Row> {
    TABLES.iter().find_map(|rows| {
        let at = rows.binary_search_by(|row| compare(row.name.as_bytes(), first, second)).ok()?;
        rows.get(at)
    })
}

/// How a name stands to these words in upper case, with a space between them.
fn compare(name: &[u8], first: &[u8], second: Option<&[u8]>) -> Ordering {
    let space = second.map_or(&b""[..], |_| b" ");
    let words = first.iter().chain(space).chain(second.unwrap_or_default());
    name.iter().copied().cmp(words.map(u8::to_ascii_uppercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_sorted_and_say_nothing_twice() {
        let mut all = std::vec::Vec::new();
        for rows in TABLES {
            for two in rows.windows(2) {
                assert!(two[0].name < two[1].name, "{} before {}", two[0].name, two[1].name);
            }
            all.extend(rows.iter().map(|row| row.name));
        }
        all.sort_unstable();
        assert!(all.windows(2).all(|two| two[0] != two[1]));
        let usual = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b" .-_".contains(&byte);
        assert!(all.iter().flat_map(|name| name.bytes()).step_by(if cfg!(miri) { 50 } else { 1 }).all(usual));
    }

    #[test]
    fn every_row_is_found_by_its_words_in_any_case() {
        // An interpreter takes its time.
        let step = if cfg!(miri) { 60 } else { 1 };
        for row in TABLES.iter().flat_map(|rows| rows.iter()).step_by(step) {
            let (first, second) = row.name.split_once(' ').unzip();
            let first = first.unwrap_or(row.name).to_ascii_lowercase();
            let found = search(first.as_bytes(), second.map(str::as_bytes));
            assert_eq!(found.map(|row| row.name), Some(row.name));
        }
        assert!(search(b"", None).is_none());
        assert!(search(b"CONFIG", None).is_none());
        assert!(search(b"SET", Some(b"SET")).is_none());
    }

    #[test]
    fn a_row_of_two_words_goes_before_one_of_one() {
        let name = |frame: &str| find(Args::new(frame.as_bytes())).map(|(row, args)| (row.name, args.left()));
        assert_eq!(name("*2\r\n$7\r\ncommand\r\n$4\r\ndocs\r\n"), Some(("COMMAND DOCS", 0)));
        assert_eq!(name("*2\r\n$7\r\ncommand\r\n$3\r\nnew\r\n"), Some(("COMMAND", 1)));
        assert_eq!(name("*1\r\n$7\r\ncommand\r\n"), Some(("COMMAND", 0)));
        assert_eq!(name("*2\r\n$3\r\nGET\r\n$9\r\n"), Some(("GET", 1)));
        assert_eq!(name("*2\r\n$6\r\nCONFIG\r\n$9\r\n"), None);
        assert_eq!(name("*1\r\n$10\r\nCONFIG SET\r\n"), None);
    }
}
