//! An engine without sockets: the test itself says what each connection reads.

use respire_core::conn::{Protocol, Settings};
use respire_core::engine::{Action, Config, Engine, Event};
use respire_core::pool::Id;
use respire_core::time::Instant;

use crate::net::{HEAP, TestEngine};

/// An engine without sockets.
pub(crate) fn alone(config: &Config) -> (TestEngine, Instant) {
    let now = Instant::from_millis(1000);
    (Engine::new(HEAP, config, now), now)
}

/// Writes what there is, and reads this. Says what was answered.
pub(crate) fn exchange(engine: &mut TestEngine, now: Instant, id: Id, text: &[u8]) -> Vec<u64> {
    let n = engine.poll_transmit(id).len();
    engine.handle_transmitted(id, n);
    engine.recv_space(id).unwrap()[..text.len()].copy_from_slice(text);
    engine.handle_received(id, text.len());
    let mut answered = Vec::new();
    while let Some(event) = engine.poll_event(now) {
        if let Event::Reply { token, .. } = event {
            answered.push(token.0);
        }
    }
    answered
}

/// Dials, and is connected.
pub(crate) fn open(engine: &mut TestEngine, now: Instant) -> Id {
    let Some(Action::Open { id, .. }) = engine.poll_action(now) else { panic!("{engine:?}") };
    let resp2 = Settings { protocol: Some(Protocol::Resp2), ..Settings::NONE };
    engine.handle_connected(now, id, &resp2).unwrap();
    assert_eq!(engine.poll_event(now), None);
    id
}
