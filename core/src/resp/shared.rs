//! [`Bytes`], which clones share (feature `bytes`).

use ::bytes::Bytes;
use alloc::vec::Vec;

use super::natural::Natural;
use super::{DecodeError, FromReply, Reply};

impl<'a> FromReply<'a> for Bytes {
    fn from_reply(reply: Reply<'a>) -> Result<Self, DecodeError> {
        match reply.as_bytes() {
            Some(bytes) => Ok(Self::copy_from_slice(bytes)),
            None => Vec::<u8>::from_reply(reply).map(Self::from),
        }
    }
}

impl Natural for Bytes {
    type Owned = Self;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_in_one_piece_and_in_several() {
        for reply in [&b"$5\r\nhello\r\n"[..], b"+hello\r\n", b"$?\r\n;2\r\nhe\r\n;3\r\nllo\r\n;0\r\n"] {
            let reply = Reply::parse(reply).unwrap();
            assert_eq!(reply.get::<Bytes>(), Ok(Bytes::from_static(b"hello")));
            assert_eq!(reply.get::<Option<Bytes>>(), Ok(Some(Bytes::from_static(b"hello"))));
        }
        assert!(Reply::parse(b"*0\r\n").unwrap().get::<Option<Bytes>>().is_err());
    }
}
