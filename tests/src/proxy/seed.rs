//! Scripts and choices made from a number: the same number makes the same.

use std::time::Duration;

use super::script::{Act, At, Script, Way};

/// Choices that follow from a seed.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The choices of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        // Neighbours have nothing in common after that, and none is zero.
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x6a09_e667_f3bc_c909)
    }

    /// A number below `end`, which is not zero.
    pub fn below(&mut self, end: u64) -> u64 {
        // Xorshift (<https://www.jstatsoft.org/article/view/v008i14>).
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 16) % end
    }

    /// Whether something that happens once in `n` times does.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of these.
    pub fn pick<T: Clone>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.below(of.len() as u64)).unwrap_or(0)].clone()
    }
}

impl Script {
    /// One to three faults on each of the first four connections, slow and cut to pieces or not, within
    /// the first forty frames.
    ///
    /// They are such as happen to a connection that nobody forges: it rests, stalls, ends in either
    /// manner, and a RESP3 server says something on its own account. A client must tell the truth
    /// under each of them. What nobody could notice, an answer that is lost between two others or a
    /// request that comes twice, is not among them.
    #[must_use]
    pub fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let mut script = Self::new();
        for connection in 0..4 {
            script = script.connection(connection);
            for way in [Way::Requests, Way::Replies] {
                if random.once_in(2) {
                    let pause = Duration::from_micros(random.pick(&[0, 0, 50, 300]));
                    let sizes: &[usize] = if pause.is_zero() { &[64, 500, 4000] } else { &[4000, 20_000] };
                    script = script.step(way, At::Start, Act::Pace(random.pick(sizes), pause));
                }
                // Not for long: byte by byte, a long value would take seconds.
                if random.once_in(2) {
                    let (from, frames) = (random.below(30), 1 + random.below(4));
                    let (small, large) = (random.pick(&[1, 2, 7]), random.pick(&[100, 4000]));
                    script = script.step(way, At::Before(from), Act::Pace(small, Duration::ZERO));
                    script = script.step(way, At::Before(from + frames), Act::Pace(large, Duration::ZERO));
                }
            }
            for _ in 0..=random.below(3) {
                let way = random.pick(&[Way::Requests, Way::Replies]);
                let frame = random.below(40);
                let at = match random.below(4) {
                    0 => At::Before(frame),
                    1 => At::After(frame),
                    2 => At::Within(frame, usize::try_from(random.below(40)).unwrap_or(0)),
                    // Inside of a long value.
                    _ => At::Within(frame, usize::try_from(random.below(200_000)).unwrap_or(0)),
                };
                script = match random.below(8) {
                    0 | 1 => script.step(way, at, Act::Cut),
                    2 => script.step(way, at, Act::Reset),
                    3 => script.step(way, at, Act::Stall),
                    4 => {
                        let push = Act::Inject(b">2\r\n+noise\r\n$4\r\nof 1\r\n".to_vec());
                        script.replies(At::After(frame), push)
                    }
                    _ => script.step(way, at, Act::Wait(Duration::from_millis(1 + random.below(60)))),
                };
            }
        }
        script
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_makes_one_script() {
        assert_eq!(Script::random(7), Script::random(7));
        assert_ne!(Script::random(7), Script::random(8));
    }

    #[test]
    fn every_fault_comes() {
        let text: String = (0..50).map(|seed| Script::random(seed).to_string()).collect();
        for word in ["wait", "stall", "pace", "cut", "reset", "inject", "start", "before", "within", "after"]
        {
            assert!(text.contains(word), "{word}");
        }
        for word in ["drop", "repeat", "flip"] {
            assert!(!text.contains(word), "{word}");
        }
    }
}
