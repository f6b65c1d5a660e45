//! Transactions: <https://redis.io/docs/latest/commands/?group=transactions>, Redis 7.0.

use super::table::commands;
use super::{Effect, Keys};
use crate::resp::{Done, Reply, Seq};

commands! {
    /// Transactions.
    trait TransactionCommands;

    /// Forgets what was queued since MULTI.
    CONNECTION "DISCARD" => Discard discard() { Effect::EndMulti } -> Done;
    /// Runs what was queued since MULTI: the answers, or nothing if a watched key had changed.
    WRITE "EXEC" => Exec exec() { Effect::EndMulti } as T -> Option<Seq<'r, Reply<'r>>>;
    /// From the answer on, queues commands until EXEC.
    CONNECTION "MULTI" => Multi multi() { Effect::Multi } -> Done;
    /// Forgets what is watched.
    CONNECTION "UNWATCH" => Unwatch unwatch() { Effect::Unwatch } -> Done;
    /// Lets the next EXEC fail if one of `keys` has changed by then.
    CONNECTION "WATCH" => Watch<'a> watch(keys: Keys<'a>) { Effect::Watch } -> Done;
}
