//! The server: <https://redis.io/docs/latest/commands/?group=server>, Redis 7.0.

use super::table::commands;
use super::{Arg, Effect, Key};
use crate::resp::{Done, Map, Reply};

commands! {
    /// The server.
    trait ServerCommands;

    /// Saves all data in the background.
    ADMIN "BGSAVE" => BgSave bg_save() -> Done;
    /// How many commands the server knows.
    READONLY "COMMAND" "COUNT" => CommandCount command_count() -> i64;
    /// The settings whose names match `pattern`.
    ADMIN "CONFIG" "GET" => ConfigGet<'a> config_get(pattern: Arg<'a>) as T -> Map<'r, &'r str, &'r str>;
    /// Starts all statistics at zero.
    ADMIN "CONFIG" "RESETSTAT" => ConfigResetStat config_reset_stat() -> Done;
    /// Changes a setting.
    ADMIN "CONFIG" "SET" => ConfigSet<'a> config_set(name: Arg<'a>, value: Arg<'a>) -> Done;
    /// How many keys the database has.
    READONLY "DBSIZE" => DbSize dbsize() -> i64;
    /// Deletes every key of every database.
    WRITE "FLUSHALL" => FlushAll flush_all() -> Done;
    /// Deletes every key of this database.
    WRITE "FLUSHDB" => FlushDb flush_db() -> Done;
    /// What the server says of itself, in lines.
    READONLY "INFO" => Info info() as T -> &'r str;
    /// One section of [`info`]: `server`, `memory`, `keyspace` …
    READONLY "INFO" => InfoSection<'a> info_section(section: Arg<'a>) as T -> &'r str;
    /// When the data was saved last, in seconds since 1970.
    ADMIN "LASTSAVE" => LastSave last_save() -> i64;
    /// The bytes that `key` and its value take, or nothing.
    READONLY "MEMORY" "USAGE" => MemoryUsage<'a> memory_usage(key: Key<'a>) -> Option<i64>;
    /// From the answer on, pushes a line for every command that anyone runs.
    ADMIN "MONITOR" => Monitor monitor() { Effect::Monitor } -> Done;
    /// The server's place in replication: `master`, `slave` or `sentinel`, then what belongs to it.
    ADMIN "ROLE" => Role role() as T -> Reply<'r>;
    /// The server's clock: seconds since 1970 and microseconds.
    READONLY "TIME" => Time time() -> (i64, i64);
}
