//! How much flash and RAM a firmware image takes, from the section headers of its ELF file; and what its
//! functions are, from its symbols.
//!
//! ```text
//!              .vector_table .text .rodata     .data      .bss
//!    flash     ──────────────────────────────────┘
//!    RAM                                       └────────────┘       and the stack
//! ```

mod symbols;

use std::fmt;
use std::ops::Range;

pub use symbols::{Functions, Part};

/// What an image takes, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Footprint {
    /// Code, constants, and the first values of statics.
    pub flash: usize,
    /// Statics. The stack comes on top, and only a run can tell how deep it gets.
    pub statics: usize,
}

impl Footprint {
    /// Reads the sections of a 32-bit little-endian ELF file. `None`: it is no such file, or it is damaged.
    #[must_use]
    pub fn of(elf: &[u8]) -> Option<Self> {
        if elf.get(..6)? != b"\x7fELF\x01\x01" {
            return None;
        }
        let start = word(elf, 0x20)?;
        let (size, count) = (half(elf, 0x2e)?, half(elf, 0x30)?);
        let mut footprint = Self { flash: 0, statics: 0 };
        for number in 0..count {
            let section = elf.get(start + number * size..)?;
            let (kind, flags, size) = (word(section, 4)?, word(section, 8)?, word(section, 20)?);
            if flags & ALLOCATED == 0 {
                continue;
            }
            if kind != NO_BITS {
                footprint.flash += size;
            }
            if flags & WRITABLE != 0 {
                footprint.statics += size;
            }
        }
        Some(footprint)
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of flash, {} bytes of RAM without the stack", self.flash, self.statics)
    }
}

/// A section that takes room in memory but none in the file, as `.bss` does.
const NO_BITS: usize = 8;
const WRITABLE: usize = 1;
const ALLOCATED: usize = 2;

fn word(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u32::from_le_bytes(field(bytes, at..at + 4)?) as usize)
}

fn half(bytes: &[u8], at: usize) -> Option<usize> {
    Some(u16::from_le_bytes(field(bytes, at..at + 2)?).into())
}

fn field<const N: usize>(bytes: &[u8], range: Range<usize>) -> Option<[u8; N]> {
    bytes.get(range)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of nothing but section headers: (kind, flags, size) of each.
    fn file(sections: &[[u32; 3]]) -> Vec<u8> {
        let mut bytes = vec![0; 52 + 40 * sections.len()];
        bytes[..6].copy_from_slice(b"\x7fELF\x01\x01");
        bytes[0x20] = 52;
        bytes[0x2e] = 40;
        bytes[0x30] = sections.len() as u8;
        for (number, [kind, flags, size]) in sections.iter().enumerate() {
            for (at, value) in [(4, kind), (8, flags), (20, size)] {
                let at = 52 + 40 * number + at;
                bytes[at..at + 4].copy_from_slice(&value.to_le_bytes());
            }
        }
        bytes
    }

    #[test]
    fn sections_count_where_they_take_room() {
        let code = [1, 0b110, 1000];
        let data = [1, 0b011, 20];
        let bss = [8, 0b011, 300];
        let debug = [1, 0, 5000];
        let image = file(&[code, data, bss, debug]);
        assert_eq!(Footprint::of(&image), Some(Footprint { flash: 1020, statics: 320 }));
    }

    #[test]
    fn what_is_no_image_is_refused() {
        assert_eq!(Footprint::of(b""), None);
        assert_eq!(Footprint::of(b"\x7fELF\x02\x01, of 64 bits"), None);
        let image = file(&[[1, 0b110, 1000]]);
        assert_eq!(Footprint::of(&image[..image.len() - 20]), None, "cut short");
    }
}
