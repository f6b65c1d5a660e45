//! Who plays an attack: a server over bytes, without a socket.

use std::collections::VecDeque;
use std::time::Duration;

use respire_core::resp::{Limits, Reply, Scanner};

use super::{Attack, Manner, Says};

/// The protocol that an adversary speaks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Spoken {
    /// It does not know `HELLO`.
    Resp2,
    /// It does.
    Resp3,
}

/// One connection of a hostile server.
///
/// `HELLO` is answered as the protocol demands, `AUTH`, `CLIENT` and `SELECT` by `OK`, `PING` and
/// `ECHO` truly; any other command by the attack.
#[derive(Debug)]
pub struct Adversary {
    attack: &'static Attack,
    spoken: Spoken,
    /// `HELLO` is answered by the attack, too.
    at_once: bool,
    received: Vec<u8>,
    says: VecDeque<Saying>,
    /// What was said of the first saying.
    said: Place,
    closes: bool,
    /// It has said all that it ever will.
    silent: bool,
}

#[derive(Debug)]
enum Saying {
    Answer(Vec<u8>),
    Attack,
}

/// A place in bytes to say: the part, how often it was said, and how much of it then.
#[derive(Clone, Copy, Debug, Default)]
struct Place {
    part: usize,
    times: u64,
    at: usize,
}

impl Adversary {
    /// A connection that was just accepted.
    #[must_use]
    pub fn new(attack: &'static Attack, spoken: Spoken) -> Self {
        let greeting = (attack.manner == Manner::Greeting).then_some(Saying::Attack);
        Self {
            attack,
            spoken,
            at_once: false,
            received: Vec::new(),
            says: greeting.into_iter().collect(),
            said: Place::default(),
            closes: false,
            silent: false,
        }
    }

    /// The same, but the attack is the answer to `HELLO` already.
    #[must_use]
    pub fn at_once(self) -> Self {
        Self { at_once: true, ..self }
    }

    /// Takes what the client sent.
    pub fn receive(&mut self, bytes: &[u8]) {
        self.received.extend_from_slice(bytes);
        let mut start = 0;
        let mut scanner = Scanner::new(Limits::SERVER);
        while let Ok(Some(frame)) = scanner.scan(&self.received[start..]) {
            let request = Reply::new(&self.received[start..], frame);
            let words: Vec<Vec<u8>> = request.get().unwrap_or_default();
            if !self.silent {
                self.says.push_back(self.answer(&words));
            }
            start += frame.len;
        }
        self.received.drain(..start);
    }

    /// Puts what it says next into `room`, and how long it waits before: nothing if it is silent.
    pub fn say(&mut self, room: &mut [u8]) -> (usize, Duration) {
        let Some(saying) = self.says.front() else { return (0, Duration::ZERO) };
        let whole = &mut *room;
        let begins = matches!(self.said, Place { part: 0, times: 0, at: 0 });
        let (parts, room, pause) = match saying {
            Saying::Answer(bytes) => (&[(bytes.as_slice(), 1)][..], whole, Duration::ZERO),
            Saying::Attack => {
                let (room, pause) = match self.attack.manner {
                    Manner::Drip(pause) => (&mut whole[..1], pause),
                    Manner::Late(pause) if begins => (whole, pause),
                    _ => (whole, Duration::ZERO),
                };
                match &self.attack.says {
                    Says::Bytes(bytes) => (&[(*bytes, 1)][..], room, pause),
                    Says::Parts(parts) => (*parts, room, pause),
                }
            }
        };
        let n = self.said.fill(parts, room);
        if self.said.part == parts.len() {
            let attack = matches!(saying, Saying::Attack);
            self.said = Place::default();
            self.says.pop_front();
            if attack && matches!(self.attack.manner, Manner::Last | Manner::Close) {
                self.closes = self.attack.manner == Manner::Close;
                self.silent = true;
                self.says.clear();
            }
            if n == 0 {
                return self.say(room);
            }
        }
        (n, pause)
    }

    /// Whether it closes the connection now.
    #[must_use]
    pub const fn closes(&self) -> bool {
        self.closes
    }

    fn answer(&self, words: &[Vec<u8>]) -> Saying {
        let name = words.first().map(|word| word.to_ascii_uppercase()).unwrap_or_default();
        Saying::Answer(match (name.as_slice(), self.spoken) {
            (b"HELLO", _) if self.at_once => return Saying::Attack,
            (b"HELLO", Spoken::Resp2) => b"-ERR unknown command 'HELLO'\r\n".to_vec(),
            (b"HELLO", Spoken::Resp3) => b"%1\r\n$5\r\nproto\r\n:3\r\n".to_vec(),
            (b"AUTH" | b"CLIENT" | b"SELECT", _) => b"+OK\r\n".to_vec(),
            (b"PING", _) => b"+PONG\r\n".to_vec(),
            (b"ECHO", _) => {
                let text = words.get(1).map(Vec::as_slice).unwrap_or_default();
                [format!("${}\r\n", text.len()).as_bytes(), text, b"\r\n"].concat()
            }
            _ if self.attack.manner == Manner::Greeting => b"+fine\r\n".to_vec(),
            _ => return Saying::Attack,
        })
    }
}

impl Place {
    /// Fills `room` from here on; says how far.
    fn fill(&mut self, parts: &[(&[u8], u64)], room: &mut [u8]) -> usize {
        let mut filled = 0;
        while let Some(&(bytes, times)) = parts.get(self.part) {
            if self.times == times || bytes.is_empty() {
                *self = Self { part: self.part + 1, ..Self::default() };
                continue;
            }
            let n = (bytes.len() - self.at).min(room.len() - filled);
            room[filled..filled + n].copy_from_slice(&bytes[self.at..self.at + n]);
            filled += n;
            self.at += n;
            if self.at == bytes.len() {
                self.at = 0;
                self.times += 1;
            } else {
                break;
            }
        }
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hostile::Outcome;

    #[test]
    fn parts_are_said_in_any_pieces() {
        const PARTS: Attack =
            Attack::long(1, "x", &[(b"a", 1), (b"", 3), (b"bcd", 3), (b"e", 2)], Outcome::Stalls);
        for size in 1..20 {
            let mut adversary = Adversary::new(&PARTS, Spoken::Resp2);
            adversary.receive(b"*1\r\n$1\r\nX\r\n*2\r\n$4\r\necho\r\n$2\r\nhi\r\n");
            let (mut all, mut room) = (Vec::new(), vec![0; size]);
            while let (n @ 1.., Duration::ZERO) = adversary.say(&mut room) {
                all.extend_from_slice(&room[..n]);
            }
            assert_eq!(all, b"abcdbcdbcdee$2\r\nhi\r\n", "{size}");
            assert_eq!(PARTS.says.len(), 12);
            assert_eq!(PARTS.says.to_vec(), b"abcdbcdbcdee");
        }
    }
}
