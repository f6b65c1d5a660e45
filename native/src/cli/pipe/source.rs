//! Commands from a stream of bytes: lines with quotes, or RESP arrays of strings, mixed as they come.

use respire_core::command::{Command, Request};
use respire_core::resp::{ArgSink, Frame, Kind, Limits, Reply, Scanner};

use crate::cli::quoting;

/// The longest line. Larger commands come as RESP, whose lengths say how much to keep.
const LONGEST_LINE: usize = 1 << 20;

/// The largest command: what one frame to the server may take.
const LARGEST: usize = 512 << 20;

/// Bytes that were read, and how far they were understood.
pub(super) struct Source {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
    /// Where to go on looking for the end of a line, from `start`.
    searched: usize,
    scanner: Scanner,
    words: quoting::Words,
    /// The line that `start` stands in, from 1.
    line: u64,
    found: Option<Found>,
}

/// The command that was found last, and how many bytes it takes.
#[derive(Clone, Copy)]
enum Found {
    Line { len: usize },
    Frame { frame: Frame },
}

/// A command.
pub(super) enum Item<'a> {
    /// Words of a line.
    Line(&'a quoting::Words),
    /// An array of strings.
    Frame(Array<'a>),
}

/// A RESP array of strings, to be sent as it came.
#[derive(Clone, Copy)]
pub(super) struct Array<'a>(Reply<'a>);

impl Source {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            start: 0,
            end: 0,
            searched: 0,
            scanner: Scanner::new(Limits::SERVER),
            words: quoting::Words::default(),
            line: 1,
            found: None,
        }
    }

    /// Room for `len` bytes more.
    pub(super) fn room(&mut self, len: usize) -> &mut [u8] {
        if self.start > 0 {
            self.bytes.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
        }
        if self.bytes.len() < self.end + len {
            self.bytes.resize(self.end + len, 0);
        }
        &mut self.bytes[self.end..]
    }

    /// `n` bytes of the room were filled.
    pub(super) const fn filled(&mut self, n: usize) {
        self.end += n;
    }

    /// Finds the next command: the line it starts at. `None` asks for more bytes; `ended` says that
    /// there are none.
    pub(super) fn next(&mut self, ended: bool) -> Result<Option<u64>, String> {
        self.pass();
        loop {
            let rest = &self.bytes[self.start..self.end];
            match rest.first() {
                None => return Ok(None),
                Some(b'*') => return self.frame(ended),
                Some(_) => {}
            }
            let newline = rest[self.searched..].iter().position(|&byte| byte == b'\n');
            let len = match newline {
                Some(at) => self.searched + at + 1,
                None if ended => rest.len(),
                None if rest.len() > LONGEST_LINE => {
                    return Err(format!(
                        "line {} is longer than 1 MiB: large commands come as RESP",
                        self.line
                    ));
                }
                None => {
                    self.searched = rest.len();
                    return Ok(None);
                }
            };
            self.searched = 0;
            if self.words.parse(&rest[..len]).is_err() {
                return Err(format!("line {}: unbalanced quotes", self.line));
            }
            self.found = Some(Found::Line { len });
            if !self.words.is_empty() {
                return Ok(Some(self.line));
            }
            self.pass();
        }
    }

    /// The command that was found.
    pub(super) fn item(&self) -> Item<'_> {
        match self.found {
            Some(Found::Frame { frame }) => {
                Item::Frame(Array(Reply::new(&self.bytes[self.start..self.end], frame)))
            }
            _ => Item::Line(&self.words),
        }
    }

    fn frame(&mut self, ended: bool) -> Result<Option<u64>, String> {
        let rest = &self.bytes[self.start..self.end];
        let wrong = |why: &str| Err(format!("line {}: {why}", self.line));
        match self.scanner.scan(rest) {
            Ok(Some(frame)) => {
                let mut elements = Reply::new(rest, frame).elements().into_iter().flatten();
                if elements.any(|element| element.map_or(true, |element| element.kind() != Kind::Bulk)) {
                    return wrong("a command is an array of strings");
                }
                self.found = Some(Found::Frame { frame });
                Ok(Some(self.line))
            }
            Ok(None) if ended => wrong("the last command is not whole"),
            Ok(None) if rest.len() > LARGEST || self.scanner.over().is_some() => {
                wrong("the command is larger than 512 MiB")
            }
            Ok(None) => Ok(None),
            Err(error) => wrong(&error.to_string()),
        }
    }

    /// Leaves the command that was found behind.
    fn pass(&mut self) {
        let len = match self.found.take() {
            None => return,
            Some(Found::Line { len }) => {
                self.line += 1;
                len
            }
            Some(Found::Frame { frame }) => {
                let bytes = &self.bytes[self.start..self.start + frame.len];
                self.line += bytes.iter().filter(|&&byte| byte == b'\n').count() as u64;
                frame.len
            }
        };
        self.start += len;
    }
}

impl Request for Array<'_> {
    type Reply<'r> = Reply<'r>;

    fn command(&self) -> &'static Command {
        let mut words = self.0.elements().into_iter().flatten().flatten();
        let mut word = || words.next().and_then(Reply::as_bytes).unwrap_or_default();
        Command::lookup(word(), word())
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        for element in self.0.elements().into_iter().flatten().flatten() {
            sink.arg(element.as_bytes().unwrap_or_default());
        }
    }
}

impl Request for quoting::Words {
    type Reply<'r> = Reply<'r>;

    fn command(&self) -> &'static Command {
        let mut words = self.iter();
        let mut word = || words.next().unwrap_or_default();
        Command::lookup(word(), word())
    }

    fn visit<S: ArgSink + ?Sized>(&self, sink: &mut S) {
        self.iter().for_each(|word| sink.arg(word));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A command as its words, with its line.
    type Found = (u64, Vec<Vec<u8>>);

    fn commands(input: &[u8], chunk: usize) -> Result<Vec<Found>, String> {
        #[derive(Default)]
        struct Collect(Vec<Vec<u8>>);
        impl ArgSink for Collect {
            fn arg(&mut self, bytes: &[u8]) {
                self.0.push(bytes.to_vec());
            }
        }
        let mut source = Source::new();
        let mut found = Vec::new();
        let mut pieces = input.chunks(chunk);
        loop {
            let piece = pieces.next().unwrap_or_default();
            source.room(piece.len())[..piece.len()].copy_from_slice(piece);
            source.filled(piece.len());
            while let Some(line) = source.next(piece.is_empty())? {
                let mut words = Collect::default();
                match source.item() {
                    Item::Line(line) => line.visit(&mut words),
                    Item::Frame(array) => array.visit(&mut words),
                }
                found.push((line, words.0));
            }
            if piece.is_empty() {
                return Ok(found);
            }
        }
    }

    #[test]
    fn lines_and_frames_mix_however_they_arrive() {
        let input = b"SET a \"1 2\"\r\n\n*2\r\n$3\r\nGET\r\n$3\r\na\nb\r\nPING\n*1\r\n$4\r\nPING\r\nGET 'b'";
        let word = |text: &str| text.as_bytes().to_vec();
        let expected = vec![
            (1, vec![word("SET"), word("a"), word("1 2")]),
            (3, vec![word("GET"), word("a\nb")]),
            (9, vec![word("PING")]),
            (10, vec![word("PING")]),
            (13, vec![word("GET"), word("b")]),
        ];
        for chunk in 1..=input.len() {
            assert_eq!(commands(input, chunk), Ok(expected.clone()), "in pieces of {chunk}");
        }
    }

    #[test]
    fn what_is_no_command_is_named_by_its_line() {
        for (input, error) in [
            (&b"PING\n*x\r\n"[..], "line 2: a length is not a plain decimal number in range"),
            (b"*1\r\n:1\r\n", "line 1: a command is an array of strings"),
            (b"\n\nSET \"a\n", "line 3: unbalanced quotes"),
            (b"PING\n*1\r\n$536870913\r\n", "line 2: the command is larger than 512 MiB"),
            (b"*2\r\n$3\r\nGET\r\n", "line 1: the last command is not whole"),
        ] {
            assert_eq!(commands(input, 3), Err(error.to_owned()));
        }
    }
}
