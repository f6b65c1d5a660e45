//! What can go wrong, and how often it does in one run.

use core::fmt;

use super::Random;

/// From one list: the enum, its names, and how rare each is at its most frequent.
macro_rules! faults {
    ($($(#[$doc:meta])+ $Kind:ident $name:literal 1 in $rarity:literal,)+) => {
        /// Something that can go wrong.
        #[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
        #[repr(u8)]
        #[non_exhaustive]
        pub enum Fault { $($(#[$doc])+ $Kind,)+ }

        impl Fault {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$Kind),+];

            /// Its name, as the transcript prints it.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$Kind => $name,)+ }
            }

            const fn rarity(self) -> u64 {
                match self { $(Self::$Kind => $rarity,)+ }
            }
        }
    };
}

faults! {
    /// A read or a write moves fewer bytes than it could, often one.
    Split "split" 1 in 2,
    /// Bytes take long to arrive.
    Delay "delay" 1 in 8,
    /// The socket takes a few bytes and then none for a while.
    TinyWindow "tiny window" 1 in 4,
    /// The server closes its side; what it sent before arrives.
    Eof "end of stream" 1 in 128,
    /// The connection is reset; what was not read is lost.
    Rst "reset" 1 in 128,
    /// All bytes of a connection vanish from now on, and nobody says so.
    HalfOpen "half open" 1 in 256,
    /// A connection will be reset at a certain byte of one direction.
    CutAt "cut at byte" 1 in 4,
    /// The server does nothing for a while.
    Stall "stall" 1 in 64,
    /// The server executes one request, and then waits.
    Slow "slow server" 1 in 16,
    /// A connection that the client has closed lives on at the server, and is executed to its end.
    Ghost "ghost" 1 in 1,
    /// The server is replaced by one with the same data.
    RestartKept "restart" 1 in 512,
    /// The server is replaced by one without data.
    RestartLost "restart, data lost" 1 in 512,
    /// For a while the server answers LOADING.
    Loading "LOADING" 1 in 128,
    /// For a while the server answers BUSY.
    Busy "BUSY" 1 in 128,
    /// For a while the server takes no writes.
    ReadOnly "READONLY" 1 in 128,
    /// For a while the server is a replica without its primary.
    MasterDown "MASTERDOWN" 1 in 128,
    /// A connection is accepted, told that there are too many, and closed.
    MaxClients "too many clients" 1 in 8,
    /// The same in protected mode.
    Denied "protected mode" 1 in 8,
    /// Nobody listens.
    ConnectRefused "connection refused" 1 in 4,
    /// The server says an error instead of the next answer, and closes.
    LastWord "last word" 1 in 128,
    /// The server says something when nothing was asked.
    Stray "unasked answer" 1 in 128,
    /// The server says something on its own account.
    Push "push" 1 in 8,
    /// A push stands inside an answer.
    PushInside "push inside an answer" 1 in 32,
    /// The length of an answer is larger than 2^32.
    HugeLength "huge length" 1 in 64,
    /// The server never answers the handshake.
    Mute "mute handshake" 1 in 8,
    /// One answer of the handshake is missing, or comes twice.
    Shift "shifted handshake" 1 in 4,
    /// The client's clock jumps forward.
    ClockForward "clock forward" 1 in 256,
    /// The client's clock jumps backward.
    ClockBackward "clock backward" 1 in 256,
    /// The timer fires when nobody asked for it.
    EarlyTimer "early timer" 1 in 16,
    /// The timer fires late.
    LateTimer "late timer" 1 in 4,
    /// A watched key is written by somebody else.
    Touch "watched key written" 1 in 16,
    /// A caller turns away from a request.
    Abandon "abandon" 1 in 16,
    /// The application closes the connection in the midst of it.
    Close "close" 1 in 128,
    /// The application says QUIT in the midst of it.
    Quit "QUIT" 1 in 32,
    /// The application says RESET.
    Reset "RESET" 1 in 32,
}

/// Some of the faults.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Faults(u64);

impl Faults {
    /// None.
    pub const NONE: Self = Self(0);
    /// All.
    pub const ALL: Self = Self((1 << Fault::ALL.len()) - 1);

    /// The set of these bits, each the place of a fault in [`Fault::ALL`].
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits & Self::ALL.0)
    }

    /// Its bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether this one is among them.
    pub const fn contains(self, fault: Fault) -> bool {
        self.0 & (1 << fault as u8) != 0
    }

    /// The same and this one.
    #[must_use]
    pub const fn with(self, fault: Fault) -> Self {
        Self(self.0 | (1 << fault as u8))
    }

    /// The same but this one.
    #[must_use]
    pub const fn without(self, fault: Fault) -> Self {
        Self(self.0 & !(1 << fault as u8))
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = Fault> {
        Fault::ALL.iter().copied().filter(move |&fault| self.contains(fault))
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut between = "";
        for fault in self.iter() {
            write!(f, "{between}{}", fault.name())?;
            between = ", ";
        }
        Ok(())
    }
}

/// How often each fault happens in one run, and how often it did.
///
/// Not all of them in every run: one that ends each connection soon would hide what takes long.
#[derive(Clone, Debug)]
pub(super) struct Swarm {
    /// Once in so many times; 0 is never.
    rates: [u64; Fault::ALL.len()],
    /// Each has its own, so that leaving one out leaves the others where they are.
    randoms: [Random; Fault::ALL.len()],
    pub(super) counts: [u32; Fault::ALL.len()],
    pub(super) calm: bool,
}

impl Swarm {
    /// Those of `allowed` that this run has: all, half, few or one.
    pub(super) fn draw(random: &mut Random, allowed: Faults) -> Self {
        let mut rates = [0; Fault::ALL.len()];
        let among = *[1, 2, 2, 6, 6].get(random.below(5) as usize).unwrap_or(&2);
        let alone = random.one_in(8).then(|| random.below(Fault::ALL.len() as u64) as usize);
        for (at, (rate, &fault)) in rates.iter_mut().zip(Fault::ALL).enumerate() {
            // Drawn for each, so that leaving one out leaves the others as they are.
            let (chosen, drawn) = (random.one_in(among), fault.rarity() << random.below(5));
            if alone.map_or(chosen, |alone| alone == at) && allowed.contains(fault) {
                *rate = drawn;
            }
        }
        let randoms = core::array::from_fn(|_| Random::new(random.bits()));
        Self { rates, randoms, counts: [0; Fault::ALL.len()], calm: false }
    }

    /// Whether it happens now. Counts it.
    pub(super) fn hit(&mut self, fault: Fault) -> bool {
        let at = fault as usize;
        let (Some(&rate), Some(random)) = (self.rates.get(at), self.randoms.get_mut(at)) else {
            return false;
        };
        let hit = rate > 0 && !self.calm && random.one_in(rate);
        if hit && let Some(count) = self.counts.get_mut(fault as usize) {
            *count += 1;
        }
        hit
    }
}

#[cfg(test)]
mod tests {
    use std::string::ToString;

    use super::*;

    #[test]
    fn a_set_says_what_is_in_it() {
        let set = Faults::NONE.with(Fault::Rst).with(Fault::Split);
        assert_eq!(set.to_string(), "split, reset");
        assert_eq!(Faults::from_bits(set.bits()), set);
        assert_eq!(set.without(Fault::Rst).iter().count(), 1);
        assert_eq!(Faults::from_bits(u64::MAX), Faults::ALL);
    }

    #[test]
    fn what_is_not_allowed_or_calmed_never_happens() {
        let mut random = Random::new(1);
        for _ in 0..10 {
            let mut swarm = Swarm::draw(&mut random, Faults::ALL.without(Fault::Rst));
            assert!((0..200).all(|_| !swarm.hit(Fault::Rst)));
            swarm.calm = true;
            assert!((0..200).all(|_| !swarm.hit(Fault::Split)));
        }
    }
}
