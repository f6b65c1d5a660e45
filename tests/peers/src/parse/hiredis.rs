//! hiredis: its reader, fed by 16 KiB as it feeds itself, with and without objects.

use std::ffi::c_void;
use std::hint::black_box;
use std::slice;

use super::workloads::{Typed, Workload};
use crate::case::{Case, Kind};
use crate::hiredis::{OldReply, Reader, Reply, hiredis};
use crate::tree::Tree;

const BY: &str = "hiredis";

/// What it reads from a socket at once.
const READ: usize = 16 << 10;

/// hiredis at a workload.
pub(crate) fn cases(workload: &Workload) -> Vec<Case> {
    // It copies all it is fed, and then the strings.
    let copied = [(Kind::Frame, workload.wire()), (Kind::Owned, workload.wire() + workload.payload())];
    let library = match hiredis() {
        Ok(library) if library.is_modern() || workload.is_resp2() => library,
        Ok(_) => return Vec::new(),
        Err(why) => return copied.map(|(kind, copied)| Case::missing(BY, kind, copied, why)).into(),
    };
    let pieces: Vec<_> = workload.bytes.chunks(workload.piece.unwrap_or(READ)).collect();

    let mut trees = Vec::new();
    let mut reader = Reader::new(library, true);
    for piece in &pieces {
        reader.feed(piece, |reply| {
            // SAFETY: a reply of this library, not freed yet.
            trees.push(unsafe {
                if library.is_modern() { tree(reply.cast()) } else { old_tree(reply.cast()) }
            });
        });
    }
    workload.check_trees(BY, trees);

    let count = workload.replies.len();
    let kind = hiredis_kind(workload.typed);
    Reader::new(library, false).feed(workload.each().next().unwrap(), |reply| {
        assert_eq!(reply.addr(), kind, "without objects, the kind is all there is");
    });
    copied
        .map(|(kind, copied)| {
            let mut reader = Reader::new(library, kind == Kind::Owned);
            let pieces = pieces.clone();
            Case::new(BY, kind, copied, move || {
                let mut replies = 0;
                for piece in black_box(&pieces) {
                    reader.feed(piece, |reply: *mut c_void| {
                        black_box(reply);
                        replies += 1;
                    });
                }
                assert_eq!(replies, count);
            })
            .counted(library.is_modern())
        })
        .into()
}

/// `REDIS_REPLY_…`
fn hiredis_kind(typed: Typed) -> usize {
    match typed {
        Typed::Bytes => 1,
        Typed::List | Typed::Nested => 2,
        Typed::Integer => 3,
        Typed::Status => 5,
        Typed::Map => 9,
        Typed::Message => 12,
    }
}

/// Both layouts have the same names.
macro_rules! to_tree {
    ($name:ident, $Reply:ty) => {
        /// # Safety
        /// It points to a reply of the library with this layout.
        unsafe fn $name(reply: *const $Reply) -> Tree {
            let reply = unsafe { &*reply };
            let text = || unsafe { slice::from_raw_parts(reply.text, reply.len) }.to_vec();
            let all = || -> Vec<_> {
                let elements = unsafe { slice::from_raw_parts(reply.element, reply.elements) };
                elements.iter().map(|&element| unsafe { $name(element) }).collect()
            };
            match reply.kind {
                1 => Tree::Bulk(text()),
                2 => Tree::Array(all()),
                3 => Tree::Integer(reply.integer),
                5 => Tree::Status(text()),
                9 => Tree::Map(all().chunks(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect()),
                12 => Tree::Push(all()),
                other => panic!("no workload has kind {other}"),
            }
        }
    };
}

to_tree!(tree, Reply);
to_tree!(old_tree, OldReply);
