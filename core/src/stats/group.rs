//! Groups of commands that are counted together, as data.

use crate::command::{Access, Command};

/// Commands that are counted together.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Group {
    /// Its name, for metrics.
    pub name: &'static str,
    /// Which commands.
    pub members: Members,
}

/// Which commands are in a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Members {
    /// Those whose row says so.
    Access(Access),
    /// These, by their names in upper case: `GET`, `CONFIG GET`.
    Commands(&'static [&'static str]),
    /// All.
    Any,
}

/// What reads, writes, administers, concerns the connection, and the rest: commands without a row.
pub const BY_ACCESS: &[Group; 5] = &[
    Group { name: "read", members: Members::Access(Access::ReadOnly) },
    Group { name: "write", members: Members::Access(Access::Write) },
    Group { name: "admin", members: Members::Access(Access::Admin) },
    Group { name: "connection", members: Members::Access(Access::Connection) },
    Group { name: "other", members: Members::Any },
];

impl Group {
    /// Whether the command is one of them.
    pub fn has(&self, command: &Command) -> bool {
        match self.members {
            Members::Access(access) => command.access == access,
            Members::Commands(names) => {
                names.iter().any(|name| name.split(' ').eq(command.words.iter().copied()))
            }
            Members::Any => true,
        }
    }
}
