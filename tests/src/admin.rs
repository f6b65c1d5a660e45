//! What a server knows, asked without the client under test.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

/// A connection of the tests' own, in RESP2.
#[derive(Debug)]
pub struct Admin {
    stream: BufReader<TcpStream>,
}

/// An answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// A status or a string.
    Text(String),
    /// An error.
    Error(String),
    /// An integer.
    Number(i64),
    /// Nothing.
    Nil,
    /// An array.
    List(Vec<Self>),
}

/// What a server has counted of one command.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Calls {
    /// That were executed.
    pub executed: u64,
    /// That were not.
    pub rejected: u64,
    /// That were executed and ended in an error.
    pub failed: u64,
}

impl Answer {
    /// How many lines of text.
    fn lines(&self) -> usize {
        match self {
            Self::Text(text) => text.lines().count(),
            other => panic!("no text: {other:?}"),
        }
    }
}

impl Admin {
    /// Connects.
    ///
    /// # Panics
    ///
    /// When there is no server, as all of this does when the server does not answer as it should.
    pub fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("connecting to the server");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a limit for reads");
        stream.set_nodelay(true).expect("no delay");
        Self { stream: BufReader::new(stream) }
    }

    /// Sends a command, words separated by blanks, without waiting. What stands behind a tab is one word.
    pub fn tell(&mut self, command: &str) {
        let (front, last) = command.split_once('\t').unzip();
        let words: Vec<&str> = front.unwrap_or(command).split(' ').chain(last).collect();
        self.tell_words(&words);
    }

    /// Sends a command, word by word, without waiting.
    pub fn tell_words(&mut self, words: &[&str]) {
        let mut bytes = format!("*{}\r\n", words.len());
        words.iter().for_each(|word| bytes += &format!("${}\r\n{word}\r\n", word.len()));
        self.stream.get_mut().write_all(bytes.as_bytes()).expect("sending a command");
    }

    /// Sends a command, and waits for the answer.
    pub fn ask(&mut self, command: &str) -> Answer {
        self.tell(command);
        self.hear()
    }

    /// A command that must not be answered by an error.
    pub fn done(&mut self, command: &str) -> Answer {
        let answer = self.ask(command);
        assert!(!matches!(answer, Answer::Error(_)), "{command}: {answer:?}");
        answer
    }

    /// The next answer.
    pub fn hear(&mut self) -> Answer {
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
    pub fn info(&mut self, section: &str) -> HashMap<String, String> {
        let Answer::Text(text) = self.done(&format!("INFO {section}")) else { panic!("INFO is text") };
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// What the server has counted of a command, named in lower case.
    pub fn calls(&mut self, command: &str) -> Calls {
        let stats = self.info("commandstats");
        let text = stats.get(&format!("cmdstat_{command}")).map_or("", String::as_str);
        let count = |name: &str| {
            let value = text.split(',').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            value.map_or(0, |value| value.parse().expect("a count"))
        };
        Calls { executed: count("calls"), rejected: count("rejected_calls"), failed: count("failed_calls") }
    }

    /// Waits until every other client is gone: what they sent is executed, or never will be.
    pub fn wait_until_alone(&mut self) {
        let start = Instant::now();
        loop {
            // Who has subscribed to something is of another type.
            let lists = ["normal", "pubsub"].map(|kind| self.done(&format!("CLIENT LIST TYPE {kind}")));
            let clients: usize = lists.iter().map(Answer::lines).sum();
            if clients == 1 {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(10), "others do not leave: {lists:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }
}
