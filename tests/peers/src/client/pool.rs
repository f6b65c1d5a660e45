//! Pools: a connection is taken and given back, and nothing is done with it.
//!
//! What others lend is nothing, so that only the pool is measured; respire lends connections to the server. Who is not
//! alone has his while another has his turn.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use deadpool::managed::{Metrics, RecycleResult};
use respire::Client as Respire;
use tokio::runtime::Runtime;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::blocking::each_on_a_thread;
use super::meter::{Lane, Meter};
use super::tokio::runtime;
use super::workload::{Threads, Work, Workload};
use super::{Client, Outcome, Target};

/// How many connections.
const SIZE: usize = 16;

/// Loans between two looks at the meter.
const LOANS: usize = 32;

/// All that do this.
pub(crate) fn clients(workload: &Workload) -> Vec<Box<dyn Client>> {
    let mut all: Vec<Box<dyn Client>> = vec![
        Box::new(Tasks::<Nothing>::new("no pool")),
        Box::new(Tasks::<Stack>::new("semaphore and Mutex<Vec>")),
        Box::new(Tasks::<Respire>::new("respire-tokio")),
        Box::new(Tasks::<deadpool::managed::Pool<Empty>>::new("deadpool")),
        Box::new(Tasks::<bb8::Pool<Empty>>::new("bb8")),
    ];
    if workload.is_sequential() || workload.threads == Threads::Each {
        all.insert(2, Box::new(Blocking));
    }
    all
}

/// A pool for tasks.
trait Pool: Clone + Send + Sync + Sized + 'static {
    /// What is given back when it is dropped.
    type Lent: Send;
    /// Makes one.
    fn open(target: &Target) -> impl Future<Output = Outcome<Self>> + Send;
    /// Lends.
    fn lend(&self) -> impl Future<Output = Outcome<Self::Lent>> + Send;
}

/// Tasks on one thread, or threads that wait for a future each.
struct Tasks<P>(&'static str, PhantomData<fn() -> P>);

impl<P> Tasks<P> {
    const fn new(name: &'static str) -> Self {
        Self(name, PhantomData)
    }
}

impl<P: Pool> Client for Tasks<P> {
    fn name(&self) -> &'static str {
        self.0
    }

    fn does(&self, _: &Workload) -> bool {
        true
    }

    fn run(&self, work: &'static Work, target: &Target, meter: &'static Meter) -> Outcome {
        let workload = work.workload;
        let runtime = runtime(workload.threads)?;
        let pool = runtime.block_on(P::open(target))?;
        if workload.threads == Threads::Each {
            return each_on_a_thread(workload, || {
                let (pool, runtime): (_, &Runtime) = (pool.clone(), &runtime);
                move || runtime.block_on(loans(pool, workload, meter.lane(LOANS)))
            });
        }
        runtime.block_on(async {
            let spawn = |_| tokio::spawn(loans(pool.clone(), workload, meter.lane(LOANS)));
            let tasks: Vec<_> = (0..workload.callers()).map(spawn).collect();
            for task in tasks {
                task.await??;
            }
            Ok(())
        })
    }
}

async fn loans<P: Pool>(pool: P, workload: &Workload, mut lane: Lane) -> Outcome {
    let is_alone = workload.callers() == 1;
    let is_thread = workload.threads == Threads::Each;
    while let Some(ticket) = lane.go() {
        for _ in 0..LOANS {
            let lent = pool.lend().await?;
            if is_thread {
                thread::yield_now();
            } else if !is_alone {
                tokio::task::yield_now().await;
            }
            drop(lent);
        }
        lane.done(ticket);
    }
    Ok(())
}

/// respire, by threads that wait.
struct Blocking;

impl Client for Blocking {
    fn name(&self) -> &'static str {
        "respire"
    }

    fn does(&self, _: &Workload) -> bool {
        true
    }

    fn run(&self, work: &'static Work, target: &Target, meter: &'static Meter) -> Outcome {
        let client = open(target)?;
        each_on_a_thread(work.workload, || {
            let (client, mut lane) = (client.clone(), meter.lane(LOANS));
            move || {
                while let Some(ticket) = lane.go() {
                    for _ in 0..LOANS {
                        let lent = client.conn().wait()?;
                        if work.workload.callers() > 1 {
                            thread::yield_now();
                        }
                        drop(lent);
                    }
                    lane.done(ticket);
                }
                Ok(())
            }
        })
    }
}

/// One of the connections is for requests of all.
fn open(target: &Target) -> Outcome<Respire> {
    Ok(Respire::builder(target.url().parse()?).connections(SIZE as u16 + 1).connect()?)
}

impl Pool for Respire {
    type Lent = respire::Conn;

    async fn open(target: &Target) -> Outcome<Self> {
        let client = open(target)?;
        tokio::spawn(respire::tokio::driver(&client)?);
        Ok(client)
    }

    async fn lend(&self) -> Outcome<respire::Conn> {
        Ok(self.conn().await?)
    }
}

/// Nothing is lent: what the rest takes.
#[derive(Clone)]
struct Nothing;

impl Pool for Nothing {
    type Lent = ();

    async fn open(_: &Target) -> Outcome<Self> {
        Ok(Self)
    }

    async fn lend(&self) -> Outcome {
        Ok(())
    }
}

/// The least that a pool could be.
#[derive(Clone)]
struct Stack(Arc<(Arc<Semaphore>, Mutex<Vec<u64>>)>);

struct OfStack {
    stack: Stack,
    object: u64,
    _permit: OwnedSemaphorePermit,
}

impl Pool for Stack {
    type Lent = OfStack;

    async fn open(_: &Target) -> Outcome<Self> {
        Ok(Self(Arc::new((Arc::new(Semaphore::new(SIZE)), Mutex::new((0..SIZE as u64).collect())))))
    }

    async fn lend(&self) -> Outcome<OfStack> {
        let _permit = Arc::clone(&self.0.0).acquire_owned().await?;
        let object = self.0.1.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Ok(OfStack { stack: self.clone(), object: object.ok_or("more permits than objects")?, _permit })
    }
}

impl Drop for OfStack {
    fn drop(&mut self) {
        self.stack.0.1.lock().unwrap_or_else(PoisonError::into_inner).push(self.object);
    }
}

/// Makes objects that are nothing, and are always well.
struct Empty;

impl deadpool::managed::Manager for Empty {
    type Type = u64;
    type Error = Infallible;

    async fn create(&self) -> Result<u64, Infallible> {
        Ok(0)
    }

    async fn recycle(&self, _: &mut u64, _: &Metrics) -> RecycleResult<Infallible> {
        Ok(())
    }
}

impl Pool for deadpool::managed::Pool<Empty> {
    type Lent = deadpool::managed::Object<Empty>;

    async fn open(_: &Target) -> Outcome<Self> {
        Ok(Self::builder(Empty).max_size(SIZE).build()?)
    }

    async fn lend(&self) -> Outcome<Self::Lent> {
        self.get().await.map_err(|error| format!("{error:?}").into())
    }
}

impl bb8::ManageConnection for Empty {
    type Connection = u64;
    type Error = Infallible;

    async fn connect(&self) -> Result<u64, Infallible> {
        Ok(0)
    }

    async fn is_valid(&self, _: &mut u64) -> Result<(), Infallible> {
        Ok(())
    }

    fn has_broken(&self, _: &mut u64) -> bool {
        false
    }
}

impl Pool for bb8::Pool<Empty> {
    type Lent = bb8::PooledConnection<'static, Empty>;

    async fn open(_: &Target) -> Outcome<Self> {
        Ok(Self::builder().max_size(SIZE as u32).test_on_check_out(false).build(Empty).await?)
    }

    async fn lend(&self) -> Outcome<Self::Lent> {
        Ok(self.get_owned().await?)
    }
}
