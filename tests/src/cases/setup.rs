//! Fresh state before each run: a connection that sends commands and looks only for errors.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A connection to the server of a table, for the commands before each run.
pub(super) struct Setup {
    stream: BufReader<TcpStream>,
    auth: bool,
}

/// What every run starts with. `RESETSTAT` and `SLOWLOG` are for the reports.
const FRESH: &[&[&str]] = &[
    &["FLUSHALL"],
    &["SCRIPT", "FLUSH"],
    &["FUNCTION", "FLUSH"],
    &["CONFIG", "RESETSTAT"],
    &["ACL", "LOG", "RESET"],
    &["SLOWLOG", "RESET"],
    &["LATENCY", "RESET"],
];

impl Setup {
    /// Connects; `auth` is for the server with a password.
    pub(super) fn connect(addr: SocketAddr, auth: bool) -> Self {
        let stream = TcpStream::connect(addr).expect("connecting for the setup");
        stream.set_read_timeout(Some(Duration::from_secs(10))).expect("setting a time limit");
        Self { stream: BufReader::new(stream), auth }
    }

    /// Empties the server and runs the commands of a case.
    ///
    /// # Panics
    ///
    /// When one of them is an error: the table is wrong.
    pub(super) fn fresh(&mut self, commands: &[Vec<Vec<u8>>]) {
        let mut sent: Vec<_> = FRESH.iter().map(|words| command(words)).collect();
        sent.extend_from_slice(commands);
        self.send(&sent);
    }

    /// Runs commands.
    ///
    /// # Panics
    ///
    /// When one of them is an error: the table is wrong.
    pub(super) fn send(&mut self, commands: &[Vec<Vec<u8>>]) {
        let mut sent = Vec::new();
        if self.auth {
            sent.push(command(&["AUTH", "sesame"]));
        }
        sent.extend_from_slice(commands);
        let mut bytes = Vec::new();
        for words in &sent {
            encode(words, &mut bytes);
        }
        self.stream.get_mut().write_all(&bytes).expect("sending the setup");
        for words in &sent {
            self.reply(words);
        }
    }

    /// Reads one reply and everything inside it.
    fn reply(&mut self, words: &[Vec<u8>]) {
        let mut left = 1_u64;
        while left > 0 {
            left -= 1;
            let mut line = String::new();
            self.stream.read_line(&mut line).expect("reading a reply of the setup");
            let (kind, rest) = line.trim_end().split_at_checked(1).expect("a reply of the setup");
            match kind {
                "-" => panic!("setup {}: {rest}", words.concat().escape_ascii()),
                "$" => {
                    let length: i64 = rest.parse().expect("a length");
                    if let Ok(length) = usize::try_from(length) {
                        let mut skipped = vec![0; length + 2];
                        std::io::Read::read_exact(&mut self.stream, &mut skipped)
                            .expect("reading a reply of the setup");
                    }
                }
                "*" => left += rest.parse::<i64>().expect("a count").max(0).unsigned_abs(),
                _ => {}
            }
        }
    }
}

fn command(words: &[&str]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.as_bytes().to_vec()).collect()
}

/// A command as an array of bulk strings.
fn encode(words: &[Vec<u8>], bytes: &mut Vec<u8>) {
    bytes.extend_from_slice(format!("*{}\r\n", words.len()).as_bytes());
    for word in words {
        bytes.extend_from_slice(format!("${}\r\n", word.len()).as_bytes());
        bytes.extend_from_slice(word);
        bytes.extend_from_slice(b"\r\n");
    }
}
