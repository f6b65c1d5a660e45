//! Values larger than the transmit buffer, on their way out.

use alloc::vec;
use alloc::vec::Vec;

use super::encode::transmit_some;
use super::request::Args;
use super::seeds::Seeds;
use crate::buffer::{Growing, Storage};
use crate::command::{Later, raw};
use crate::conn::{Config, Connection, Protocol, Settings, SubmitError, Token};
use crate::error::Full;
use crate::time::Instant;

/// Values supplied later or lent to the writer, in any pieces, through any tiny buffer, with any partial
/// writes, between requests without such values: the wire carries what a naive writer writes.
///
/// # Panics
/// If it does not, or if nobody can go on.
pub fn stream_out(data: &[u8]) {
    let mut seeds = Seeds(data);
    let (grows, room) = (seeds.byte() % 2 == 1, 64 + usize::from(seeds.byte()));
    let wishes = (0..=seeds.byte() % 6).map(|_| Wish::read(&mut seeds)).collect();
    if grows {
        Player::new(Growing::new(64, 64), Growing::new(64, room), wishes).play(seeds);
    } else {
        let (mut receive, mut transmit) = ([0; 64], vec![0; room]);
        Player::new(&mut receive[..], &mut transmit[..], wishes).play(seeds);
    }
}

/// A request to be made.
struct Wish {
    name: Vec<u8>,
    tail: Vec<u8>,
    value: Vec<u8>,
    /// Supplied later, or sent with it.
    later: bool,
}

impl Wish {
    fn read(seeds: &mut Seeds<'_>) -> Self {
        let (name, tail, later) = (seeds.byte() % 40, seeds.byte() % 90, seeds.byte());
        let len = if later % 4 == 0 { seeds.long() } else { seeds.byte().into() };
        let len = if cfg!(miri) { len % 200 } else { len };
        // No two bytes in a row are the same, nor are two values.
        let value = (0..=250).cycle().skip(later.into()).take(len).collect();
        Self { name: vec![b'n'; name.into()], tail: vec![b't'; tail.into()], value, later: later % 8 < 6 }
    }
}

struct Player<S: Storage> {
    connection: Connection<S, 8>,
    limit: usize,
    wishes: Vec<Wish>,
    /// Which wish is next; the one before it may still be owed bytes.
    next: usize,
    wire: Vec<u8>,
    wanted: Vec<u8>,
}

impl<S: Storage> Player<S> {
    fn new(receive: S, transmit: S, wishes: Vec<Wish>) -> Self {
        let limit = transmit.limit();
        let mut connection = Connection::new(receive, transmit, Config::default());
        let settings = Settings { protocol: Some(Protocol::Resp2), ..Settings::default() };
        assert!(connection.start(Instant::ZERO, &settings).is_ok());
        Self { connection, limit, wishes, next: 0, wire: Vec::new(), wanted: Vec::new() }
    }

    fn play(mut self, mut seeds: Seeds<'_>) {
        while !seeds.is_empty() {
            let step = seeds.byte();
            match step % 4 {
                0 => self.submit(),
                1 => self.supply(1 + usize::from(step / 4)),
                2 => self.supply(64 * usize::from(step / 4)),
                3 if step >= 192 => self.lend(usize::from(step / 4) - 48, usize::MAX),
                3 if step >= 128 => self.lend(usize::MAX, 4 * (usize::from(step / 4) - 32)),
                _ => transmit_some(&mut self.connection, 1 + usize::from(step / 4), &mut self.wire),
            }
        }
        // What the steps left over is done in the end.
        while self.next < self.wishes.len() || self.connection.owed() > 0 {
            let before = (self.next, self.connection.owed(), self.wire.len());
            self.submit();
            self.supply(usize::MAX);
            transmit_some(&mut self.connection, 1000, &mut self.wire);
            let after = (self.next, self.connection.owed(), self.wire.len());
            assert_ne!(before, after, "nobody can go on");
        }
        transmit_some(&mut self.connection, usize::MAX, &mut self.wire);
        assert_eq!(self.connection.poll_transmit(), b"");
        assert!(self.wire == self.wanted, "{} bytes instead of {}", self.wire.len(), self.wanted.len());
    }

    fn submit(&mut self) {
        let Some(wish) = self.wishes.get(self.next) else { return };
        let Wish { name, tail, value, later } = wish;
        let held = self.connection.poll_transmit().len();
        let before = self.connection.owed();
        let plain = raw("SET").arg(&name[..]).arg(&value[..]).arg(&tail[..]);
        let streamed = raw("SET").arg(&name[..]).arg(Later(value.len() as u64)).arg(&tail[..]);
        let token = Token(self.next as u64);
        let (taken, len) = if *later {
            let taken = self.connection.submit(Instant::ZERO, token, &streamed);
            (taken, Args::of(&streamed).frame().len())
        } else {
            (self.connection.submit(Instant::ZERO, token, &plain), Args::of(&plain).frame().len())
        };
        let verdict = match len {
            _ if before > 0 => Err(SubmitError::Owed),
            _ if len > self.limit => Err(Full::TooLarge.into()),
            _ if held + len > self.limit => Err(Full::Transmit.into()),
            _ => Ok(()),
        };
        assert_eq!(taken, verdict);
        match taken {
            Ok(()) => {
                let owed = if *later { value.len() as u64 } else { 0 };
                assert_eq!(self.connection.owed(), owed);
                self.wanted.extend(Args::of(&plain).frame());
                self.next += 1;
            }
            Err(error) => {
                assert_eq!((self.connection.poll_transmit().len(), self.connection.owed()), (held, before));
                self.next += usize::from(error == Full::TooLarge.into());
            }
        }
    }

    /// What is owed, or what nobody wants.
    fn rest(&self) -> Vec<u8> {
        let owed = self.connection.owed() as usize;
        let value = self.next.checked_sub(1).and_then(|at| self.wishes.get(at));
        let value = value.map_or(&[][..], |wish| &wish.value);
        if owed > 0 { value.get(value.len() - owed..).unwrap_or_default().into() } else { b"?".into() }
    }

    /// Lends up to `lent` bytes, and the socket takes up to `n`.
    fn lend(&mut self, lent: usize, n: usize) {
        let (owed, rest) = (self.connection.owed(), self.rest());
        let lent = rest.get(..lent).unwrap_or(&rest);
        let [head, middle, end] = self.connection.poll_transmit_lent(lent);
        assert_eq!(head, self.connection.poll_transmit());
        assert!(end.is_empty() || middle.len() as u64 == owed, "the end before its frame");
        let of_it = n.saturating_sub(head.len()).min(middle.len());
        let all = [head, middle, end].concat();
        let sent = all.get(..n).unwrap_or(&all);
        self.wire.extend_from_slice(sent);
        assert_eq!(self.connection.handle_transmitted_lent(sent.len()), of_it);
        assert_eq!(self.connection.owed(), owed - of_it as u64);
    }

    fn supply(&mut self, n: usize) {
        let (owed, rest) = (self.connection.owed(), self.rest());
        let idle = self.connection.poll_transmit().is_empty();
        let taken = self.connection.supply(rest.get(..n).unwrap_or(&rest));
        assert_eq!(self.connection.owed(), owed - taken as u64);
        assert!(taken > 0 || !idle || owed == 0 || n == 0, "nobody can go on");
    }
}
