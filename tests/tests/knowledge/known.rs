//! The tables against what the servers tell of their commands.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use respire::prelude::*;
use respire::resp::Value;
use respire_core::error::Author;
use respire_tests::Kind;

use crate::support::{array, everywhere, frame, run, split, text};

/// What a server tells of a command or a subcommand that can be sent.
struct Told {
    name: String,
    flags: BTreeSet<String>,
}

impl Told {
    fn is(&self, flag: &str) -> bool {
        self.flags.contains(flag)
    }

    /// The request without arguments.
    fn frame(&self) -> Vec<u8> {
        frame(&split(&self.name))
    }
}

/// Where the tables and the servers differ, and why that is right.
const DEVIATIONS: &[(&str, Deviation, &str)] = {
    use Deviation::*;
    &[
        ("EVAL", Speaks, "its errors are the script's"),
        ("EVALSHA", Speaks, "its errors are the script's"),
        ("EVAL_RO", Speaks, "its errors are the script's"),
        ("EVALSHA_RO", Speaks, "its errors are the script's"),
        ("FCALL", Speaks, "its errors are the function's"),
        ("FCALL_RO", Speaks, "its errors are the function's"),
        ("EXEC", Speaks, "there may be scripts in it"),
        ("DEBUG", Speaks, "DEBUG ERROR says whatever it is told"),
        ("EVAL", Writes, "the script decides"),
        ("EVALSHA", Writes, "the script decides"),
        ("FCALL", Writes, "the function decides"),
        ("EXEC", Writes, "the commands before it decide"),
        ("DEBUG", Writes, "DEBUG POPULATE and others do"),
        ("SORT", ReadsWithoutStore, "only STORE writes"),
        ("GEORADIUS", ReadsWithoutStore, "only STORE writes"),
        ("GEORADIUSBYMEMBER", ReadsWithoutStore, "only STORE writes"),
        ("BITFIELD", ReadsWithoutStore, "only SET and INCRBY write"),
        ("MIGRATE", Blocks, "it waits for another server, and all others wait for it"),
        ("DEBUG", Blocks, "DEBUG SLEEP, and all others wait for it"),
        ("WAIT", Blocks, "Redis 7.0 does not say so"),
        ("CLIENT PAUSE", Timeout, "it is answered at once; others wait"),
        ("CLIENT UNBLOCK", Timeout, "it is said how the other client is to be answered"),
        (
            "CLUSTER SETSLOT",
            Timeout,
            "of Valkey, while replicas are told: an operator's, and not worth a row",
        ),
        ("FAILOVER", Timeout, "it is answered at once"),
    ]
};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Deviation {
    /// An error may be in anybody's words.
    Speaks,
    /// May write, though it lacks the flag.
    Writes,
    /// Has the flag `write`, but reads when nothing more is said.
    ReadsWithoutStore,
    /// May keep its caller waiting, though it lacks the flag.
    Blocks,
    /// Has an argument with this name and keeps nobody waiting.
    Timeout,
}

/// Whether this is in the table.
fn deviates(name: &str, how: Deviation) -> bool {
    DEVIATIONS.iter().any(|&(known, what, _)| known == name && what == how)
}

#[test]
fn the_servers_agree_with_the_tables() {
    let seen = RefCell::new(BTreeSet::new());
    let reference = Cell::new(false);
    everywhere(|kind, _, client| {
        if text(&run(client, "INFO server")).contains("redis_version:7.0.") {
            reference.set(true);
        }
        let told = commands(&run(client, "COMMAND"));
        assert!(told.len() > 330, "{kind}: {} commands", told.len());
        let mut wrong = Vec::new();
        for command in &told {
            let (name, bytes) = (command.name.as_str(), command.frame());
            let args = Args::new(&bytes);
            let retry = Retry::of(args);
            let mut expect = |what: &str, is: bool, how: Option<Deviation>| match how {
                Some(how) if !is && deviates(name, how) => {
                    seen.borrow_mut().insert(format!("{name} {how:?}"));
                }
                _ if !is => wrong.push(format!("{kind}: {name} {what} {:?}", command.flags)),
                _ => {}
            };
            expect("is not known", args.author() == Author::Server, Some(Deviation::Speaks));
            expect("is_write", args.is_write() == command.is("write"), Some(Deviation::Writes));
            if command.is("readonly") {
                expect("reads", retry <= Retry::ReadOnly, None);
            }
            if command.is("write") {
                expect("writes", retry > Retry::ReadOnly, Some(Deviation::ReadsWithoutStore));
            }
            expect("blocks", may_block(name) == command.is("blocking"), Some(Deviation::Blocks));
            if command.is("noscript") && command.is("admin") && command.is("no_multi") {
                expect("is for replicas and their like", retry >= Retry::ServerAdmin, None);
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        for (name, arguments) in arguments(&run(client, "COMMAND DOCS")) {
            assert!(told.iter().any(|command| command.name == name), "{kind}: {name} is only documented");
            if !arguments.contains("timeout") && !arguments.contains("block") {
                continue;
            }
            match may_block(&name) {
                true => {}
                false if deviates(&name, Deviation::Timeout) => {
                    seen.borrow_mut().insert(format!("{name} {:?}", Deviation::Timeout));
                }
                false => panic!("{kind}: {name} has a timeout"),
            }
        }
    });
    // What no server does any more is not to be told. Some of it is an old one's, some a new one's.
    if reference.get() && Kind::Valkey91.binary().is_some() {
        for (name, how, why) in DEVIATIONS {
            assert!(seen.borrow().contains(&format!("{name} {how:?}")), "{name} {how:?}: {why}");
        }
    }
}

/// Whether there is a request of this command that blocks.
fn may_block(name: &str) -> bool {
    ["1 1 1 1 1 1", "SLEEP 1", "BLOCK 1 STREAMS s 0", "GROUP g c BLOCK 1 STREAMS s >"].iter().any(|args| {
        let bytes = frame(&split(&format!("{name} {args}")));
        Blocks::of(Args::new(&bytes)) != Blocks::No
    })
}

/// What COMMAND tells, containers without themselves.
fn commands(reply: &Value) -> Vec<Told> {
    let mut told = Vec::new();
    for entry in array(reply) {
        let subcommands = array(&array(entry)[9]);
        // `COMMAND` itself can be sent, too, though it is a container.
        if subcommands.is_empty() || text(&array(entry)[0]) == "command" {
            told.push(entry);
        }
        told.extend(subcommands);
    }
    told.iter()
        .map(|entry| {
            let name = text(&array(entry)[0]).to_ascii_uppercase().replace('|', " ");
            Told { name, flags: array(&array(entry)[2]).iter().map(text).collect() }
        })
        .collect()
}

/// Of every command that can be sent, the names and words of its arguments.
fn arguments(reply: &Value) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    let mut todo: Vec<(String, &Value)> = pairs(reply).collect();
    while let Some((name, docs)) = todo.pop() {
        let mut names = BTreeSet::new();
        let mut container = false;
        for (field, value) in pairs(docs) {
            match field.as_str() {
                "subcommands" => {
                    container = true;
                    todo.extend(pairs(value));
                }
                "arguments" => collect(value, &mut names),
                _ => {}
            }
        }
        if !container || name == "command" {
            all.insert(name.to_ascii_uppercase().replace('|', " "), names);
        }
    }
    all
}

/// Names and tokens of arguments and of those inside them.
fn collect(arguments: &Value, names: &mut BTreeSet<String>) {
    let mut todo: Vec<&Value> = array(arguments).iter().collect();
    while let Some(argument) = todo.pop() {
        for (field, value) in pairs(argument) {
            match field.as_str() {
                "name" | "token" => {
                    names.insert(text(value).to_ascii_lowercase());
                }
                "arguments" => todo.extend(array(value)),
                _ => {}
            }
        }
    }
}

/// A map, as RESP2 has it.
fn pairs(value: &Value) -> impl Iterator<Item = (String, &Value)> {
    array(value).chunks(2).map(|pair| (text(&pair[0]), &pair[1]))
}
