//! Putting the tables into a page of the docs, between two markers; the rest of the page is people's.

use anyhow::{Context as _, Result};
use std::{fs, path::Path};

/// Replaces what stands between the markers.
pub(super) fn write(path: &Path, tables: &str) -> Result<()> {
    let page = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let page = replaced(&page, tables).with_context(|| {
        format!("{} lacks the lines {BEGIN} and {END}, between which the tables belong", path.display())
    })?;
    fs::write(path, page).with_context(|| format!("cannot write {}", path.display()))
}

const BEGIN: &str = "<!-- why-mqtt: begin -->";
const END: &str = "<!-- why-mqtt: end -->";

fn replaced(page: &str, tables: &str) -> Option<String> {
    let (before, rest) = page.split_once(BEGIN)?;
    let (_, after) = rest.split_once(END)?;
    Some(format!("{before}{BEGIN}\n{}\n{END}{after}", tables.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_between_the_markers_is_replaced() {
        let page = format!("# Why\n{BEGIN}\nold\n{END}\nBecause.\n");
        let page = replaced(&page, "| a |\n").unwrap();
        assert_eq!(page, format!("# Why\n{BEGIN}\n| a |\n{END}\nBecause.\n"));
        assert_eq!(replaced(&page, "| a |\n").unwrap(), page);
    }

    #[test]
    fn a_page_without_markers_is_left_alone() {
        assert_eq!(replaced("# Why\n", "| a |"), None);
        assert_eq!(replaced(&format!("{END} {BEGIN}"), "| a |"), None);
    }
}
