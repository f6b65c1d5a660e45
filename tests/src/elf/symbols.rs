//! The functions of a firmware image: whose they are, how large, and whether one of them panics.

use std::fmt;

use super::{half, word};

/// The functions of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Functions {
    /// Their names as the linker knows them, and their sizes in bytes.
    all: Vec<(String, usize)>,
}

/// Whose code a function of the program `codec` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Scanning replies, and the cursor over them.
    Decode,
    /// Writing requests.
    Encode,
    /// Values from replies.
    Typed,
    /// What each command says about itself.
    Commands,
    /// What the compiler made of each call, with whatever was put into it.
    Calls,
    /// Rust's library, and pieces that the compiler shares.
    Library,
    /// The board, and the checks.
    Rest,
}

impl Part {
    /// All parts of the codec.
    pub const CODEC: [Self; 6] =
        [Self::Decode, Self::Encode, Self::Typed, Self::Commands, Self::Calls, Self::Library];

    /// A function that is nobody else's counts for the codec.
    fn of(name: &str) -> Self {
        const REST: [&str; 7] = [
            "codec5check",
            "respire_firmware",
            "cortex_m_rt",
            "HardFault",
            "DefaultHandler",
            "DefaultPreInit",
            "SysTick",
        ];
        let has = |texts: &[&str]| texts.iter().any(|text| name.contains(text));
        if has(&REST) || matches!(name, "Reset" | "main") || name.starts_with("mem") || name.starts_with("__")
        {
            Self::Rest
        } else if has(&["codec5calls"]) {
            Self::Calls
        } else if has(&["AnyRequest", "respire_core7command", "respire_core..command"]) {
            Self::Commands
        } else if has(&["FromReply", "from_reply"]) {
            Self::Typed
        } else if has(&[
            "resp6encode",
            "resp..encode",
            "6Digits",
            "put_digits",
            "put_line",
            "5width",
            "line_len",
        ]) {
            Self::Encode
        } else if has(&["respire_core"]) {
            Self::Decode
        } else {
            Self::Library
        }
    }
}

/// What the names of functions that panic have in them. All lead to the first, through which every
/// program with a panic comes.
const PANICS: [&str; 8] = [
    "panicking",
    "begin_unwind",
    "unwrap_failed",
    "expect_failed",
    "slice_index_fail",
    "slice_error_fail",
    "len_mismatch_fail",
    "panic_already",
];

impl Functions {
    /// Reads the symbols of a 32-bit little-endian ELF file. `None`: it is no such file, it is damaged, or
    /// it has been stripped of them.
    #[must_use]
    pub fn of(elf: &[u8]) -> Option<Self> {
        if elf.get(..6)? != b"\x7fELF\x01\x01" {
            return None;
        }
        let (start, size, count) = (word(elf, 0x20)?, half(elf, 0x2e)?, half(elf, 0x30)?);
        let section = |number: usize| elf.get(start + number * size..);
        let content = |section: &[u8]| {
            let (at, len) = (word(section, 16)?, word(section, 20)?);
            elf.get(at..at + len)
        };
        let table = (0..count).filter_map(section).find(|section| word(section, 4) == Some(SYMBOLS))?;
        let names = content(section(word(table, 24)?)?)?;
        let functions = content(table)?.chunks_exact(16).filter(|symbol| symbol[12] & 0xf == FUNCTION);
        let named = functions.filter_map(|symbol| {
            let name = names.get(word(symbol, 0)?..)?.split(|&byte| byte == 0).next()?;
            Some((String::from_utf8_lossy(name).into_owned(), word(symbol, 8)?))
        });
        let all: Vec<_> = named.collect();
        if all.is_empty() { None } else { Some(Self { all }) }
    }

    /// The names of those that panic: of a program that cannot, none.
    pub fn panics(&self) -> impl Iterator<Item = &str> {
        let names = self.all.iter().map(|(name, _)| name.as_str());
        names.filter(|name| PANICS.iter().any(|panic| name.contains(panic)))
    }

    /// How many bytes of code a part is.
    #[must_use]
    pub fn size(&self, part: Part) -> usize {
        self.all.iter().filter(|(name, _)| Part::of(name) == part).map(|(_, size)| size).sum()
    }

    /// How many bytes of code the codec is, with all that was compiled for the requests and types of
    /// the program.
    #[must_use]
    pub fn codec(&self) -> usize {
        Part::CODEC.iter().map(|&part| self.size(part)).sum()
    }
}

impl fmt::Display for Functions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of codec:", self.codec())?;
        for part in Part::CODEC {
            write!(f, " {} {}", format!("{part:?}").to_lowercase(), self.size(part))?;
        }
        Ok(())
    }
}

/// The section with the symbols.
const SYMBOLS: usize = 2;
/// A symbol that is a function.
const FUNCTION: u8 = 2;

#[cfg(test)]
mod tests {
    use super::*;

    /// A file of two sections: the symbols, (name, size, kind) of each, and their names.
    fn file(symbols: &[(&str, u32, u8)]) -> Vec<u8> {
        let mut names = vec![0];
        let mut table = Vec::new();
        for (name, size, kind) in symbols {
            table.extend((names.len() as u32).to_le_bytes());
            table.extend(0_u32.to_le_bytes());
            table.extend(size.to_le_bytes());
            table.extend([*kind, 0, 0, 0]);
            names.extend(name.bytes());
            names.push(0);
        }
        let mut bytes = vec![0; 52 + 2 * 40];
        bytes[..6].copy_from_slice(b"\x7fELF\x01\x01");
        bytes[0x20] = 52;
        bytes[0x2e] = 40;
        bytes[0x30] = 2;
        let mut put =
            |at: usize, value: usize| bytes[at..at + 4].copy_from_slice(&(value as u32).to_le_bytes());
        let behind = 52 + 2 * 40;
        for (at, value) in [(4, SYMBOLS), (16, behind), (20, table.len()), (24, 1)] {
            put(52 + at, value);
        }
        for (at, value) in [(4, 3), (16, behind + table.len()), (20, names.len())] {
            put(92 + at, value);
        }
        [bytes, table, names].concat()
    }

    #[test]
    fn functions_are_sorted_and_those_that_panic_named() {
        let image = file(&[
            ("_ZN12respire_core4resp4scan7Scanner4scan17h0123456789abcdefE", 100, 2),
            ("_ZN12respire_core4resp6encode4copy17h0123456789abcdefE", 20, 2),
            ("_ZN5codec5check3all17h0123456789abcdefE", 5000, 2),
            ("OUTLINED_FUNCTION_7", 8, 2),
            ("_ZN4core9panicking9panic_fmt17h0123456789abcdefE", 6, 2),
            ("_ZN12respire_core9panicking_no_code17h0123456789abcdefE", 4000, 1),
        ]);
        let functions = Functions::of(&image).unwrap();
        assert_eq!(functions.size(Part::Decode), 100);
        assert_eq!(functions.size(Part::Encode), 20);
        assert_eq!(functions.size(Part::Rest), 5000);
        assert_eq!(functions.codec(), 134);
        assert_eq!(
            functions.panics().collect::<Vec<_>>(),
            ["_ZN4core9panicking9panic_fmt17h0123456789abcdefE"]
        );
    }

    #[test]
    fn what_has_no_symbols_is_refused() {
        assert_eq!(Functions::of(b""), None);
        assert_eq!(Functions::of(&file(&[])), None);
        let image = file(&[("main", 1, 2)]);
        assert_eq!(Functions::of(&image[..100]), None, "cut short");
    }
}
