//! respire: by threads that wait, by tasks of tokio, and by its own executor. Values are owned, as with all others.

use bytes::Bytes;
use futures_util::stream::{FuturesUnordered, StreamExt as _};
use respire::command::get;
use respire::prelude::*;
use respire::{Client as Respire, block_on};

use super::blocking::{Blocking, ManyThreads, OneThread};
use super::meter::Meter;
use super::tokio::{Asynchronous, OnTokio, call};
use super::workload::{Threads, Work, Workload};
use super::{Client, Outcome, Target};

/// How respire can be used: each is measured.
pub(crate) fn clients() -> Vec<Box<dyn Client>> {
    vec![
        Box::new(OneThread::<Respire>::new("respire")),
        Box::new(ManyThreads::<Respire>::new("respire")),
        Box::new(OnTokio::<InTokio>::new("respire-tokio")),
        Box::new(OwnExecutor),
    ]
}

impl Blocking for Respire {
    fn open(target: &Target) -> Outcome<Self> {
        Ok(Self::open(&target.url())?)
    }

    fn get(&mut self, key: &str) -> Outcome<usize> {
        let value: Vec<u8> = StringCommands::get(self, key).wait()?;
        Ok(value.len())
    }

    fn set(&mut self, key: &str, value: &[u8]) -> Outcome {
        StringCommands::set(self, key, value).wait()?;
        Ok(())
    }

    fn mget(&mut self, keys: &[String]) -> Outcome<usize> {
        let values: Vec<Vec<u8>> = StringCommands::mget(self, keys).wait()?;
        Ok(values.iter().map(Vec::len).sum())
    }

    fn pipeline(&mut self, keys: &[String]) -> Outcome<usize> {
        lengths(Self::pipeline(self, gets(keys)).wait()?)
    }
}

fn gets(keys: &[String]) -> Vec<impl OwnedReply<Owned = Vec<u8>>> {
    keys.iter().map(|key| get(key).typed::<Vec<u8>>()).collect()
}

fn lengths(values: Vec<Result<Vec<u8>, respire::Error>>) -> Outcome<usize> {
    values.into_iter().try_fold(0, |sum, value| Ok(sum + value?.len()))
}

/// In a runtime of tokio, which drives it.
#[derive(Clone)]
struct InTokio(Respire);

impl Asynchronous for InTokio {
    async fn open(target: &Target) -> Outcome<Self> {
        let client = Respire::open(&target.url())?;
        tokio::spawn(respire::tokio::driver(&client)?);
        Ok(Self(client))
    }

    async fn get(&mut self, key: &str) -> Outcome<usize> {
        let value: Vec<u8> = self.0.get(key).await?;
        Ok(value.len())
    }

    async fn set(&mut self, key: &str, value: &Bytes) -> Outcome {
        self.0.set(key, &value[..]).await?;
        Ok(())
    }

    async fn mget(&mut self, keys: &[String]) -> Outcome<usize> {
        let values: Vec<Vec<u8>> = self.0.mget(keys).await?;
        Ok(values.iter().map(Vec::len).sum())
    }

    async fn pipeline(&mut self, keys: &[String]) -> Outcome<usize> {
        lengths(self.0.pipeline(gets(keys)).await?)
    }
}

/// Without a runtime: as many futures as there are callers, in one `block_on`.
struct OwnExecutor;

impl Client for OwnExecutor {
    fn name(&self) -> &'static str {
        "respire-block-on"
    }

    fn does(&self, workload: &Workload) -> bool {
        workload.threads == Threads::One
    }

    fn run(&self, work: &'static Work, target: &Target, meter: &'static Meter) -> Outcome {
        let client = Respire::open(&target.url())?;
        block_on(async {
            let callers = work.workload.callers();
            let lane = || meter.lane(work.workload.batch());
            let mut all: FuturesUnordered<_> =
                (0..callers).map(|_| call(InTokio(client.clone()), work, lane())).collect();
            while let Some(done) = all.next().await {
                done?;
            }
            Ok(())
        })
    }
}
