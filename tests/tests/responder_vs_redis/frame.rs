//! Replies as trees, to compare them where their bytes may differ.

/// A reply, cut where its parts are.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Frame {
    /// Its first line, and for a string the text.
    pub(crate) text: Vec<u8>,
    pub(crate) parts: Vec<Self>,
}

impl Frame {
    /// The first reply of `bytes` and how long it is, if it is complete.
    pub(crate) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let line = bytes.windows(2).position(|pair| pair == b"\r\n")? + 2;
        let number = || -> i64 {
            let digits = std::str::from_utf8(&bytes[1..line - 2]).expect("a length in digits");
            digits.parse().unwrap_or_else(|_| panic!("a length, not {digits:?}"))
        };
        let (mut end, mut parts) = (line, Vec::new());
        match bytes[0] {
            b'+' | b'-' | b':' | b'_' | b',' | b'#' | b'(' => {}
            b'$' | b'=' | b'!' => {
                if let Ok(len) = usize::try_from(number()) {
                    end += len + 2;
                }
            }
            kind @ (b'*' | b'~' | b'>' | b'%') => {
                let count = if kind == b'%' { number() * 2 } else { number() };
                for _ in 0..count {
                    let (part, len) = Self::read(bytes.get(end..)?)?;
                    parts.push(part);
                    end += len;
                }
            }
            other => panic!("no reply starts with {:?}", other as char),
        }
        let text_end = if parts.is_empty() { end } else { line };
        Some((Self { text: bytes.get(..text_end)?.to_vec(), parts }, end))
    }

    /// All replies of `bytes`, which holds nothing else.
    pub(crate) fn read_all(mut bytes: &[u8]) -> Vec<Self> {
        let mut frames = Vec::new();
        while !bytes.is_empty() {
            let (frame, len) = Self::read(bytes).expect("whole replies");
            frames.push(frame);
            bytes = &bytes[len..];
        }
        frames
    }

    /// Sorts what has no order, in groups of `size`; of a scan, the items.
    pub(crate) fn sort(&mut self, size: usize) {
        match self.parts.as_mut_slice() {
            [cursor, items] if cursor.text.starts_with(b"$") && items.text.starts_with(b"*") => {
                items.parts.sort();
            }
            _ => {
                let mut groups: Vec<Vec<Self>> = self.parts.chunks(size).map(<[Self]>::to_vec).collect();
                groups.sort();
                self.parts = groups.concat();
            }
        }
    }

    /// Sorts everything, at every depth.
    pub(crate) fn sort_all(&mut self) {
        self.parts.iter_mut().for_each(Self::sort_all);
        self.parts.sort();
    }

    /// Whether only integers differ, by `tolerance` at most; a string of digits counts as one.
    pub(crate) fn is_near(&self, other: &Self, tolerance: Option<u64>) -> bool {
        let text_near = match (self.integer(), other.integer()) {
            (Some(a), Some(b)) => tolerance.is_none_or(|tolerance| a.abs_diff(b) <= tolerance),
            _ => self.text == other.text,
        };
        let mut pairs = self.parts.iter().zip(&other.parts);
        text_near && self.parts.len() == other.parts.len() && pairs.all(|(a, b)| a.is_near(b, tolerance))
    }

    fn integer(&self) -> Option<i64> {
        let text = match self.text.first()? {
            b':' => &self.text[1..],
            b'$' => &self.text[self.text.iter().position(|&byte| byte == b'\n')? + 1..],
            _ => return None,
        };
        std::str::from_utf8(text).ok()?.trim_end().parse().ok()
    }

    /// Whether both are the same kind of reply.
    pub(crate) fn is_like(&self, other: &Self) -> bool {
        self.text.first() == other.text.first()
    }

    /// The names in a text of `name=value` or `name:value`, and its headings.
    pub(crate) fn fields(&self) -> Vec<String> {
        let text = String::from_utf8_lossy(&self.text).into_owned();
        let words = text.split(['\n', ' ']).map(str::trim);
        words
            .filter_map(|word| match word.split_once(['=', ':']) {
                Some((name, _)) => Some(name.to_owned()),
                None => word.starts_with('#').then(|| word.to_owned()),
            })
            .filter(|name| !name.starts_with(['$']) && name != "txt")
            .collect()
    }
}
