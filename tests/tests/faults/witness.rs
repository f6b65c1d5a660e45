//! What the server knows, asked without the client under test.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use respire_tests::{Builder, Kind, Server};

/// A Redis 7.0 that writes down what it executes before it answers, unless it is missing.
pub(crate) fn recording() -> Option<Builder> {
    Kind::Redis70.available_or_skip().then(|| {
        let builder = Server::builder(Kind::Redis70).args(["--appendonly", "yes", "--appendfsync", "no"]);
        builder.args(["--auto-aof-rewrite-percentage", "0"])
    })
}

/// A connection of the tests' own, in RESP2.
pub(crate) struct Admin {
    stream: BufReader<TcpStream>,
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Text(String),
    Error(String),
    Number(i64),
    Nil,
    List(Vec<Self>),
}

/// What a server has counted of one command.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) struct Calls {
    pub(crate) executed: u64,
    pub(crate) rejected: u64,
    pub(crate) failed: u64,
}

impl Admin {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("connecting to the server");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit for reads");
        stream.set_nodelay(true).expect("no delay");
        Self { stream: BufReader::new(stream) }
    }

    /// Sends a command, words separated by blanks, without waiting. What stands behind a tab is one word.
    pub(crate) fn tell(&mut self, command: &str) {
        let (front, last) = command.split_once('\t').unzip();
        let words: Vec<&str> = front.unwrap_or(command).split(' ').chain(last).collect();
        self.tell_words(&words);
    }

    /// Sends a command, word by word, without waiting.
    pub(crate) fn tell_words(&mut self, words: &[&str]) {
        let mut bytes = format!("*{}\r\n", words.len());
        words.iter().for_each(|word| bytes += &format!("${}\r\n{word}\r\n", word.len()));
        self.stream.get_mut().write_all(bytes.as_bytes()).expect("sending a command");
    }

    pub(crate) fn ask(&mut self, command: &str) -> Answer {
        self.tell(command);
        self.hear()
    }

    /// A command that must not be answered by an error.
    pub(crate) fn done(&mut self, command: &str) -> Answer {
        let answer = self.ask(command);
        assert!(!matches!(answer, Answer::Error(_)), "{command}: {answer:?}");
        answer
    }

    /// The next answer.
    pub(crate) fn hear(&mut self) -> Answer {
        let mut line = String::new();
        self.stream.read_line(&mut line).expect("an answer of the server");
        let (kind, rest) = line.trim_end().split_at_checked(1).expect("an answer of the server");
        let number = || rest.parse::<i64>().expect("a number");
        match kind {
            "+" => Answer::Text(rest.to_owned()),
            "-" => Answer::Error(rest.to_owned()),
            ":" => Answer::Number(number()),
            "$" => match usize::try_from(number()) {
                Ok(len) => {
                    let mut bytes = vec![0; len + 2];
                    self.stream.read_exact(&mut bytes).expect("the rest of an answer");
                    bytes.truncate(len);
                    Answer::Text(String::from_utf8_lossy(&bytes).into_owned())
                }
                Err(_) => Answer::Nil,
            },
            "*" => Answer::List((0..number()).map(|_| self.hear()).collect()),
            other => panic!("no answer starts with {other}"),
        }
    }

    /// What INFO says in one section, name by name.
    pub(crate) fn info(&mut self, section: &str) -> HashMap<String, String> {
        let Answer::Text(text) = self.done(&format!("INFO {section}")) else { panic!("INFO is text") };
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// What the server has counted of a command, named in lower case.
    pub(crate) fn calls(&mut self, command: &str) -> Calls {
        let stats = self.info("commandstats");
        let text = stats.get(&format!("cmdstat_{command}")).map_or("", String::as_str);
        let count = |name: &str| {
            let value = text.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            value.map_or(0, |value| value.parse().expect("a count"))
        };
        Calls { executed: count("calls"), rejected: count("rejected_calls"), failed: count("failed_calls") }
    }

    /// Waits until every other client is gone: what they sent is executed, or never will be.
    pub(crate) fn wait_until_alone(&mut self) {
        until("the server to be left alone", || {
            let Answer::Text(list) = self.done("CLIENT LIST TYPE normal") else { panic!("a list is text") };
            list.lines().count() == 1
        });
    }
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
