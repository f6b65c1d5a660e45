//! Callers of every kind: threads, and tasks in runtimes that drive the client, or do not.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

use respire::Client;

use super::book::Tally;
use super::loads::load;
use super::news::listen;
use super::round::Round;
use super::work::{Deed, Ended, perform, perform_here};
use crate::proxy::Random;

/// Who calls.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller {
    /// A thread that blocks.
    Thread,
    /// Tasks on [`respire::block_on`].
    BlockOn,
    /// Tasks on an executor that knows nothing of the client.
    Plain,
    /// Tasks of a tokio runtime on one thread, which drives nothing.
    Tokio,
    /// The same, with the client's driver.
    TokioDriven,
    /// The same, with two threads.
    TokioOfTwo,
    /// Tasks with the client's driver on the reactor of async-io.
    AsyncIo,
}

/// The clients of a round, and who calls each.
pub(super) const CLIENTS: &[&[Caller]] = &[
    &[Caller::Thread, Caller::Thread, Caller::BlockOn, Caller::Plain, Caller::Tokio],
    &[Caller::TokioOfTwo, Caller::Thread, Caller::Plain],
    &[Caller::TokioDriven],
    &[Caller::AsyncIo, Caller::Thread],
];

/// After a failure callers rest, or a server that is gone would be asked a million times.
const REST: Duration = Duration::from_millis(1);

/// Tasks that look at all others when one of them is woken must not be many.
const FEW: usize = 20;

/// One of those whom a caller is made of.
type Task = Pin<Box<dyn Future<Output = Tally> + Send>>;

impl Caller {
    /// Every kind.
    pub const ALL: [Self; 7] = [
        Self::Thread,
        Self::BlockOn,
        Self::Plain,
        Self::Tokio,
        Self::TokioDriven,
        Self::TokioOfTwo,
        Self::AsyncIo,
    ];

    /// Calls until the round is over, on this thread. `client`: which of the round's.
    ///
    /// # Panics
    ///
    /// When the system has no runtime for it.
    #[must_use]
    pub fn call(self, round: &Arc<Round>, client: usize, handle: &Client, seed: u64) -> Tally {
        let tasks = if matches!(self, Self::Tokio | Self::TokioDriven | Self::TokioOfTwo) {
            round.mix.tasks
        } else {
            round.mix.tasks.min(FEW)
        };
        let all = || {
            let tasks = (0..tasks).map(move |task| {
                let seed = seed.wrapping_add(task as u64);
                Box::pin(work(Arc::clone(round), client, handle.clone(), seed)) as Task
            });
            tasks.chain(beside(round, client, handle, seed))
        };
        match self {
            Self::Thread => thread::scope(|scope| {
                let beside = beside(round, client, handle, seed);
                let beside: Vec<_> =
                    beside.into_iter().map(|task| scope.spawn(|| respire::block_on(task))).collect();
                let mut tally = work_here(round, client, handle, seed);
                beside.into_iter().for_each(|thread| tally.add(thread.join().expect("a thread beside it")));
                tally
            }),
            Self::BlockOn => respire::block_on(tallied(all())),
            Self::Plain => plain(tallied(all())),
            Self::Tokio => tokio(1).block_on(spawned(all())),
            Self::TokioDriven | Self::TokioOfTwo => {
                let threads = if self == Self::TokioOfTwo { 2 } else { 1 };
                tokio(threads).block_on(async {
                    ::tokio::spawn(respire::tokio::driver(handle).expect("a driver"));
                    spawned(all()).await
                })
            }
            Self::AsyncIo => async_io::block_on(async {
                let mut driver = pin!(respire::async_io::driver(handle).expect("a driver"));
                let mut all = pin!(tallied(all()));
                poll_fn(|context| {
                    let _ = driver.as_mut().poll(context);
                    all.as_mut().poll(context)
                })
                .await
            }),
        }
    }
}

/// The subscriber and the bulk of a caller, if the round has any.
fn beside(round: &Arc<Round>, client: usize, handle: &Client, seed: u64) -> Vec<Task> {
    let mut tasks: Vec<Task> = Vec::new();
    // Those of a caller's tasks count from 0.
    let seed = seed.wrapping_add(1 << 15);
    if round.mix.news {
        let heard = listen(Arc::clone(round), handle.clone(), seed);
        tasks.push(Box::pin(async { Tally { heard: heard.await, ..Tally::default() } }));
    }
    if round.mix.bulks {
        let loads = load(Arc::clone(round), client, handle.clone(), seed);
        tasks.push(Box::pin(async { Tally { loads: loads.await, ..Tally::default() } }));
    }
    tasks
}

fn tokio(threads: usize) -> ::tokio::runtime::Runtime {
    let mut builder = if threads == 1 {
        ::tokio::runtime::Builder::new_current_thread()
    } else {
        ::tokio::runtime::Builder::new_multi_thread()
    };
    builder.worker_threads(threads).enable_all().build().expect("a runtime")
}

async fn spawned(all: impl Iterator<Item = Task>) -> Tally {
    let all: Vec<_> = all.map(::tokio::spawn).collect();
    let mut tally = Tally::default();
    for task in all {
        tally.add(task.await.expect("a task that does not panic"));
    }
    tally
}

async fn tallied(all: impl Iterator<Item = Task>) -> Tally {
    let mut tally = Tally::default();
    together(all).await.into_iter().for_each(|done| tally.add(done));
    tally
}

/// All of them as one future, which looks at each when it is woken. What came of them, as they ended.
pub async fn together<F: Future + Unpin>(all: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut all: Vec<_> = all.collect();
    let mut outputs = Vec::with_capacity(all.len());
    poll_fn(|context| {
        all.retain_mut(|future| match Pin::new(future).poll(context) {
            Poll::Ready(output) => {
                outputs.push(output);
                false
            }
            Poll::Pending => true,
        });
        if all.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    outputs
}

/// An executor that only sleeps.
pub fn plain<F: Future>(future: F) -> F::Output {
    struct Unpark(Thread);

    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }

    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        thread::park();
    }
}

async fn work(round: Arc<Round>, client: usize, handle: Client, seed: u64) -> Tally {
    let (mut tally, mut random) = (Tally::default(), Random::new(seed));
    for n in 0_u64.. {
        if round.is_over() {
            break;
        }
        let deeds = round.next(client, seed, n, &mut random);
        let start = Instant::now();
        let ended = perform(&handle, &deeds).await;
        if note(&round, client, &mut tally, &deeds, ended, start) {
            async_io::Timer::after(REST).await;
        }
    }
    tally
}

fn work_here(round: &Round, client: usize, handle: &Client, seed: u64) -> Tally {
    let (mut tally, mut random) = (Tally::default(), Random::new(seed));
    for n in 0_u64.. {
        if round.is_over() {
            break;
        }
        let deeds = round.next(client, seed, n, &mut random);
        let start = Instant::now();
        let ended = perform_here(handle, &deeds);
        if note(round, client, &mut tally, &deeds, ended, start) {
            thread::sleep(REST);
        }
    }
    tally
}

/// Whether there was a failure.
fn note(
    round: &Round,
    client: usize,
    tally: &mut Tally,
    deeds: &[Deed],
    ended: Vec<Ended>,
    start: Instant,
) -> bool {
    let took = start.elapsed();
    assert_eq!(deeds.len(), ended.len(), "{deeds:?}");
    let mut is_any = false;
    for (deed, ended) in deeds.iter().zip(ended) {
        let is_failure = matches!(ended, Ended::Told(Err(_)));
        let is_answered = tally.note(deed, ended, took);
        round.heard(client, is_answered, is_failure);
        is_any |= is_failure;
    }
    is_any
}
