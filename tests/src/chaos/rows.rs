//! The faults: how each is made, and who calls meanwhile.

use std::time::Duration;

use super::GRACE;
use super::faults::{cannot_save, fail_over, lose_packets};
use super::scene::Scene;
use super::work::{Mix, Readers};
use crate::proxy::{Act, At, Random, Script};

/// One fault.
#[derive(Debug)]
pub struct Row {
    /// Its number in the table of faults.
    pub number: u8,
    /// What goes wrong.
    pub name: &'static str,
    /// How it is made here.
    pub how: &'static str,
    pub(super) mix: Mix,
    /// How many requests a client has room for.
    pub(super) calls: usize,
    /// More arguments for the server.
    pub(super) server: &'static [&'static str],
    /// Whether it takes a network of its own: see [`apart`](super::apart).
    pub apart: bool,
    /// How long a connection may owe an answer.
    pub(super) patience: Duration,
    /// What the proxy does, if there is one.
    pub(super) script: Option<fn(&mut Random) -> Script>,
    pub(super) fault: fn(&mut Scene),
    /// How long a caller may wait beyond his deadline, without the machine's own noise.
    pub(super) grace: Duration,
    /// No read may take as long, of the client that only reads.
    pub(super) read_within: Option<Duration>,
}

/// A few of everything, with subscribers and bulks beside.
const FULL: Mix = Mix { news: true, bulks: true, ..Mix::USUAL };

const USUAL: Row = Row {
    number: 0,
    name: "",
    how: "",
    mix: FULL,
    calls: 2048,
    server: &[],
    apart: false,
    patience: Duration::from_secs(5),
    script: None,
    fault: |scene| scene.rest(500),
    grace: GRACE,
    read_within: None,
};

/// Callers who wait so long only that a fault is longer.
const HASTY: Mix = Mix { timeout: (30, 150), ..FULL };

/// It is on the disk before it is answered.
const DURABLE: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];

/// All of them.
pub const ROWS: &[Row] = &[
    Row {
        number: 3,
        name: "cancel at every step",
        how: "futures dropped after 0 to 5 looks",
        mix: Mix { cancel: 2, ..FULL },
        ..USUAL
    },
    Row {
        number: 4,
        name: "reply lost, connection cut",
        how: "proxy",
        script: Some(|random| each(random, |n, _, script| script.replies(At::Before(n), Act::Cut))),
        ..USUAL
    },
    Row {
        number: 5,
        name: "half a request, then cut",
        how: "proxy",
        script: Some(|random| each(random, |n, byte, script| script.requests(At::Within(n, byte), Act::Cut))),
        ..USUAL
    },
    Row {
        number: 6,
        name: "reply later than its deadline",
        how: "proxy",
        mix: HASTY,
        script: Some(|random| {
            each(random, |n, byte, script| {
                let wait = Act::Wait(Duration::from_millis(100 + 10 * byte as u64));
                script.replies(At::Before(n), wait.clone()).replies(At::Within(2 * n, 2), wait)
            })
        }),
        ..USUAL
    },
    Row {
        number: 7,
        name: "hang",
        how: "SIGSTOP for 300 ms",
        mix: HASTY,
        fault: |scene| {
            scene.rest(100);
            scene.server.signal("-STOP");
            scene.rest(300);
            scene.server.signal("-CONT");
            scene.round.over();
            scene.rest(200);
        },
        ..USUAL
    },
    Row {
        number: 8,
        name: "crash",
        how: "kill -9, start again with its log",
        server: DURABLE,
        fault: |scene| {
            scene.rest(150);
            scene.server.kill();
            scene.rest(50);
            scene.server.start_again(&[]);
            scene.meet_again();
            scene.round.over();
            scene.rest(200);
        },
        ..USUAL
    },
    Row {
        number: 9,
        name: "CLIENT KILL storm",
        how: "all connections, 20 times a second",
        fault: |scene| {
            for _ in 0..12 {
                scene.rest(50);
                scene.order("CLIENT KILL TYPE normal SKIPME yes");
                scene.order("CLIENT KILL TYPE pubsub");
            }
            scene.round.over();
        },
        ..USUAL
    },
    Row {
        number: 10,
        name: "CLIENT PAUSE WRITE",
        how: "600 ms; one client only reads",
        mix: Mix { readers: Readers::One, blocking: 0, ..FULL },
        fault: |scene| {
            scene.rest(100);
            scene.order("CLIENT PAUSE 600 WRITE");
            scene.rest(600);
            scene.round.over();
            scene.rest(100);
        },
        read_within: Some(Duration::from_millis(500)),
        ..USUAL
    },
    Row {
        number: 11,
        name: "BUSY",
        how: "a script without end for 300 ms, subscribers cut off before",
        server: &["--busy-reply-threshold", "50"],
        fault: |scene| {
            scene.rest(100);
            let mut other = scene.other();
            // Whoever subscribes again meanwhile is refused at first.
            scene.order("CLIENT KILL TYPE pubsub");
            other.tell_words(&["EVAL", "while true do end", "0"]);
            scene.rest(300);
            scene.order("SCRIPT KILL");
            other.hear();
            scene.round.over();
            scene.rest(200);
        },
        ..USUAL
    },
    Row {
        number: 12,
        name: "LOADING",
        how: "kill -9, start again with --key-load-delay",
        server: DURABLE,
        fault: |scene| {
            scene.rest(100);
            scene.server.kill();
            let slow = ["--key-load-delay", "400", "--loading-process-events-interval-bytes", "1024"];
            scene.server.start_again(&slow);
            scene.meet_again();
            scene.round.over();
            scene.rest(200);
        },
        ..USUAL
    },
    Row {
        number: 13,
        name: "READONLY",
        how: "REPLICAOF for 300 ms, and back",
        fault: |scene| {
            scene.rest(100);
            scene.order("REPLICAOF 127.0.0.1 1");
            scene.rest(300);
            scene.order("REPLICAOF NO ONE");
            scene.round.over();
            scene.rest(200);
        },
        ..USUAL
    },
    Row {
        number: 13,
        name: "FAILOVER",
        how: "to a replica for 300 ms, and back; callers block for 2 s",
        mix: Mix { timeout: (3000, 4000), blocking: 20, block: 2000, ..FULL },
        fault: |scene| {
            scene.rest(100);
            fail_over(scene, 300);
        },
        ..USUAL
    },
    Row {
        number: 18,
        name: "nothing comes through",
        how: "proxy: the connection stays and is silent (no firewall)",
        mix: HASTY,
        patience: Duration::from_secs(1),
        script: Some(|random| {
            first(6, random, |n, byte, script| {
                if byte % 2 == 0 {
                    script.requests(At::Within(n, byte), Act::Stall)
                } else {
                    script.replies(At::Within(n, byte), Act::Stall)
                }
            })
        }),
        fault: |scene| scene.rest(1000),
        ..USUAL
    },
    Row {
        number: 19,
        name: "RST",
        how: "proxy",
        script: Some(|random| {
            each(random, |n, byte, script| {
                if byte % 2 == 0 {
                    script.requests(At::Within(n, byte), Act::Reset)
                } else {
                    script.replies(At::Within(n, byte), Act::Reset)
                }
            })
        }),
        ..USUAL
    },
    Row {
        number: 20,
        name: "a slow line",
        how: "proxy: 600 bytes at a time",
        mix: Mix { timeout: (100, 1000), ..FULL },
        script: Some(|_| {
            let slow = || Act::Pace(600, Duration::from_micros(300));
            Script::new().requests(At::Start, slow()).replies(At::Start, slow())
        }),
        ..USUAL
    },
    Row {
        number: 20,
        name: "packets lost",
        how: "nft: one in ten, both ways, for 1.5 s, in a network of its own",
        apart: true,
        // To draw a line between who is meant and who is not.
        script: Some(|_| Script::new()),
        fault: |scene| lose_packets(scene, 10, 1500),
        ..USUAL
    },
    Row {
        number: 21,
        name: "a bit of an answer flipped",
        // Of an integer one bit makes a push, which takes the next answer with it: nobody can know that. The answers
        // here are strings.
        // The same goes for the name of a channel.
        how: "proxy; all answers are strings; no subscribers",
        mix: Mix { readers: Readers::All, blocking: 0, news: false, ..FULL },
        script: Some(|random| {
            each(random, |n, byte, script| script.replies(At::Within(n, byte), Act::Flip((n % 8) as u8)))
        }),
        ..USUAL
    },
    Row {
        number: 22,
        name: "maxclients",
        how: "--maxclients 5, later more",
        // Two of them are not for clients.
        server: &["--maxclients", "5"],
        fault: |scene| {
            scene.order("CONFIG SET maxclients 5");
            scene.rest(400);
            scene.order("CONFIG SET maxclients 200");
            scene.round.over();
            scene.rest(200);
        },
        ..USUAL
    },
    Row {
        number: 23,
        name: "OOM",
        how: "maxmemory 1 for 300 ms",
        fault: |scene| {
            scene.rest(100);
            scene.order("CONFIG SET maxmemory 1");
            scene.rest(300);
            scene.order("CONFIG SET maxmemory 0");
            scene.round.over();
            scene.rest(200);
        },
        ..USUAL
    },
    Row {
        number: 23,
        name: "MISCONF",
        how: "its folder is gone: it cannot save, for 300 ms",
        server: &["--enable-protected-configs", "yes"],
        fault: |scene| {
            scene.rest(100);
            cannot_save(scene, 300);
        },
        ..USUAL
    },
    Row {
        number: 24,
        name: "answers larger than the server keeps",
        how: "client-output-buffer-limit 300 KB",
        mix: Mix { large: 2, ..FULL },
        fault: |scene| {
            scene.order("CONFIG SET client-output-buffer-limit\tnormal 300000 0 0 pubsub 300000 0 0");
            scene.rest(400);
            scene.order("CONFIG SET client-output-buffer-limit\tnormal 0 0 0 pubsub 0 0 0");
            scene.round.over();
            scene.rest(200);
        },
        ..USUAL
    },
    Row {
        number: 27,
        name: "more calls than there is room for",
        how: "400 tasks of a client with room for 256 calls and 16 connections; some block",
        mix: Mix { tasks: 400, timeout: (200, 2000), blocking: 20, apart: 20, ..FULL },
        calls: 256,
        // Tasks that are woken at once wait for each other: for the only thread of their runtime.
        grace: Duration::from_secs(1),
        fault: |scene| scene.rest(1000),
        ..USUAL
    },
    Row {
        number: 28,
        name: "panics in closures",
        how: "one answer in five of those that threads read",
        mix: Mix { panics: 5, ..FULL },
        ..USUAL
    },
    Row {
        number: 31,
        name: "whatever chance brings",
        how: "proxy: waits, stalls, cuts, resets and pushes of a seed",
        mix: Mix { timeout: (50, 500), pipelines: 5, ..FULL },
        patience: Duration::from_secs(1),
        script: Some(|random| Script::random(random.below(u64::from(u32::MAX)))),
        fault: |scene| scene.rest(1000),
        ..USUAL
    },
];

/// One fault for each of the first connections, later and later, then none.
fn each(random: &mut Random, fault: impl FnMut(u64, usize, Script) -> Script) -> Script {
    first(24, random, fault)
}

/// The same for so many connections.
fn first(count: usize, random: &mut Random, mut fault: impl FnMut(u64, usize, Script) -> Script) -> Script {
    (0..count).fold(Script::new(), |script, connection| {
        let (n, byte) = (1 + random.below(300), usize::try_from(random.below(40)).unwrap_or(0));
        fault(n, byte, script.connection(connection))
    })
}
