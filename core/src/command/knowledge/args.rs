//! The arguments of a request, read back from its bytes.

/// The arguments of one encoded request (`*3\r\n$3\r\nSET\r\n…`), the command's own words first.
///
/// It stops at the first argument that is not wholly there, because it comes
/// [later](super::super::Later) or is lent, and at whatever is no request; [`left`](Self::left) tells this from the end.
/// Any bytes may be given.
///
/// ```
/// use respire_core::command::Args;
/// let mut args = Args::new(b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$1000\r\nxx");
/// assert_eq!(args.by_ref().collect::<Vec<_>>(), [b"SET".as_slice(), b"k"]);
/// assert_eq!(args.left(), 1);
/// ```
#[derive(Clone, Copy, Default)]
pub struct Args<'a> {
    /// From the header of the next argument on.
    rest: &'a [u8],
    left: usize,
}

impl<'a> Args<'a> {
    /// The arguments of the request that starts at the first byte of `frame`. What follows it does not
    /// matter.
    pub fn new(frame: &'a [u8]) -> Self {
        match header(frame, b'*') {
            Some((left, rest)) => Self { rest, left },
            None => Self::default(),
        }
    }

    /// How many arguments are still to come, by what the header says, there or not.
    pub const fn left(&self) -> usize {
        self.left
    }
}

impl<'a> Iterator for Args<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let left = self.left.checked_sub(1)?;
        let (len, bytes) = header(self.rest, b'$')?;
        let (arg, rest) = bytes.split_at_checked(len)?;
        *self = Self { rest: rest.strip_prefix(b"\r\n").unwrap_or_default(), left };
        Some(arg)
    }
}

impl core::iter::FusedIterator for Args<'_> {}

impl core::fmt::Debug for Args<'_> {
    /// How many are left, and none of them: one may be a password.
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Args").field("left", &self.left).finish_non_exhaustive()
    }
}

/// The number behind `tag`, and what follows its line.
fn header(bytes: &[u8], tag: u8) -> Option<(usize, &[u8])> {
    let [first, line @ ..] = bytes else { return None };
    let (value, [b'\r', b'\n', rest @ ..]) = number(line)? else { return None };
    (*first == tag).then_some((usize::try_from(value).ok()?, rest))
}

/// The digits at the start as a number, which is 0 if there are none, and what follows them. Nothing
/// that is looked at here has 2^32 bytes.
pub(super) fn number(mut text: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0_u32;
    while let [digit @ b'0'..=b'9', rest @ ..] = text {
        value = value.checked_mul(10)?.checked_add(u32::from(digit & 0x0f))?;
        text = rest;
    }
    Some((value, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(frame: &str) -> (std::vec::Vec<&[u8]>, usize) {
        let mut args = Args::new(frame.as_bytes());
        (args.by_ref().collect(), args.left())
    }

    #[test]
    fn arguments_are_read_back_as_they_were_written() {
        let frame = "*3\r\n$3\r\nSET\r\n$0\r\n\r\n$4\r\n\r\n$1\r\n";
        assert_eq!(read(frame), (std::vec![&b"SET"[..], b"", b"\r\n$1"], 0));
        assert_eq!(read(&(std::string::String::from(frame) + "*1\r\n$4\r\nPING\r\n")).0.len(), 3);
    }

    #[test]
    fn it_stops_where_the_first_argument_is_not_wholly_there() {
        let frame = "*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n";
        for cut in 0..frame.len() {
            let (args, left) = read(&frame[..cut]);
            // An argument is there without its line end, too.
            let there = [14, 22].iter().filter(|&&end| cut >= end - 2).count();
            let there = if cut < 4 { 0 } else { there };
            assert_eq!(args.len(), there, "{cut}");
            assert_eq!(left, if cut < 4 { 0 } else { 2 - there }, "{cut}");
        }
    }

    #[test]
    fn what_is_no_request_has_no_arguments() {
        for frame in [
            "",
            "*",
            "*\r\n",
            "*-1\r\n",
            "*1\n",
            "PING\r\n",
            "+OK\r\n",
            "$1\r\n$1\r\na\r\n",
            "*99999999999999999999\r\n$1\r\na\r\n",
        ] {
            assert_eq!(read(frame), (std::vec![], 0), "{frame:?}");
        }
        for frame in ["*1\r\n", "*1\r\n:1\r\n", "*1\r\n$-1\r\n", "*1\r\n$9223372036854775807\r\na\r\n"] {
            assert_eq!(read(frame), (std::vec![], 1), "{frame:?}");
        }
        for frame in
            ["*2\r\n$1\r\naXX$1\r\nb\r\n", "*2\r\n$1\r\na$1\r\nb\r\n", "*2\r\n$1\r\na\r\n*1\r\nb\r\n"]
        {
            assert_eq!(read(frame), (std::vec![&b"a"[..]], 1), "{frame:?}");
        }
    }

    #[test]
    fn nothing_is_shown() {
        let shown = std::format!("{:?}", Args::new(b"*2\r\n$4\r\nAUTH\r\n$6\r\nsesame\r\n"));
        assert_eq!(shown, "Args { left: 2, .. }");
    }
}
