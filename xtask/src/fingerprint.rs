//! Fingerprints: a short text that changes whenever the content of files does. Times of change play no part, so that a
//! fresh clone, a branch switched back and forth, and a copy all count as what they are.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

/// Gathers what a result depends on.
#[derive(Default)]
pub(crate) struct Fingerprint(Sha256);

impl Fingerprint {
    /// Adds a file, or everything in a folder but hidden and generated things. What does not exist counts as absent.
    pub(crate) fn add_path(&mut self, root: &Path, name: &str) -> Result<()> {
        let mut files = Vec::new();
        gather(&root.join(name), &mut files)?;
        files.sort();
        for file in files {
            let content = fs::read(&file).with_context(|| format!("cannot read {}", file.display()))?;
            let name = file.strip_prefix(root).unwrap_or(&file).to_string_lossy().into_owned();
            self.add(&name);
            self.add_bytes(&content);
        }
        Ok(())
    }

    /// Adds a setting or a version.
    pub(crate) fn add(&mut self, text: &str) {
        self.add_bytes(text.as_bytes());
    }

    /// The length goes first, so that `ab`, `c` differs from `a`, `bc`.
    fn add_bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> String {
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

fn gather(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        files.push(path.to_path_buf());
    }
    if !path.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !name.starts_with('.') && name != "target" && name != "node_modules" {
            gather(&path, files)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
        let root = std::env::temp_dir().join(format!("luxwire-fingerprint-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&root);
        for (name, content) in files {
            let path = root.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        root
    }

    fn of(name: &str, files: &[(&str, &str)]) -> String {
        let root = folder(name, files);
        let mut fingerprint = Fingerprint::default();
        fingerprint.add_path(&root, "src").unwrap();
        fs::remove_dir_all(root).unwrap();
        fingerprint.finish()
    }

    #[test]
    fn equal_content_has_an_equal_fingerprint_wherever_it_lies() {
        let files = [("src/main.rs", "fn main() {}"), ("src/a/b.rs", "")];
        assert_eq!(of("here", &files), of("there", &files));
    }

    #[test]
    fn a_changed_moved_or_additional_file_changes_the_fingerprint() {
        let original = of("original", &[("src/main.rs", "ab")]);
        assert_ne!(of("changed", &[("src/main.rs", "ac")]), original);
        assert_ne!(of("moved", &[("src/lib.rs", "ab")]), original);
        assert_ne!(of("additional", &[("src/main.rs", "ab"), ("src/z.rs", "")]), original);
    }

    #[test]
    fn generated_and_hidden_files_play_no_part() {
        let original = of("plain", &[("src/main.rs", "ab")]);
        let built = [("src/main.rs", "ab"), ("src/target/debug/x", "1"), ("src/.main.rs.swp", "2")];
        assert_eq!(of("built", &built), original);
    }

    #[test]
    fn neighbouring_parts_do_not_run_together() {
        let finish = |parts: [&str; 2]| {
            let mut fingerprint = Fingerprint::default();
            parts.iter().for_each(|part| fingerprint.add(part));
            fingerprint.finish()
        };
        assert_ne!(finish(["ab", "c"]), finish(["a", "bc"]));
    }
}
