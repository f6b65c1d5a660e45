//! The codec as a program uses it. Each call stands apart, so that what is compiled for it is counted, and
//! what checks its result is not.

use respire_core::command::AnyRequest;
use respire_core::error::{DecodeError, ProtocolError, ReplyError, ServerError};
use respire_core::resp::{Done, Encoder, Frame, Kind, Map, Reply, Scanner, Seq, Visit};

/// Writes a request; its length, if there is room for it.
#[inline(never)]
pub(crate) fn encode(request: &dyn AnyRequest, out: &mut [u8]) -> Option<usize> {
    let mut encoder = Encoder::new(out);
    request.encode(&mut encoder);
    let encoded = encoder.finish();
    encoded.is_written().then_some(encoded.len())
}

#[inline(never)]
pub(crate) fn scan(scanner: &mut Scanner, bytes: &[u8]) -> Result<Option<Frame>, ProtocolError> {
    scanner.scan(bytes)
}

#[inline(never)]
pub(crate) fn reply(bytes: &[u8], frame: Frame) -> Reply<'_> {
    Reply::new(bytes, frame)
}

/// One function for each type.
macro_rules! reads {
    ($($name:ident: $Type:ty;)+) => { $(
        #[inline(never)]
        pub(crate) fn $name<'r>(reply: Reply<'r>) -> Result<$Type, ReplyError<'r>> {
            reply.get()
        }
    )+ };
}

reads! {
    long: i64;
    short: u16;
    byte: u8;
    truth: bool;
    bytes: &'r [u8];
    text: &'r str;
    done: Done;
    nothing: ();
    maybe: Option<&'r [u8]>;
    tuple: (i64, &'r str, Option<bool>);
    array: [i64; 3];
    results: (Result<i64, ServerError<'r>>, Result<i64, ServerError<'r>>);
    cursor: (&'r [u8], Seq<'r, &'r [u8]>);
}

#[cfg(feature = "doubles")]
reads! {
    double: f64;
}

/// The sum of an array of integers.
#[inline(never)]
pub(crate) fn sum(reply: Reply<'_>) -> Result<i64, DecodeError> {
    let mut sum = 0_i64;
    for n in reply.elements().ok_or(DecodeError::NotANumber)?.cast::<i64>() {
        sum = sum.wrapping_add(n?);
    }
    Ok(sum)
}

/// The sum of the values of those pairs whose key is this.
#[inline(never)]
pub(crate) fn lookup(reply: Reply<'_>, wanted: &str) -> Option<i64> {
    let pairs: Map<'_, &str, i64> = reply.get().ok()?;
    let mut sum = 0_i64;
    for pair in pairs {
        let (key, value) = pair.ok()?;
        if key == wanted {
            sum = sum.wrapping_add(value);
        }
    }
    Some(sum)
}

/// How many values there are, those inside of others too, and how many ends of streams.
#[inline(never)]
pub(crate) fn walk(reply: Reply<'_>) -> (u32, u32) {
    let (mut values, mut ends) = (0_u32, 0_u32);
    for visit in reply.preorder() {
        match visit {
            Visit::Value(_) => values = values.wrapping_add(1),
            Visit::End => ends = ends.wrapping_add(1),
        }
    }
    (values, ends)
}

/// The bytes of a string that may be in chunks: how many chunks, and their sum.
#[inline(never)]
pub(crate) fn chunks(reply: Reply<'_>) -> Option<(u32, u32)> {
    let (mut count, mut sum) = (0_u32, 0_u32);
    for chunk in reply.chunks()? {
        count = count.wrapping_add(1);
        chunk.iter().for_each(|&byte| sum = sum.wrapping_add(byte.into()));
    }
    Some((count, sum))
}

#[inline(never)]
pub(crate) fn kind(reply: Reply<'_>) -> (Kind, bool, Option<ServerError<'_>>) {
    (reply.kind(), reply.is_null(), reply.error())
}

#[inline(never)]
pub(crate) fn format(reply: Reply<'_>) -> Option<&[u8]> {
    reply.format()
}
