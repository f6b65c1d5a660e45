//! redis-rs: its connection that blocks, a pool of these, and the one that tasks share.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use redis::{Connection, Pipeline};

use super::blocking::{Blocking, ManyThreads, OneThread};
use super::tokio::{Asynchronous, OnTokio};
use super::{Client, Outcome, Target};

/// For one reply. By default it is half a second, which a busy machine may exceed.
const TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) fn clients() -> Vec<Box<dyn Client>> {
    vec![
        Box::new(OneThread::<Connection>::new("redis-rs")),
        Box::new(ManyThreads::<Pool<10>>::new("redis-rs-pool-10")),
        Box::new(ManyThreads::<Pool<64>>::new("redis-rs-pool-64")),
        Box::new(OnTokio::<MultiplexedConnection>::new("redis-rs-mux")),
    ]
}

impl Blocking for Connection {
    fn open(target: &Target) -> Outcome<Self> {
        Ok(redis::Client::open(target.url())?.get_connection()?)
    }

    fn get(&mut self, key: &str) -> Outcome<usize> {
        let value: Vec<u8> = redis::Commands::get(self, key)?;
        Ok(value.len())
    }

    fn set(&mut self, key: &str, value: &[u8]) -> Outcome {
        Ok(redis::Commands::set(self, key, value)?)
    }

    fn mget(&mut self, keys: &[String]) -> Outcome<usize> {
        let values: Vec<Vec<u8>> = redis::Commands::mget(self, keys)?;
        Ok(len(&values))
    }

    fn pipeline(&mut self, keys: &[String]) -> Outcome<usize> {
        let values: Vec<Vec<u8>> = pipeline(keys).query(self)?;
        Ok(len(&values))
    }
}

/// So many connections; who finds none waits for one. It is what a pool could be at best: nothing is checked.
#[derive(Clone)]
struct Pool<const SIZE: usize>(Arc<(Mutex<Vec<Connection>>, Condvar)>);

impl<const SIZE: usize> Pool<SIZE> {
    fn with<R>(&self, work: impl FnOnce(&mut Connection) -> R) -> R {
        let (free, returned) = &*self.0;
        let lock = || free.lock().unwrap_or_else(PoisonError::into_inner);
        let mut waiting =
            returned.wait_while(lock(), |free| free.is_empty()).unwrap_or_else(PoisonError::into_inner);
        let mut connection = waiting.pop().expect("somebody has returned one");
        drop(waiting);
        let result = work(&mut connection);
        lock().push(connection);
        returned.notify_one();
        result
    }
}

impl<const SIZE: usize> Blocking for Pool<SIZE> {
    fn open(target: &Target) -> Outcome<Self> {
        let connections = (0..SIZE).map(|_| Connection::open(target)).collect::<Outcome<_>>()?;
        Ok(Self(Arc::new((Mutex::new(connections), Condvar::new()))))
    }

    fn get(&mut self, key: &str) -> Outcome<usize> {
        self.with(|connection| Blocking::get(connection, key))
    }

    fn set(&mut self, key: &str, value: &[u8]) -> Outcome {
        self.with(|connection| Blocking::set(connection, key, value))
    }

    fn mget(&mut self, keys: &[String]) -> Outcome<usize> {
        self.with(|connection| Blocking::mget(connection, keys))
    }

    fn pipeline(&mut self, keys: &[String]) -> Outcome<usize> {
        self.with(|connection| Blocking::pipeline(connection, keys))
    }
}

impl Asynchronous for MultiplexedConnection {
    async fn open(target: &Target) -> Outcome<Self> {
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(TIMEOUT));
        Ok(redis::Client::open(target.url())?.get_multiplexed_async_connection_with_config(&config).await?)
    }

    async fn get(&mut self, key: &str) -> Outcome<usize> {
        let value: Vec<u8> = redis::AsyncCommands::get(self, key).await?;
        Ok(value.len())
    }

    async fn set(&mut self, key: &str, value: &Bytes) -> Outcome {
        Ok(redis::AsyncCommands::set(self, key, &value[..]).await?)
    }

    async fn mget(&mut self, keys: &[String]) -> Outcome<usize> {
        let values: Vec<Vec<u8>> = redis::AsyncCommands::mget(self, keys).await?;
        Ok(len(&values))
    }

    async fn pipeline(&mut self, keys: &[String]) -> Outcome<usize> {
        let values: Vec<Vec<u8>> = pipeline(keys).query_async(self).await?;
        Ok(len(&values))
    }
}

fn pipeline(keys: &[String]) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(keys.len());
    for key in keys {
        pipeline.get(key);
    }
    pipeline
}

fn len(values: &[Vec<u8>]) -> usize {
    values.iter().map(Vec::len).sum()
}
