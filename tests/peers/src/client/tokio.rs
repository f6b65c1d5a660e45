//! Clients whose requests are futures, on executors of tokio.

use std::marker::PhantomData;

use tokio::runtime::{Builder, Runtime};

use super::blocking::each_on_a_thread;
use super::meter::{Lane, Meter};
use super::workload::{Command, Threads, Work, Workload};
use super::{Client, Outcome, Target};

/// What an asynchronous client can do; its clones share a connection. Lengths are those of values, together.
pub(crate) trait Asynchronous: Clone + Send + Sized + 'static {
    /// Connects.
    fn open(target: &Target) -> impl Future<Output = Outcome<Self>> + Send;
    /// One value.
    fn get(&mut self, key: &str) -> impl Future<Output = Outcome<usize>> + Send;
    /// Puts a value there.
    fn set(&mut self, key: &str, value: &bytes::Bytes) -> impl Future<Output = Outcome> + Send;
    /// Many values, by one command.
    fn mget(&mut self, keys: &[String]) -> impl Future<Output = Outcome<usize>> + Send;
    /// Many values, by a GET each, sent together.
    fn pipeline(&mut self, keys: &[String]) -> impl Future<Output = Outcome<usize>> + Send;
}

/// A client with a task for each caller, or a thread that blocks on a future at a time.
pub(crate) struct OnTokio<A>(&'static str, PhantomData<fn() -> A>);

impl<A> OnTokio<A> {
    pub(crate) const fn new(name: &'static str) -> Self {
        Self(name, PhantomData)
    }
}

impl<A: Asynchronous> Client for OnTokio<A> {
    fn name(&self) -> &'static str {
        self.0
    }

    fn does(&self, _: &Workload) -> bool {
        true
    }

    fn run(&self, work: &'static Work, target: &Target, meter: &'static Meter) -> Outcome {
        let workload = work.workload;
        let runtime = runtime(workload.threads)?;
        let client = runtime.block_on(A::open(target))?;
        let lane = || meter.lane(workload.batch());
        if workload.threads == Threads::Each {
            return each_on_a_thread(workload, || {
                let (client, runtime) = (client.clone(), &runtime);
                move || runtime.block_on(call(client, work, lane()))
            });
        }
        runtime.block_on(async {
            let spawn = |_| tokio::spawn(call(client.clone(), work, lane()));
            let tasks: Vec<_> = (0..workload.callers()).map(spawn).collect();
            for task in tasks {
                task.await??;
            }
            Ok(())
        })
    }
}

/// Threads that block have an executor of one thread in the background.
pub(crate) fn runtime(threads: Threads) -> Outcome<Runtime> {
    let mut builder = match threads {
        Threads::One => Builder::new_current_thread(),
        Threads::Two | Threads::Each => Builder::new_multi_thread(),
    };
    if threads != Threads::One {
        builder.worker_threads(if threads == Threads::Two { 2 } else { 1 });
    }
    Ok(builder.enable_all().build()?)
}

/// Works as one caller, until it is time to stop.
pub(crate) async fn call(mut client: impl Asynchronous, work: &Work, mut lane: Lane) -> Outcome {
    while let Some(ticket) = lane.go() {
        match work.workload.command {
            Command::Get => work.check(client.get(&work.keys[0]).await?)?,
            Command::Set => client.set(&work.keys[0], &work.value).await?,
            Command::MGet => work.check(client.mget(&work.keys).await?)?,
            Command::Pipeline => work.check(client.pipeline(&work.keys).await?)?,
        }
        lane.done(ticket);
    }
    Ok(())
}
