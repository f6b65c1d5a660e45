//! What the server knows, asked without the client under test.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

pub(crate) use respire_tests::admin::{Admin, Answer};
use respire_tests::{Builder, Kind, Server};

/// A Redis 7.0 that writes down what it executes before it answers, unless it is missing.
pub(crate) fn recording() -> Option<Builder> {
    Kind::Redis70.available_or_skip().then(|| {
        let builder = Server::builder(Kind::Redis70).args(["--appendonly", "yes", "--appendfsync", "no"]);
        builder.args(["--auto-aof-rewrite-percentage", "0"])
    })
}

/// How often each short word stands in what a server has executed; once counted for each command.
pub(crate) fn executions(server: &Server) -> HashMap<Vec<u8>, usize> {
    let mut written = Written::of(server);
    written.read_on();
    written.counts
}

/// The append-only file of a server, read on as it grows.
pub(crate) struct Written {
    path: PathBuf,
    read: u64,
    /// How often each short word stands in it; once counted for each command.
    pub(crate) counts: HashMap<Vec<u8>, usize>,
}

impl Written {
    /// The file of a server that has not rewritten it.
    pub(crate) fn of(server: &Server) -> Self {
        let path = server.dir().join("appendonlydir/appendonly.aof.1.incr.aof");
        Self { path, read: 0, counts: HashMap::new() }
    }

    /// Counts what was written since. The server has nothing to do.
    pub(crate) fn read_on(&mut self) {
        let mut file = File::open(&self.path).expect("an append-only file");
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(self.read)).expect("the place to read on");
        file.read_to_end(&mut bytes).expect("an append-only file");
        self.read += bytes.len() as u64;
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            let mut words: Vec<&[u8]> = (0..header(&mut rest, b'*')).map(|_| word(&mut rest)).collect();
            words.sort_unstable();
            words.dedup();
            for word in words.into_iter().filter(|word| word.len() < 64) {
                *self.counts.entry(word.to_vec()).or_default() += 1;
            }
        }
    }
}

/// The next word of a command.
fn word<'a>(bytes: &mut &'a [u8]) -> &'a [u8] {
    let len = header(bytes, b'$');
    let (word, behind) = bytes.split_at(len);
    *bytes = behind.strip_prefix(b"\r\n").expect("the end of a word");
    word
}

/// The number behind this byte, and its line end.
fn header(bytes: &mut &[u8], kind: u8) -> usize {
    let end = bytes.iter().position(|&byte| byte == b'\n').expect("whole lines");
    let line = &bytes[..end - 1];
    let digits = line.strip_prefix(&[kind]).unwrap_or_else(|| panic!("{}", line.escape_ascii()));
    *bytes = &bytes[end + 1..];
    str::from_utf8(digits).expect("digits").parse().expect("a number")
}

/// Waits until `done`, at most ten seconds.
pub(crate) fn until(what: &str, mut done: impl FnMut() -> bool) {
    let start = Instant::now();
    while !done() {
        assert!(start.elapsed() < Duration::from_secs(10), "waiting for {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

pub(crate) const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}
