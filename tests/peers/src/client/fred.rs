//! fred: values share the buffer they came in.

use bytes::Bytes;
use fred::clients::Client as Fred;
use fred::interfaces::{ClientLike as _, KeysInterface as _};
use fred::types::Builder;
use fred::types::config::{Config, ServerConfig};

use super::tokio::{Asynchronous, OnTokio};
use super::{Client, Outcome, Target};

pub(crate) fn clients() -> Vec<Box<dyn Client>> {
    vec![Box::new(OnTokio::<Fred>::new("fred"))]
}

impl Asynchronous for Fred {
    async fn open(target: &Target) -> Outcome<Self> {
        let config = match target {
            Target::Tcp(_) => Config::from_url(&target.url())?,
            Target::Unix(path) => {
                Config { server: ServerConfig::Unix { path: path.clone() }, ..Config::default() }
            }
        };
        let client = Builder::from_config(config).build()?;
        client.init().await?;
        Ok(client)
    }

    async fn get(&mut self, key: &str) -> Outcome<usize> {
        let value: Bytes = fred::interfaces::KeysInterface::get(self, key).await?;
        Ok(value.len())
    }

    async fn set(&mut self, key: &str, value: &Bytes) -> Outcome {
        Ok(fred::interfaces::KeysInterface::set(self, key, value.clone(), None, None, false).await?)
    }

    async fn mget(&mut self, keys: &[String]) -> Outcome<usize> {
        let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
        let values: Vec<Bytes> = fred::interfaces::KeysInterface::mget(self, keys).await?;
        Ok(values.iter().map(Bytes::len).sum())
    }

    async fn pipeline(&mut self, keys: &[String]) -> Outcome<usize> {
        let pipeline = Self::pipeline(self);
        for key in keys {
            let () = pipeline.get(key).await?;
        }
        let values: Vec<Bytes> = pipeline.all().await?;
        Ok(values.iter().map(Bytes::len).sum())
    }
}
