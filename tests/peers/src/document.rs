//! Tables into a document, in place of those that were there.

use std::fs;
use std::path::Path;

/// Replaces what stands between `<!-- name -->` and `<!-- /name -->`.
///
/// # Errors
/// What went wrong, in words.
pub(crate) fn replace(path: &Path, name: &str, text: &str) -> Result<(), String> {
    let shown = path.display();
    let document = fs::read_to_string(path).map_err(|error| format!("{shown}: {error}"))?;
    let document = replaced(&document, name, text).ok_or(format!("{shown}: no place for {name}"))?;
    fs::write(path, document).map_err(|error| format!("{shown}: {error}"))
}

fn replaced(document: &str, name: &str, text: &str) -> Option<String> {
    let (begin, end) = (format!("<!-- {name} -->\n"), format!("<!-- /{name} -->"));
    let (before, rest) = document.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{}\n\n{end}{after}", text.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_goes_where_the_last_one_was() {
        let document = "a\n<!-- encode -->\nold\n<!-- /encode -->\nb\n";
        let once = replaced(document, "encode", "\nnew\n").unwrap();
        assert_eq!(once, "a\n<!-- encode -->\n\nnew\n\n<!-- /encode -->\nb\n");
        assert_eq!(replaced(&once, "encode", "new").unwrap(), once);
        assert_eq!(replaced(document, "parse", "new"), None);
    }
}
