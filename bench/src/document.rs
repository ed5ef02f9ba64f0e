//! Putting tables into a page of the docs, between two markers; the rest of the page is people's.

use anyhow::{Context as _, Result};
use std::{fs, path::Path};

/// Replaces what stands between the markers of this name.
pub(crate) fn write(path: &Path, name: &str, tables: &str) -> Result<()> {
    let page = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let page = replaced(&page, name, tables).with_context(|| {
        let (begin, end) = markers(name);
        format!("{} lacks the lines {begin} and {end}, between which the tables belong", path.display())
    })?;
    fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))
}

fn markers(name: &str) -> (String, String) {
    (format!("<!-- {name}: begin -->"), format!("<!-- {name}: end -->"))
}

fn replaced(page: &str, name: &str, tables: &str) -> Option<String> {
    let (begin, end) = markers(name);
    let (before, rest) = page.split_once(&begin)?;
    let (_, after) = rest.split_once(&end)?;
    Some(format!("{before}{begin}\n{}\n{end}{after}", tables.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let (begin, end) = markers("why");
        let page = format!("# Why\n{begin}\nold\n{end}\nBecause.\n");
        let page = replaced(&page, "why", "| a |\n").unwrap();
        assert_eq!(page, format!("# Why\n{begin}\n| a |\n{end}\nBecause.\n"));
        assert_eq!(replaced(&page, "why", "| a |\n").unwrap(), page);
    }

    #[test]
    fn a_page_without_these_markers_is_left_alone() {
        let (begin, end) = markers("why");
        assert_eq!(replaced("# Why\n", "why", "| a |"), None);
        assert_eq!(replaced(&format!("{end} {begin}"), "why", "| a |"), None);
        assert_eq!(replaced(&format!("{begin} {end}"), "how", "| a |"), None);
    }
}
