//! The rows of the large table, sorted by name within each file.

mod data;
mod modules;
mod server;

use super::Retry;
use super::rules::Rule;
use crate::error::Author;

/// Every row there is.
pub(super) static TABLES: [&[Row]; 3] = [data::ROWS, server::ROWS, modules::ROWS];

/// What is known of a command.
pub(super) struct Row {
    /// Its name in upper case; two words with a space between them.
    pub(super) name: &'static str,
    /// What becomes of it when it is executed twice, unless its arguments say otherwise.
    pub(super) retry: Retry,
    /// What they may say.
    pub(super) rule: Rule,
    /// Whether a replica refuses it, or cannot know.
    pub(super) write: bool,
    /// Who may have chosen the words of an error.
    pub(super) author: Author,
}

/// A command that writes no data.
const fn row(name: &'static str, retry: Retry) -> Row {
    Row { name, retry, rule: Rule::None, write: false, author: Author::Server }
}

/// A command that reads data.
const fn reads(name: &'static str) -> Row {
    row(name, Retry::ReadOnly)
}

/// A command that writes data.
const fn writes(name: &'static str, retry: Retry) -> Row {
    Row { write: true, ..row(name, retry) }
}

/// A command that writes data, and whose arguments matter.
const fn depends(name: &'static str, retry: Retry, rule: Rule) -> Row {
    Row { write: true, rule, ..row(name, retry) }
}

/// A command that runs the words of others.
const fn speaks(name: &'static str, retry: Retry, write: bool) -> Row {
    Row { write, author: Author::Anyone, ..row(name, retry) }
}
