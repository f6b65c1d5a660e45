//! Classes 2, 3, 4, 8, 9, 10 and 25, and more of others: more than anybody wants to read.

use respire_core::resp::ProtocolError::{BadTerminator, NestedPush, StreamTooDeep, TooLarge as FarTooLarge};

use super::Outcome::{Ends, Fatal, Pushes, Reads, Stalls, TooDeep, TooLarge};
use super::{Ask, Attack, Manner};

const X: &[u8] = &[b'x'; 4096];
const TEN: &[u8] = b"*10\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n:0\r\n";
const NINE: &[u8] = b"*9\r\n:1\r\n:2\r\n:3\r\n:4\r\n:5\r\n:6\r\n:7\r\n:8\r\n:9\r\n";
const FORTY: &[u8] = b"$40\r\n1234567890123456789012345678901234567890\r\n";

#[rustfmt::skip]
pub(super) const TABLE: &[Attack] = &[
    Attack::new(2, "length-2-63-minus-1", b"$9223372036854775807\r\n", Fatal(FarTooLarge)),
    Attack::new(2, "length-2-63-plus-1", b"$9223372036854775809\r\n", Fatal(FarTooLarge)),
    Attack::new(2, "length-2-63-of-an-error", b"!9223372036854775807\r\n", Fatal(FarTooLarge)),
    Attack::new(2, "length-2-63-of-a-verbatim", b"=9223372036854775807\r\ntxt:", Fatal(FarTooLarge)),
    Attack::new(2, "length-2-63-of-a-chunk", b"$?\r\n;9223372036854775807\r\n", Fatal(FarTooLarge)),
    Attack::new(2, "length-2-63-inside", b"*2\r\n:1\r\n$9223372036854775807\r\n", Fatal(FarTooLarge)),
    Attack::new(2, "length-just-over", b"$1001\r\n", Stalls).tight().comes(Manner::Last),

    Attack::new(3, "length-2-32-plus-3", b"$4294967299\r\nabc\r\n", Fatal(FarTooLarge)),
    Attack::new(3, "count-2-32-plus-1", b"*4294967297\r\n:1\r\n", Fatal(FarTooLarge)),
    Attack::new(3, "pairs-2-31-plus-1", b"%2147483649\r\n:1\r\n:2\r\n", Fatal(FarTooLarge)),
    Attack::new(3, "chunk-2-32-plus-1", b"$?\r\n;4294967297\r\na\r\n;0\r\n", Fatal(FarTooLarge)),
    Attack::new(3, "length-2-16-plus-3", b"$65539\r\nabc\r\n", Ends).comes(Manner::Close),
    Attack::new(3, "length-2-16-plus-3-over-the-limit", b"$65539\r\nabc\r\n", Fatal(FarTooLarge)).tight(),

    Attack::new(4, "count-2-32-minus-1", b"*4294967295\r\n", Fatal(FarTooLarge)),
    Attack::new(4, "pairs-2-62", b"%4611686018427387904\r\n", Fatal(FarTooLarge)),
    Attack::new(4, "pairs-2-63", b"%9223372036854775808\r\n", Fatal(FarTooLarge)),
    Attack::new(4, "attributes-2-63-plus-1", b"|9223372036854775809\r\n:1\r\n:2\r\n", Fatal(FarTooLarge)),
    Attack::new(4, "members-2-62", b"~4611686018427387904\r\n", Fatal(FarTooLarge)),
    Attack::new(4, "push-2-32-minus-1", b">4294967295\r\n", Fatal(FarTooLarge)),
    Attack::new(4, "count-2-63-minus-1-inside", b"*2\r\n*9223372036854775807\r\n", Fatal(FarTooLarge)),
    Attack::long(4, "promises-of-promises", &[(b"*268435456\r\n", 2000)], Fatal(FarTooLarge)),
    Attack::new(4, "promises-that-are-allowed", b"*100000000\r\n*100000000\r\n$500000000\r\n", Stalls).comes(Manner::Last),

    Attack::long(8, "deep-arrays", &[(b"*1\r\n", 8000), (b":1\r\n", 1)], TooDeep),
    Attack::long(8, "deep-empty", &[(b"*1\r\n", 8000), (b"*0\r\n", 1)], TooDeep),
    Attack::long(8, "deep-maps", &[(b"%1\r\n+k\r\n", 8000), (b"_\r\n", 1)], TooDeep),
    Attack::long(8, "deep-keys", &[(b"%1\r\n", 8000), (b":1\r\n", 8001)], TooDeep),
    Attack::long(8, "deep-sets", &[(b"~1\r\n", 8000), (b"$1\r\nx\r\n", 1)], TooDeep),
    Attack::long(8, "deep-to-the-right", &[(b"*2\r\n:1\r\n", 8000), (b"_\r\n", 1)], TooDeep),
    Attack::long(8, "deep-to-the-left", &[(b"*2\r\n", 8000), (b":1\r\n", 8001)], TooDeep),
    Attack::long(8, "deep-attributes", &[(b"|1\r\n", 8000), (b":1\r\n", 16_001)], TooDeep),
    Attack::long(8, "deep-attributes-and-more", &[(b"|1\r\n", 130), (b":1\r\n", 260), (b"|0\r\n:1\r\n", 1)], TooDeep),
    Attack::long(8, "deep-pushes", &[(b">1\r\n", 8000), (b":1\r\n", 1)], Fatal(NestedPush)),
    Attack::long(8, "deep-streams", &[(b"*?\r\n", 129), (b".\r\n", 129)], Fatal(StreamTooDeep)),
    Attack::long(8, "deep-in-a-push", &[(b">1\r\n", 1), (b"*1\r\n", 8000), (b":1\r\n", 1), (b"+own\r\n", 1)], Pushes(1, r#""own""#)),
    Attack::long(8, "deepest-allowed", &[(b"*1\r\n", 128), (b":1\r\n", 1)], Reads("129")).asked(Ask::Count),
    Attack::long(8, "deepest-allowed-as-a-tree", &[(b"*1\r\n", 128), (b":1\r\n", 1)], Reads(r#""a tree""#)).asked(Ask::Tree),
    Attack::long(8, "just-too-deep", &[(b"*1\r\n", 129), (b":1\r\n", 1)], TooDeep),
    Attack::long(8, "just-too-deep-for-a-device", &[(b"*1\r\n", 9), (b":1\r\n", 1)], TooDeep).tight(),
    Attack::long(8, "deep-without-end", &[(b"*1\r\n", u64::MAX)], Fatal(FarTooLarge)).tight(),
    Attack::long(8, "wide-and-deep-without-end", &[(b"*90\r\n", u64::MAX)], Fatal(FarTooLarge)).tight(),

    Attack::long(9, "half-a-million-nulls", &[(b"*500000\r\n", 1), (b"_\r\n", 500_000)], Reads("500001")).asked(Ask::Count),
    Attack::long(9, "pairs-of-nothing", &[(b"%100000\r\n", 1), (b"$0\r\n\r\n", 200_000)], Reads("200001")).asked(Ask::Count),
    Attack::long(9, "one-too-many", &[(b"*101\r\n", 1), (b":1\r\n", 101)], TooLarge).tight(),
    Attack::long(9, "one-pair-too-many", &[(b"%51\r\n", 1), (b":1\r\n", 102)], TooLarge).tight(),
    Attack::long(9, "one-attribute-too-many", &[(b"|51\r\n", 1), (b":1\r\n", 103)], TooLarge).tight(),
    Attack::long(9, "as-many-as-allowed", &[(b"*100\r\n", 1), (NINE, 100)], Reads("1001")).tight().asked(Ask::Count),
    Attack::long(9, "many-by-many", &[(b"*100\r\n", 1), (TEN, 100)], TooLarge).tight(),
    Attack::long(9, "many-bytes-in-few", &[(b"*100\r\n", 1), (FORTY, 100)], TooLarge).tight(),
    Attack::long(9, "stream-without-end", &[(b"*?\r\n", 1), (b":1\r\n", u64::MAX)], Fatal(FarTooLarge)).tight(),
    Attack::long(9, "chunks-without-end", &[(b"$?\r\n", 1), (b";4\r\nabcd\r\n", u64::MAX)], Fatal(FarTooLarge)).tight(),
    Attack::long(9, "empty-arrays-without-end", &[(b"*?\r\n", 1), (b"*0\r\n", u64::MAX)], Fatal(FarTooLarge)).tight(),

    Attack::long(10, "nulls-as-a-tree", &[(b"*20000\r\n", 1), (b"_\r\n", 20_000)], Reads(r#""a tree""#)).asked(Ask::Tree),
    Attack::long(10, "empty-strings-as-a-tree", &[(b"*20000\r\n", 1), (b"+\r\n", 20_000)], Reads(r#""a tree""#)).asked(Ask::Tree),
    Attack::long(10, "empty-arrays-as-a-tree", &[(b"*20000\r\n", 1), (b"*0\r\n", 20_000)], Reads(r#""a tree""#)).asked(Ask::Tree),
    Attack::long(10, "small-arrays-as-a-tree", &[(b"*20000\r\n", 1), (b"*1\r\n_\r\n", 20_000)], Reads(r#""a tree""#)).asked(Ask::Tree),
    Attack::long(10, "small-maps-as-a-tree", &[(b"*20000\r\n", 1), (b"%1\r\n_\r\n_\r\n", 20_000)], Reads(r#""a tree""#)).asked(Ask::Tree),

    Attack::long(11, "attributes-without-end", &[(b"|1\r\n+a\r\n:1\r\n", u64::MAX)], Fatal(FarTooLarge)).tight(),
    Attack::long(11, "attributes-of-attributes-without-end", &[(b"|1\r\n", u64::MAX)], Fatal(FarTooLarge)).tight(),
    Attack::long(11, "empty-attributes-without-end", &[(b"|0\r\n", u64::MAX)], Fatal(FarTooLarge)).tight(),
    Attack::long(11, "attributes-without-end-and-time", &[(b"|1\r\n+a\r\n:1\r\n", u64::MAX)], Stalls),

    Attack::long(20, "push-too-large", &[(b">2\r\n+a\r\n$2000\r\n", 1), (b"x", 2000), (b"\r\n+own\r\n", 1)], Pushes(1, r#""own""#)).tight(),
    Attack::long(20, "pushes-too-large", &[(b">1\r\n$2000\r\n", 1), (b"x", 2000), (b"\r\n>101\r\n", 1), (b":1\r\n", 101), (b"+own\r\n", 1)], Pushes(2, r#""own""#)).tight(),

    Attack::long(25, "string-to-skip", &[(b"$60000\r\n", 1), (b"x", 60_000), (b"\r\n", 1)], TooLarge).tight(),
    Attack::long(25, "error-to-skip", &[(b"!60000\r\n", 1), (b"x", 60_000), (b"\r\n", 1)], TooLarge).tight(),
    Attack::long(25, "chunks-to-skip", &[(b"$?\r\n", 1), (b";4\r\nabcd\r\n", 5000), (b";0\r\n", 1)], TooLarge).tight(),
    Attack::long(25, "array-to-skip", &[(b"*1000\r\n", 1), (FORTY, 1000)], TooLarge).tight(),
    Attack::new(25, "string-not-to-skip", b"$70000\r\n", Fatal(FarTooLarge)).tight(),
    Attack::new(25, "array-not-to-skip", b"*30000\r\n", Fatal(FarTooLarge)).tight(),
    Attack::long(25, "array-that-grows", &[(b"*5000\r\n", 1), (FORTY, 5000)], Fatal(FarTooLarge)).tight(),
    Attack::long(25, "string-that-ends-otherwise", &[(b"$60000\r\n", 1), (b"x", 60_000), (b"XX", 1)], Fatal(BadTerminator)).tight(),
    Attack::long(25, "half-a-gibibyte", &[(b"$536870913\r\n", 1), (X, 131_072), (b"x\r\n", 1)], TooLarge),
];
