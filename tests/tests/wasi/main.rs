//! Components against real servers, and against peers that are none, on wasmtime.
//!
//! | room | what is looked at |
//! |---|---|
//! | `cases` | the tables of `tests/tests/cli`: the component does what the native tool does |
//! | `tool` | the rest of the command line tool: loading, the demo, networks that are denied |
//! | `probe` | the client inside a component: pipelines, values of all sizes and how long they take |
//! | `hostile` | peers that misbehave, and a server that goes away |
//! | `sizes` | how large components are |
//!
//! Whatever happens, no component may trap: status 134 or a killed process fails every test.

mod cases;
mod hostile;
mod probe;
mod sizes;
mod tool;

use std::ffi::OsString;
use std::process::Command;
use std::time::Duration;

use respire_tests::{Component, Finished, Kind, Network, Server, run_with_limit};

/// The longest run moves a gigabyte or so.
const LIMIT: Duration = Duration::from_secs(120);

/// A component with what its host grants, ready to run.
struct Guest(Vec<OsString>);

impl Guest {
    fn or_skip(component: Component, network: Network) -> Option<Self> {
        component.command_or_skip(network, None).map(Self)
    }

    /// Runs it with these arguments and this input to its end, which is no trap.
    #[track_caller]
    fn run(&self, args: &[&str], stdin: &[u8]) -> Finished {
        let mut command = Command::new(&self.0[0]);
        command.args(&self.0[1..]).args(args).env_remove("REDISCLI_AUTH");
        let done = run_with_limit(&mut command, stdin, LIMIT);
        let ended = !done.timed_out && matches!(done.code(), Some(0 | 1));
        assert!(ended, "{args:?} ended with {}: {}{}", done.status, done.text(), errors(&done));
        done
    }
}

fn errors(done: &Finished) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

/// Redis 7.0, unless it is missing.
fn redis() -> Option<Server> {
    Kind::Redis70.available_or_skip().then(Server::redis)
}
