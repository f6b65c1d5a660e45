//! One attack, in one protocol and cut in one way, behind a socket.

use std::fmt;

use respire_tests::Peer;
use respire_tests::hostile::{Attack, Cut, Spoken, serve};

#[derive(Clone, Copy)]
pub(crate) struct Case {
    pub(crate) attack: &'static Attack,
    pub(crate) spoken: Spoken,
    pub(crate) cut: Cut,
}

impl Case {
    /// The server that plays it.
    pub(crate) fn peer(self) -> Peer {
        let Self { attack, spoken, cut } = self;
        Peer::new(move |_, stream| {
            // The client ends it as soon as it has seen enough.
            let _ = serve(stream, attack, spoken, cut);
        })
    }
}

impl fmt::Debug for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}, cut {:?}", self.spoken, self.cut)
    }
}
