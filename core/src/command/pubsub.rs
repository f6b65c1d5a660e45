//! Publish and subscribe: <https://redis.io/docs/latest/commands/?group=pubsub>, Redis 7.0.
//!
//! Every channel is confirmed on its own, and each confirmation arrives as a push. The last one
//! answers the request.

use super::table::commands;
use super::{Arg, Effect, Keys, Subscription};
use crate::resp::Reply;

commands! {
    /// Publish and subscribe.
    trait PubSubCommands;

    /// Receives what is published to channels that match `patterns`.
    CONNECTION "PSUBSCRIBE" => PSubscribe<'a> psubscribe(patterns: Keys<'a>)
        { Effect::Subscribe(Subscription::Pattern) } -> Reply<'r>;
    /// Sends `message` to all who listen to `channel`; how many there were.
    CONNECTION "PUBLISH" => Publish<'a> publish(channel: Arg<'a>, message: Arg<'a>) -> i64;
    /// No longer receives what is published to channels that match `patterns`.
    CONNECTION "PUNSUBSCRIBE" => PUnsubscribe<'a> punsubscribe(patterns: Keys<'a>)
        { Effect::Unsubscribe(Subscription::Pattern) } -> Reply<'r>;
    /// Receives what is published to `channels`.
    CONNECTION "SUBSCRIBE" => Subscribe<'a> subscribe(channels: Keys<'a>)
        { Effect::Subscribe(Subscription::Channel) } -> Reply<'r>;
    /// No longer receives what is published to `channels`.
    CONNECTION "UNSUBSCRIBE" => Unsubscribe<'a> unsubscribe(channels: Keys<'a>)
        { Effect::Unsubscribe(Subscription::Channel) } -> Reply<'r>;
}
