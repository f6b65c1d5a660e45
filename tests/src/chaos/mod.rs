//! Chaos: clients with callers of every kind under one fault after the other, and what came of it.
//!
//! What was executed is read from the server's own ledger, by a connection that shares nothing with the
//! client. The rows are the table of faults; for each one [`run`] says how many answers were wrong, how many
//! requests were executed twice, lost, or executed although they were said not to be, and who had to wait
//! longer than was agreed; what subscribers have missed without being told; and what became of the items of
//! bulks.

pub mod apart;
mod book;
mod callers;
mod faults;
mod loads;
mod news;
mod press;
mod process;
mod report;
mod round;
mod rows;
mod scene;
mod work;

use std::time::{Duration, Instant};

pub use book::{Claim, Tally, Verdict};
pub use callers::{Caller, plain, together};
pub use loads::Loads;
pub use news::Heard;
pub use process::{Usage, processor_time};
pub use report::{Line, table};
pub use round::Round;
pub use rows::{ROWS, Row};
pub use work::{Deed, Ended, Mix, Readers};

use scene::Scene;
pub use scene::{executed, seed};

/// How long a caller may wait beyond his deadline, without the machine's own noise.
pub const GRACE: Duration = Duration::from_millis(50);

/// Runs one row for about so long, and at least once.
///
/// # Panics
///
/// When the server or the system does not do its part.
#[must_use]
pub fn run(row: &'static Row, seed: u64, span: Duration) -> Line {
    let start = Instant::now();
    let mut line = Line::new(row);
    let mut scene = Scene::new(row, seed);
    for round in 0.. {
        let played = scene.play(round);
        let is_stuck = played.stuck > 0;
        line.add(played);
        if is_stuck || start.elapsed() >= span {
            break;
        }
    }
    line
}
