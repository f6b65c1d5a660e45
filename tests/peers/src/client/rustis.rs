//! rustis, which speaks RESP3 only.

use bytes::Bytes;
use rustis::client::{BatchPreparedCommand as _, Client as Rustis};
use rustis::commands::StringCommands as _;
use rustis::resp::BulkString;
use serde::{Serialize, Serializer};

use super::tokio::{Asynchronous, OnTokio};
use super::{Client, Outcome, Target};

pub(crate) fn clients() -> Vec<Box<dyn Client>> {
    vec![Box::new(OnTokio::<Rustis>::new("rustis"))]
}

impl Asynchronous for Rustis {
    async fn open(target: &Target) -> Outcome<Self> {
        Ok(Self::connect(target.url()).await?)
    }

    async fn get(&mut self, key: &str) -> Outcome<usize> {
        let value: BulkString = (&*self).get(key).await?;
        Ok(value.len())
    }

    async fn set(&mut self, key: &str, value: &Bytes) -> Outcome {
        Ok((&*self).set(key, Borrowed(value)).await?)
    }

    async fn mget(&mut self, keys: &[String]) -> Outcome<usize> {
        let values: Vec<BulkString> = (&*self).mget(keys).await?;
        Ok(values.iter().map(|value| value.len()).sum())
    }

    async fn pipeline(&mut self, keys: &[String]) -> Outcome<usize> {
        let mut pipeline = self.create_pipeline();
        pipeline.reserve(keys.len());
        for key in keys {
            pipeline.get::<()>(key).queue();
        }
        let values: Vec<BulkString> = pipeline.execute().await?;
        Ok(values.iter().map(|value| value.len()).sum())
    }
}

/// Bytes, which serde would take for a list of numbers.
struct Borrowed<'a>(&'a [u8]);

impl Serialize for Borrowed<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0)
    }
}
