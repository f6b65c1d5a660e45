//! Clients that block, by one thread or by many.

use std::marker::PhantomData;
use std::thread;

use super::meter::{Lane, Meter};
use super::workload::{Command, Threads, Work, Workload};
use super::{Client, Outcome, Target};

/// What a client that blocks can do. Lengths are those of values, together.
pub(crate) trait Blocking: Sized {
    /// Connects.
    fn open(target: &Target) -> Outcome<Self>;
    /// One value.
    fn get(&mut self, key: &str) -> Outcome<usize>;
    /// Puts a value there.
    fn set(&mut self, key: &str, value: &[u8]) -> Outcome;
    /// Many values, by one command.
    fn mget(&mut self, keys: &[String]) -> Outcome<usize>;
    /// Many values, by a GET each, sent together.
    fn pipeline(&mut self, keys: &[String]) -> Outcome<usize>;
}

/// A client on one thread: one request at a time, or explicit pipelines.
pub(crate) struct OneThread<B>(&'static str, PhantomData<fn() -> B>);

impl<B> OneThread<B> {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self(name, PhantomData)
    }
}

impl<B: Blocking> Client for OneThread<B> {
    fn name(&self) -> &'static str {
        self.0
    }

    fn does(&self, workload: &Workload) -> bool {
        workload.is_sequential()
    }

    fn run(&self, work: &'static Work, target: &Target, meter: &'static Meter) -> Outcome {
        call(&mut B::open(target)?, work, meter.lane(work.workload.batch()))
    }
}

/// A client that many threads share, each with a clone.
pub(crate) struct ManyThreads<B>(&'static str, PhantomData<fn() -> B>);

impl<B> ManyThreads<B> {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self(name, PhantomData)
    }
}

impl<B: Blocking + Clone + Send> Client for ManyThreads<B> {
    fn name(&self) -> &'static str {
        self.0
    }

    fn does(&self, workload: &Workload) -> bool {
        workload.threads == Threads::Each
    }

    fn run(&self, work: &'static Work, target: &Target, meter: &'static Meter) -> Outcome {
        let client = B::open(target)?;
        each_on_a_thread(work.workload, || {
            let mut client = client.clone();
            move || call(&mut client, work, meter.lane(1))
        })
    }
}

/// Starts a thread for each caller, and waits for all.
pub(crate) fn each_on_a_thread<F: FnOnce() -> Outcome + Send>(
    workload: &Workload,
    mut caller: impl FnMut() -> F,
) -> Outcome {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..workload.callers()).map(|_| scope.spawn(caller())).collect();
        threads.into_iter().try_for_each(|thread| thread.join().expect("no caller panics"))
    })
}

fn call(client: &mut impl Blocking, work: &Work, mut lane: Lane) -> Outcome {
    while let Some(ticket) = lane.go() {
        match work.workload.command {
            Command::Get => work.check(client.get(&work.keys[0])?)?,
            Command::Set => client.set(&work.keys[0], &work.value)?,
            Command::MGet => work.check(client.mget(&work.keys)?)?,
            Command::Pipeline => work.check(client.pipeline(&work.keys)?)?,
        }
        lane.done(ticket);
    }
    Ok(())
}
