//! Where the bytes of a stream are cut into pieces.

/// How a stream is cut.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Cut {
    /// As it comes.
    Whole,
    /// Into single bytes.
    Bytes,
    /// Between the two bytes of every line end, and nowhere else.
    Edges,
    /// Anywhere, by a seed.
    Random(u64),
}

impl Cut {
    /// The cuts that everything is tried with.
    pub const ALL: [Self; 6] =
        [Self::Whole, Self::Bytes, Self::Edges, Self::Random(1), Self::Random(2), Self::Random(3)];
}

/// Cuts one stream.
#[derive(Clone, Debug)]
pub struct Cutter {
    cut: Cut,
    state: u64,
}

impl Cutter {
    /// At the start of a stream.
    #[must_use]
    pub const fn new(cut: Cut) -> Self {
        let seed = if let Cut::Random(seed) = cut { seed } else { 0 };
        Self { cut, state: seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1 }
    }

    /// How many of these bytes, of which there is at least one, are the next piece.
    pub fn piece(&mut self, bytes: &[u8]) -> usize {
        let wanted = match self.cut {
            Cut::Whole => bytes.len(),
            Cut::Bytes => 1,
            Cut::Edges => bytes.iter().position(|&byte| byte == b'\r').map_or(bytes.len(), |at| at + 1),
            Cut::Random(_) => self.random(),
        };
        wanted.min(bytes.len())
    }

    /// From 1 to 31, most of them small; now and then a large one.
    fn random(&mut self) -> usize {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        match self.state % 16 {
            0..12 => 1 + (self.state >> 8) as usize % 7,
            12..15 => 1 + (self.state >> 8) as usize % 31,
            _ => 1 + (self.state >> 8) as usize % 3000,
        }
    }
}
