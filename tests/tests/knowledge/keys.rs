//! The table of keys against `COMMAND`, `COMMAND INFO` and `COMMAND GETKEYS` of the servers.

use std::collections::BTreeSet;

use respire::resp::Value;
use respire_core::command::{ArgRole, Args, Roles};

use crate::support::{array, ask_words, everywhere, frame, run, split, text};

/// Lines whose keys stand where only the arguments say.
const MOVING: &str = "
    EVAL s 2 a b c | EVALSHA s 1 a b | EVAL_RO s 1 a | EVALSHA_RO s 1 a | FCALL f 1 a b | FCALL_RO f 1 a
    ZUNIONSTORE d 2 a b WEIGHTS 1 2 | ZINTERSTORE d 1 a | ZDIFFSTORE d 2 a b | ZUNION 2 a b WITHSCORES | ZINTER 1 a
    ZDIFF 2 a b | ZINTERCARD 2 a b LIMIT 1 | SINTERCARD 2 a b LIMIT 1 | ZMPOP 2 a b MIN COUNT 3 | LMPOP 1 a LEFT
    BZMPOP 0 2 a b MIN | BLMPOP 0 1 a LEFT | MSETEX 2 a 1 b 2 EX 9 | MSETEX 1 a 1 NX
    XREAD STREAMS a 0 | XREAD COUNT 1 BLOCK 5 STREAMS a b 0 0 | XREAD streams a b c 0 0 0
    XREADGROUP GROUP STREAMS STREAMS STREAMS a > | XREADGROUP GROUP g c COUNT 1 NOACK STREAMS a b > >
    SORT a | SORT a BY w_* GET # GET x_* STORE d | SORT a GET STORE STORE d | SORT a BY STORE LIMIT 0 9 STORE d
    SORT a LIMIT STORE 3 STORE d | SORT a STORE | SORT_RO a BY w_* STORE d | SORT a DESC ALPHA STORE d
    GEORADIUS a 1 2 3 m STORE d | GEORADIUS a 1 2 3 m STOREDIST d | GEORADIUS a 1 2 3 m WITHCOORD
    GEORADIUS a STORE 2 3 m STORE d | GEORADIUSBYMEMBER a STORE 3 m STORE d | GEORADIUSBYMEMBER a m 3 m
    GEORADIUS_RO a 1 2 3 m STORE d | GEORADIUSBYMEMBER_RO a m 3 m STORE d
    MIGRATE h 1 k 0 9 COPY REPLACE | MIGRATE h 1 k 0 9 AUTH KEYS | MIGRATE h 1 k 0 9 AUTH2 KEYS p
    COPY a b DB 3 REPLACE | MOVE a 3 | XGROUP CREATE s g $ MKSTREAM | XINFO STREAM s FULL | XINFO HELP
    OBJECT FREQ k | OBJECT HELP | MEMORY USAGE k SAMPLES 5 | MEMORY DOCTOR | BITOP NOT d a | PFDEBUG ENCODING k
    BLPOP a b 0 | BZPOPMAX a 0 | SET k v EX 9 | MSET a 1 b 2 | MSETNX a 1 | KEYS k | SCAN 0 MATCH k* | SWAPDB 0 1";

/// The keys that the table finds; `None` for a command that it does not know.
fn keys(words: &[&str]) -> Option<Vec<String>> {
    let bytes = frame(words);
    let roles = Args::new(&bytes).roles()?;
    let keys = roles.filter(|(role, _)| *role == ArgRole::Key);
    Some(keys.map(|(_, key)| String::from_utf8_lossy(key).into_owned()).collect())
}

/// The keys that the server finds; `None` if it takes no such request.
fn told(answer: &Value) -> Option<Vec<String>> {
    match answer {
        Value::Error(error) => {
            let none = error.to_string().contains("has no key arguments");
            none.then(Vec::new)
        }
        keys => Some(array(keys).iter().map(text).collect()),
    }
}

/// S0-OPT-05: whatever is a key by the servers' key specs is one by the table, and nothing else.
#[test]
fn the_servers_find_the_same_keys() {
    everywhere(|kind, _, client| {
        let mut compared = 0;
        let mut compare = |words: &[&str]| {
            let asked = [&["COMMAND", "GETKEYS"], words].concat();
            let Some(theirs) = told(&ask_words(client, &asked)) else { return };
            let ours = keys(words).unwrap_or_else(|| panic!("{kind}: {words:?} is not known"));
            assert_eq!(ours, theirs, "{kind}: {words:?}");
            compared += 1;
        };
        for line in MOVING.split(['|', '\n']).map(str::trim).filter(|line| !line.is_empty()) {
            compare(&split(line));
        }
        // A key that is not there; those behind KEYS.
        compare(&["MIGRATE", "h", "1", "", "0", "9", "KEYS", "a", "b"]);
        compare(&["MIGRATE", "h", "1", "", "0", "9", "AUTH", "KEYS", "KEYS", "a"]);
        compare(&["MIGRATE", "h", "1", "", "0", "9", "AUTH2", "KEYS", "KEYS", "COPY", "KEYS", "a"]);

        // Every command with as many arguments as it takes, and some more, all different or all numbers.
        let names = names(&run(client, "COMMAND"));
        for (name, arity) in &names {
            let least = arity.unsigned_abs() as usize;
            let most = if *arity < 0 { least + 4 } else { least };
            for count in least..=most {
                let letters: Vec<_> = ('a'..='z').map(String::from).collect();
                for filler in [None, Some("1"), Some("2")] {
                    let mut words = split(name);
                    let more = count.saturating_sub(words.len());
                    words.extend(letters.iter().take(more).map(|letter| filler.unwrap_or(letter)));
                    compare(&words);
                }
            }
        }
        assert!(compared > 2000, "{kind}: {compared}");
    });
}

/// What has a row here is known, and what the table knows to be without keys is it for the servers, too.
#[test]
fn the_servers_have_no_command_without_a_row() {
    everywhere(|kind, _, client| {
        let unknown: BTreeSet<_> = names(&run(client, "COMMAND"))
            .into_iter()
            .filter(|(name, _)| Roles::of(split(name)[0].as_bytes(), 1).is_none())
            .map(|(name, _)| name)
            .collect();
        assert!(unknown.is_empty(), "{kind}: {unknown:?}");
    });
}

/// Every command and subcommand, and how many words it takes.
fn names(reply: &Value) -> Vec<(String, i64)> {
    let mut names = Vec::new();
    for entry in array(reply) {
        let subcommands = array(&array(entry)[9]);
        for entry in subcommands.iter().chain([entry]) {
            let Value::Integer(arity) = array(entry)[1] else { panic!("{entry:?}") };
            names.push((text(&array(entry)[0]).to_ascii_uppercase().replace('|', " "), arity));
        }
    }
    names
}
