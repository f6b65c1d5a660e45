//! The models. Each ends with all slots free, and without a thread of the client's.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use shuttle::scheduler::{PctScheduler, RandomScheduler};
use shuttle::thread;
use shuttle::{Config, Runner};

use super::actors::{
    Bell, Run, all, blocks_on, execute, gives_up, gives_up_inside, looks, may_be_refused, may_fail, moves,
    runs, runs_together, runs_until, waits, waits_until,
};
use super::block_on::block_on;
use super::world::{Readable, World};
use super::{Client, Shape};

const ROOMY: Shape = Shape { slots: 8, cancels: true, room: 8, upkeep: None };
const ONE: Shape = Shape { slots: 1, ..ROOMY };

/// Runs a model under random schedules, and under such as change seldom and at bad moments.
fn check(shape: Shape, model: fn(&Arc<World>, &Arc<Client>)) {
    check_times(1500, shape, model);
}

/// The same for what goes wrong under few schedules only.
fn check_often(shape: Shape, model: fn(&Arc<World>, &Arc<Client>)) {
    check_times(10_000, shape, model);
}

fn check_times(times: usize, shape: Shape, model: fn(&Arc<World>, &Arc<Client>)) {
    let run = move || {
        World::run(|world| {
            let client = Client::new(world, shape);
            model(world, &client);
            client.has_slots(shape);
        });
    };
    let config = || {
        let mut config = Config::default();
        // Orders of memory that are weaker than sequential are not modelled, and it says so.
        config.silence_warnings = true;
        config
    };
    let times = if cfg!(debug_assertions) { times / 10 } else { times };
    let times = std::env::var("RESPIRE_SCHEDULES").map_or(times, |times| times.parse().unwrap());
    Runner::new(RandomScheduler::new(times), config()).run(run);
    for depth in 2..5 {
        Runner::new(PctScheduler::new(depth, times / 5), config()).run(run);
    }
}

/// One leads, the others follow, and each has its own answers.
#[test]
fn threads_lead_and_follow() {
    check(ROOMY, |_, client| {
        all([waits(client, &["a", "b"]), waits(client, &["c", "d"]), waits(client, &["e"])]);
    });
}

/// Tasks drive nothing: the keeper does, and ends with the client.
#[test]
fn the_keeper_drives_for_tasks() {
    check(ROOMY, |_, client| all([runs(client, &["a", "b"]), runs(client, &["c", "d"])]));
}

/// S1-KI-04: the keeper and threads that lead take turns, whatever the schedule.
#[test]
fn threads_and_tasks_share_a_client() {
    check(ROOMY, |_, client| {
        all([waits(client, &["a", "b"]), runs(client, &["c", "d"]), waits(client, &["e"])]);
    });
}

/// Who drives in `block_on` ends while others go on.
#[test]
fn block_on_drives() {
    check(ROOMY, |_, client| all([blocks_on(client, &["a", "b"]), blocks_on(client, &["c"])]));
}

/// The same beside threads and tasks.
#[test]
fn block_on_drives_for_others() {
    check(ROOMY, |_, client| {
        all([blocks_on(client, &["a", "b"]), waits(client, &["c", "d"]), runs(client, &["e", "f"])]);
    });
}

/// A task that leaves `block_on` has somebody else who drives for it.
#[test]
fn tasks_leave_block_on() {
    check(ROOMY, |_, client| all([moves(client, "a"), moves(client, "b")]));
    check(ROOMY, |_, client| all([moves(client, "a"), gives_up(client, "b"), waits(client, &["c"])]));
}

/// A wake reaches `block_on` while the future is polled, before its thread waits for sockets, and while it does.
#[test]
fn block_on_hears_of_others() {
    check(ROOMY, |_, client| {
        let (bell, of_client) = (Arc::new(Bell::default()), Arc::clone(client));
        let listener = Arc::clone(&bell);
        let listens: Run = Box::new(move || {
            // It is never answered: its thread waits for sockets.
            let (mut call, mut rung) = (pin!(of_client.echo("silent")), pin!(listener.rung()));
            block_on(poll_fn(|context| {
                assert!(call.as_mut().poll(context).is_pending());
                rung.as_mut().poll(context)
            }));
        });
        all([listens, Box::new(move || bell.ring()), waits(client, &["a"])]);
    });
}

/// The same where there is no client.
#[test]
fn block_on_hears_while_parked() {
    check(ROOMY, |_, _| {
        let bell = Arc::new(Bell::default());
        let listener = Arc::clone(&bell);
        all([Box::new(move || block_on(listener.rung())), Box::new(move || bell.ring())]);
    });
}

/// A slot is given back once, whether the answer was quicker or its caller who turned away; who has it next has his own
/// answer.
#[test]
fn slots_that_are_abandoned_serve_again() {
    const FEW: Shape = Shape { slots: 2, ..ROOMY };
    fn model(_: &Arc<World>, client: &Arc<Client>) {
        all([gives_up(client, "a"), waits(client, &["b", "c"]), gives_up_inside(client, "d")]);
        waits(client, &["e", "f", "g"])();
    }
    check(FEW, model);
    check(Shape { cancels: false, ..FEW }, model);
}

/// What nobody waits for any more has its answer all the same, and somebody drives until then.
#[test]
fn slots_that_are_abandoned_are_driven_for() {
    fn model(_: &Arc<World>, client: &Arc<Client>) {
        all([gives_up(client, "a"), gives_up_inside(client, "b"), runs(client, &["c"])]);
    }
    check(ONE, model);
    check(Shape { cancels: false, ..ONE }, model);
}

/// A task's letter may be read by one who does not drive, when the leader who was to drive for it has gone.
#[test]
fn letters_are_driven_for() {
    check_often(ROOMY, |_, client| {
        all([runs(client, &["a"]), waits(client, &["b"]), looks(client)]);
    });
}

/// Whoever leads is told of his own answer too, if it is another who puts it there.
#[test]
fn leaders_are_told_by_others() {
    check(Shape { room: 0, ..ROOMY }, |_, client| {
        all([may_be_refused(client, "a"), may_be_refused(client, "b"), may_be_refused(client, "c")]);
    });
}

/// A thread that is to lead, and has its answer before it hears of that, lets another.
#[test]
fn the_lead_is_not_lost() {
    check_often(ROOMY, |_, client| {
        all([waits(client, &["a"]), waits_until(client, 10), waits(client, &["b"]), looks(client)]);
    });
}

/// A thread that the system fails leaves its slot to who stands in line, once the answer has come that nobody waits for.
#[test]
fn slots_come_back_from_failures() {
    fn model(world: &Arc<World>, client: &Arc<Client>) {
        world.change(|state| state.fails = true);
        all([may_fail(client, "a"), may_fail(client, "b")]);
    }
    check(ONE, model);
    check(Shape { cancels: false, ..ONE }, model);
}

/// Everybody in the line has his turn, also behind one who leaves it.
#[test]
fn the_line_moves() {
    check(ONE, |_, client| {
        all([
            waits(client, &["a", "b"]),
            gives_up(client, "c"),
            runs(client, &["d"]),
            blocks_on(client, &["e"]),
        ]);
    });
}

/// Who is refused gives his slot back, whether he asked himself or by letter.
#[test]
fn refusals_give_slots_back() {
    check(Shape { room: 1, ..ROOMY }, |_, client| {
        all([may_be_refused(client, "a"), may_be_refused(client, "b"), may_be_refused(client, "c")]);
    });
}

/// What one submitter asks for goes out in his order, whatever of it went by letter.
#[test]
fn order_is_kept() {
    check(ROOMY, |world, client| {
        all([runs_together(client, &["1", "2", "3"]), waits(client, &["a", "b"]), runs(client, &["c"])]);
        let asked = world.change(|state| state.log.concat());
        let digits = String::from_utf8(asked).unwrap().replace("$1\r\n", "");
        assert_eq!(digits.matches(|word: char| word.is_ascii_digit()).collect::<String>(), "123");
    });
}

/// Who sleeps until later is roused by a request that is due before.
#[test]
fn earlier_deadlines_rouse() {
    check(ROOMY, |_, client| {
        all([waits_until(client, 1000), waits_until(client, 100), runs_until(client, 10)]);
    });
}

/// The same if it is due before all others, and comes last; who leads may go meanwhile.
#[test]
fn deadlines_are_kept_by_somebody() {
    check(ROOMY, |_, client| {
        all([runs_until(client, 10), waits(client, &["a"]), runs_until(client, 100)]);
    });
}

/// What is due is done, also if nobody waits for it and all who led have gone.
#[test]
fn upkeep_is_done_by_somebody() {
    let upkeep = Some(Duration::from_millis(50));
    check(Shape { upkeep, ..ROOMY }, |world, client| {
        all([waits(client, &["a"]), waits(client, &["b"])]);
        world.until(|state| state.deadlines.is_empty().then_some(()));
    });
}

/// A driver in a runtime, beside others.
#[test]
fn a_runtime_drives() {
    check(ROOMY, |world, client| {
        let driver = client.driver(|_| Ok(Readable::new(world))).unwrap();
        let drives = thread::spawn(move || execute(driver));
        all([runs(client, &["a", "b"]), waits(client, &["c"]), blocks_on(client, &["d"])]);
        client.shared().go();
        drives.join().unwrap();
    });
}

/// A driver in a runtime keeps deadlines.
#[test]
fn a_runtime_keeps_deadlines() {
    check(ROOMY, |world, client| {
        let driver = client.driver(|_| Ok(Readable::new(world))).unwrap();
        let drives = thread::spawn(move || execute(driver));
        all([runs_until(client, 100), runs_until(client, 10), waits(client, &["a"])]);
        client.shared().go();
        drives.join().unwrap();
    });
}
