//! The connection itself: <https://redis.io/docs/latest/commands/?group=connection>, Redis 7.0.

use super::table::commands;
use super::{Arg, Effect, Secret};
use crate::resp::{Done, Map, Reply};

commands! {
    /// The connection itself.
    trait ConnectionCommands;

    /// Proves who we are, by user name and password. Redis 6.0.
    CONNECTION "AUTH" => Auth<'a> auth(user: Arg<'a>, password: Secret<'a>) { Effect::Session } -> Done;
    /// The name of this connection, or nothing.
    CONNECTION "CLIENT" "GETNAME" => ClientGetName client_get_name() as T -> Option<&'r str>;
    /// The number of this connection, unique while the server runs.
    CONNECTION "CLIENT" "ID" => ClientId client_id() -> i64;
    /// A line about this connection. Redis 6.2.
    CONNECTION "CLIENT" "INFO" => ClientInfo client_info() as T -> &'r str;
    /// Closes another connection by its number; how many were closed.
    ADMIN "CLIENT" "KILL" "ID" => ClientKillId client_kill_id(id: i64) -> i64;
    /// A line about every connection.
    ADMIN "CLIENT" "LIST" => ClientList client_list() as T -> &'r str;
    /// Names this connection. No spaces.
    CONNECTION "CLIENT" "SETNAME" => ClientSetName<'a> client_set_name(name: Arg<'a>) { Effect::Session } -> Done;
    /// Returns `message`.
    CONNECTION "ECHO" => Echo<'a> echo(message: Arg<'a>) as T -> &'r [u8];
    /// Switches to another version of the protocol; what the server says of itself. Redis 6.0.
    CONNECTION "HELLO" => Hello hello(version: i64) { Effect::Hello } -> Map<'r, &'r str, Reply<'r>>;
    /// Asks for a sign of life: `PONG`.
    CONNECTION "PING" => Ping ping() as T -> &'r str;
    /// Ends the connection after the answer.
    CONNECTION "QUIT" => Quit quit() { Effect::Quit } -> Done;
    /// Makes the connection as good as new: RESP2, database 0, no user, no subscriptions. Redis 6.2.
    CONNECTION "RESET" => Reset reset() { Effect::Reset } -> Done;
    /// Changes to database `index`.
    CONNECTION "SELECT" => Select select(index: i64) { Effect::Select } -> Done;
}
