//! The hostile server against this client: every attack of the table, in both protocols, cut in
//! several ways, over bytes in memory and over a socket.
//!
//! Every attack has a thread with a small stack and a deadline of its own: what recurses over
//! input or waits for ever is found out, and so is memory that follows what was only announced.

mod case;
mod cost;
mod descriptors;
mod driver;
mod live;
mod machine;
mod memory;
mod off_by_one;
mod play;
mod subscriber;
mod table;
mod within;
