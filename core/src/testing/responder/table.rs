//! The command table: everything the server knows, in one place.

use super::call::Call;
use super::commands;
use super::fault::Done;
use alloc::vec::Vec;

/// One command, or one subcommand.
pub(crate) struct Command {
    /// In lower case; a subcommand has its container's name and `|` in front.
    pub(crate) name: &'static str,
    /// How many arguments it takes with its own name; if negative, at least
    /// so many.
    pub(crate) arity: i32,
    pub(crate) flags: u8,
    pub(crate) run: fn(&mut Call<'_>) -> Done,
    /// What may follow as the second word, if anything has to.
    pub(crate) subcommands: &'static [Self],
}

/// Allowed before a password was given.
pub(crate) const NO_AUTH: u8 = 1;
/// Allowed to a RESP2 client that has subscriptions.
pub(crate) const PUBSUB: u8 = 1 << 1;
/// Run at once even after MULTI.
pub(crate) const UNQUEUED: u8 = 1 << 2;
/// Not there in a server from before HELLO.
pub(crate) const RECENT: u8 = 1 << 3;

/// The groups that make up the table.
const GROUPS: &[&[Command]] = &[
    commands::connection::COMMANDS,
    commands::client::COMMANDS,
    commands::server::COMMANDS,
    commands::generic::COMMANDS,
    commands::expire::COMMANDS,
    commands::string::COMMANDS,
    commands::counter::COMMANDS,
    commands::hash::COMMANDS,
    commands::list::COMMANDS,
    commands::set::COMMANDS,
    commands::zset::COMMANDS,
    commands::zrange::COMMANDS,
    commands::scan::COMMANDS,
    commands::transaction::COMMANDS,
    commands::pubsub::COMMANDS,
];

impl Command {
    /// A command without flags or subcommands.
    pub(crate) const fn new(name: &'static str, arity: i32, run: fn(&mut Call<'_>) -> Done) -> Self {
        Self { name, arity, flags: 0, run, subcommands: &[] }
    }

    /// With `flags`.
    pub(crate) const fn flags(mut self, flags: u8) -> Self {
        self.flags = flags;
        self
    }

    /// With `subcommands`.
    pub(crate) const fn with(mut self, subcommands: &'static [Self]) -> Self {
        self.subcommands = subcommands;
        self
    }

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Whether it takes `count` arguments, its own name included.
    pub(crate) fn takes(&self, count: usize) -> bool {
        let bound = usize::try_from(self.arity.unsigned_abs()).unwrap_or(usize::MAX);
        if self.arity < 0 { count >= bound } else { count == bound }
    }

    /// The subcommand called `word`, in any case.
    pub(crate) fn subcommand(&self, word: &[u8]) -> Option<&'static Self> {
        self.subcommands.iter().find(|sub| {
            let (_, name) = sub.name.split_once('|').unwrap_or_default();
            word.eq_ignore_ascii_case(name.as_bytes())
        })
    }
}

/// The commands by name.
pub(crate) struct Table {
    sorted: Vec<Known>,
}

/// A command, and how often it was asked for.
struct Known {
    command: &'static Command,
    calls: u64,
}

/// No command has a longer name.
const NAME_LIMIT: usize = 32;

impl Table {
    pub(crate) fn new() -> Self {
        let commands = GROUPS.iter().copied().flatten();
        let mut sorted: Vec<Known> = commands.map(|command| Known { command, calls: 0 }).collect();
        sorted.sort_unstable_by_key(|known| known.command.name);
        Self { sorted }
    }

    /// The command called `name`, in any case; counted as a call of it.
    pub(crate) fn call(&mut self, name: &[u8]) -> Option<&'static Command> {
        let mut lower = [0; NAME_LIMIT];
        let lower = lower.get_mut(..name.len())?;
        lower.copy_from_slice(name);
        lower.make_ascii_lowercase();
        let found = self.sorted.binary_search_by(|known| known.command.name.as_bytes().cmp(lower)).ok()?;
        let known = self.sorted.get_mut(found)?;
        known.calls = known.calls.wrapping_add(1);
        Some(known.command)
    }

    pub(crate) fn len(&self) -> usize {
        self.sorted.len()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &'static Command> {
        self.sorted.iter().map(|known| known.command)
    }

    /// The commands that were called, with how often.
    pub(crate) fn calls(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let called = self.sorted.iter().filter(|known| known.calls > 0);
        called.map(|known| (known.command.name, known.calls))
    }

    /// Starts counting anew.
    pub(crate) fn forget_calls(&mut self) {
        for known in &mut self.sorted {
            known.calls = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{NAME_LIMIT, Table};
    use alloc::vec::Vec;

    #[test]
    fn names_are_lower_case_short_and_unique() {
        let mut table = Table::new();
        for pair in table.sorted.windows(2) {
            assert!(pair[0].command.name < pair[1].command.name);
        }
        let commands: Vec<_> = table.iter().collect();
        for command in commands {
            assert_eq!(command.name, command.name.to_ascii_lowercase());
            assert!(command.name.len() < NAME_LIMIT);
            for sub in command.subcommands {
                let prefix = sub.name.split_once('|').map(|(prefix, _)| prefix);
                assert_eq!(prefix, Some(command.name));
            }
            let upper = command.name.to_ascii_uppercase();
            assert!(table.call(upper.as_bytes()).is_some());
        }
    }
}
