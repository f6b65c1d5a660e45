//! Models of the client's hand-offs: the client's own files, run under every schedule that shuttle finds, over locks, a clock, an
//! engine and a server that are the model's.
//!
//! ```sh
//! cargo test -p respire-tests --release --test models
//! ```
//!
//! `RESPIRE_SCHEDULES` says how many random schedules of each model, of which 1500 or 10000 are run as a rule, and a tenth
//! without optimisation. After a change to these files, try 20000.
//!
//! A thread or a task that waits although its answer is there, or that nobody drives, is a deadlock, and a model that does
//! not end. What is not seen here: orders of memory that are weaker than sequential, since shuttle knows no others.
#![cfg(unix)]
#![allow(dead_code, unreachable_pub, unnameable_types, missing_docs)]

mod actors;
#[path = "../../../native/src/client/block_on.rs"]
mod block_on;
#[path = "../../../native/src/client/call.rs"]
mod call;
#[path = "../../../native/src/client/desk.rs"]
mod desk;
#[path = "../../../native/src/client/inbox.rs"]
mod inbox;
#[path = "../../../native/src/client/keeper.rs"]
mod keeper;
#[path = "../../../native/src/client/lead.rs"]
mod lead;
#[path = "../../../native/src/client/line.rs"]
mod line;
mod machine;
mod models;
mod poller;
#[path = "../../../native/src/client/progress.rs"]
mod progress;
#[path = "../../../native/src/client/read.rs"]
mod read;
#[path = "../../../native/src/client/runtime.rs"]
mod runtime;
#[path = "../../../native/src/client/shared.rs"]
mod shared;
#[path = "../../../native/src/client/slots.rs"]
mod slots;
#[path = "../../../native/src/client/spares.rs"]
mod spares;
mod sync;
#[path = "../../../native/src/client/turn.rs"]
mod turn;
#[path = "../../../native/src/client/waiter.rs"]
mod waiter;
mod world;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use respire_core::command::Echo;
use respire_core::engine::Options;

use call::Call;
use machine::Core;
use poller::Poller;
use progress::Progress;
use shared::Shared;
use world::World;

type Error = respire_core::client::Error<std::io::Error>;

/// The last handle goes when it is dropped.
pub struct Client {
    shared: Arc<Shared>,
}

/// What a model's client is like.
#[derive(Clone, Copy)]
struct Shape {
    slots: usize,
    /// The engine takes requests back.
    cancels: bool,
    /// So many are on their way.
    room: usize,
    /// The engine has something to do so long after each request.
    upkeep: Option<Duration>,
}

impl Client {
    fn new(world: &Arc<World>, shape: Shape) -> Arc<Self> {
        let core = Core::new(world, shape);
        let shared = Shared::new(core, Poller::new(world), shape.slots, None, false).unwrap();
        Arc::new(Self { shared })
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    fn echo<'c>(&'c self, word: &'c str) -> Call<'c, Echo<'c>> {
        Call::new(&self.shared, respire_core::command::echo(word), None)
    }

    /// Waits for all slots: each must be given back, and only once.
    fn has_slots(&self, shape: Shape) {
        let slot = |_| Progress::new(&self.shared).slot(&Options::DEFAULT).unwrap();
        let slots: BTreeSet<u32> = (0..shape.slots).map(slot).collect();
        assert_eq!(slots.len(), shape.slots);
        assert_eq!(self.shared.slots.line.take(), None);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.shared.go();
    }
}
