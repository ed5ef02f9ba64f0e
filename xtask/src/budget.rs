//! What the page weighs on the wire: compresses its files for the server, and adds up what a browser loads. It does not
//! know how the page is made.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;

/// What is loaded together, and how heavy it may be on the wire.
struct Budget {
    name: &'static str,
    bytes: u64,
    /// What the names of its files begin with; the files that belong to no other budget, if it is empty.
    prefix: &'static str,
}

const BUDGETS: [Budget; 2] = [
    // Everything that a visit loads. A wall tablet on a weak WLAN has it in a second.
    Budget { name: "page", bytes: 180_000, prefix: "" },
    // The picture is loaded by who opens it, and may take half as long as the page before anything moves.
    Budget { name: "picture", bytes: 92_000, prefix: "luxwire-picture" },
];

/// Puts a `.br` and a `.gz` beside each file that they make smaller.
pub(crate) fn compress(dist: &Path) -> Result<()> {
    for file in files(dist)? {
        if is_compressible(&file) {
            let content = fs::read(&file)?;
            fs::write(sibling(&file, "br"), brotli(&content)?)?;
            fs::write(sibling(&file, "gz"), gzip(&content)?)?;
        }
    }
    Ok(())
}

/// What each file of the page weighs.
pub(crate) struct Weights(Vec<Weight>);

struct Weight {
    name: String,
    plain: u64,
    on_the_wire: u64,
}

impl Weights {
    /// Weighs a page that was compressed before.
    pub(crate) fn of(dist: &Path) -> Result<Self> {
        let weigh = |file: PathBuf| {
            let length = |path: &Path| fs::metadata(path).map(|metadata| metadata.len());
            let plain = length(&file)?;
            let on_the_wire = if is_compressible(&file) { length(&sibling(&file, "br")) } else { Ok(plain) }
                .with_context(|| format!("{} was not compressed", file.display()))?;
            let name = file.strip_prefix(dist)?.to_string_lossy().into_owned();
            Ok(Weight { name, plain, on_the_wire })
        };
        let weights: Result<Vec<Weight>> = files(dist)?.into_iter().map(weigh).collect();
        let mut weights = weights?;
        weights.sort_by_key(|weight| std::cmp::Reverse(weight.on_the_wire));
        Ok(Self(weights))
    }

    /// What the files of a budget weigh together, plain and on the wire.
    fn totals(&self, budget: &Budget) -> (u64, u64) {
        let files = self.0.iter().filter(|weight| budget.has(&weight.name));
        files.fold((0, 0), |(plain, on_the_wire), weight| {
            (plain + weight.plain, on_the_wire + weight.on_the_wire)
        })
    }

    /// A line for each file, the heaviest first.
    pub(crate) fn table(&self) -> String {
        let width = self.0.iter().map(|weight| weight.name.chars().count()).max().unwrap_or(0).max(5);
        let line = |name: &str, plain: u64, on_the_wire: u64| {
            format!("  {name:<width$}  {:>9}  {:>9}\n", thousands(plain), thousands(on_the_wire))
        };
        let mut table = format!("  {:<width$}  {:>9}  {:>9}\n", "file", "plain", "brotli");
        for Weight { name, plain, on_the_wire } in &self.0 {
            table += &line(name, *plain, *on_the_wire);
        }
        for budget in &BUDGETS {
            let (plain, on_the_wire) = self.totals(budget);
            table += &line(budget.name, plain, on_the_wire);
        }
        table
    }

    /// How much of each budget is used.
    pub(crate) fn share(&self) -> String {
        let share = |budget: &Budget| {
            let (_, total) = self.totals(budget);
            format!("{} {} of {} bytes", budget.name, thousands(total), thousands(budget.bytes))
        };
        BUDGETS.iter().map(share).collect::<Vec<_>>().join(", ")
    }

    /// Fails for a page or a picture that is too heavy, or not there.
    pub(crate) fn check(&self) -> Result<()> {
        for budget in &BUDGETS {
            let Budget { name, bytes, .. } = budget;
            let (_, total) = self.totals(budget);
            ensure!(total > 0, "there is no {name} to weigh");
            ensure!(
                total <= *bytes,
                "the {name} weighs {} bytes, {} more than the budget of {}",
                thousands(total),
                thousands(total - bytes),
                thousands(*bytes)
            );
        }
        Ok(())
    }
}

impl Budget {
    fn has(&self, name: &str) -> bool {
        let mut others = BUDGETS.iter().filter(|other| !other.prefix.is_empty());
        if self.prefix.is_empty() {
            !others.any(|other| name.starts_with(other.prefix))
        } else {
            name.starts_with(self.prefix)
        }
    }
}

/// The files of the page itself, without their compressed siblings.
fn files(dist: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dist).with_context(|| format!("cannot read {}", dist.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(files(&path)?);
        } else if !matches!(extension(&path), "br" | "gz") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Text and code. Pictures and fonts for the web are compressed as they are.
fn is_compressible(file: &Path) -> bool {
    matches!(
        extension(file),
        "css"
            | "html"
            | "ico"
            | "js"
            | "json"
            | "map"
            | "mjs"
            | "svg"
            | "txt"
            | "wasm"
            | "webmanifest"
            | "xml"
    )
}

fn extension(file: &Path) -> &str {
    file.extension().and_then(|extension| extension.to_str()).unwrap_or_default()
}

fn sibling(file: &Path, extension: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".");
    name.push(extension);
    name.into()
}

fn brotli(content: &[u8]) -> Result<Vec<u8>> {
    // The best that brotli can do, with a window (2^22) that every browser has room for.
    let parameters = brotli::enc::BrotliEncoderParams { quality: 11, lgwin: 22, ..Default::default() };
    let mut compressed = Vec::new();
    brotli::BrotliCompress(&mut &*content, &mut compressed, &parameters).context("brotli cannot compress")?;
    Ok(compressed)
}

fn gzip(content: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content)?;
    encoder.finish().context("gzip cannot compress")
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    fn page(name: &str, files: &[(&str, &[u8])]) -> PathBuf {
        let dist = std::env::temp_dir().join(format!("luxwire-budget-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&dist);
        fs::create_dir_all(dist.join("fonts")).unwrap();
        for (name, content) in files {
            fs::write(dist.join(name), content).unwrap();
        }
        dist
    }

    /// Bytes that no compression makes smaller.
    fn noise(length: u32) -> Vec<u8> {
        let scramble = |n: u32| n.wrapping_mul(2_654_435_761).rotate_left(13).wrapping_mul(2_246_822_519);
        (0..length).map(|n| scramble(scramble(n)).to_be_bytes()[0]).collect()
    }

    #[test]
    fn a_page_is_weighed_as_it_travels() {
        let text = "light ".repeat(1000);
        let dist = page("weighed", &[("index.html", text.as_bytes()), ("fonts/a.woff2", &noise(500))]);
        compress(&dist).unwrap();
        let weights = Weights::of(&dist).unwrap();
        let html = fs::metadata(dist.join("index.html.br")).unwrap().len();
        assert!(html < 100);
        assert_eq!(weights.totals(&BUDGETS[0]), (6_000 + 500, html + 500));
        assert!(!dist.join("fonts/a.woff2.br").exists());
        let table = weights.table();
        assert!(table.contains("index.html") && table.contains("6 000") && table.contains("page"));
        fs::remove_dir_all(dist).unwrap();
    }

    #[test]
    fn both_compressions_give_the_file_back() {
        let dist = page("given-back", &[("app.js", b"let a = 1;")]);
        compress(&dist).unwrap();
        let mut brotli = Vec::new();
        brotli::BrotliDecompress(&mut &*fs::read(dist.join("app.js.br")).unwrap(), &mut brotli).unwrap();
        let mut gzip = Vec::new();
        let file = fs::File::open(dist.join("app.js.gz")).unwrap();
        flate2::read::GzDecoder::new(file).read_to_end(&mut gzip).unwrap();
        assert_eq!((&*brotli, &*gzip), (&b"let a = 1;"[..], &b"let a = 1;"[..]));
        fs::remove_dir_all(dist).unwrap();
    }

    #[test]
    fn the_budgets_hold_to_the_byte() {
        for (page_length, picture_length, fits) in
            [(180_000, 92_000, true), (180_001, 1, false), (1, 92_001, false), (1, 0, false)]
        {
            let files: [(&str, &[u8]); 2] =
                [("fonts/a.woff2", &noise(page_length)), ("luxwire-picture.woff2", &noise(picture_length))];
            let dist = page(&format!("{page_length}-{picture_length}"), &files);
            let check = Weights::of(&dist).unwrap().check();
            assert_eq!(check.is_ok(), fits, "{page_length} and {picture_length} bytes");
            fs::remove_dir_all(dist).unwrap();
        }
    }

    #[test]
    fn no_page_is_not_a_light_page() {
        let dist = page("empty", &[]);
        assert!(Weights::of(&dist).unwrap().check().is_err());
        fs::remove_dir_all(dist).unwrap();
    }

    #[test]
    fn a_page_that_was_not_compressed_cannot_be_weighed() {
        let dist = page("raw", &[("index.html", b"<html>")]);
        assert!(Weights::of(&dist).is_err());
        fs::remove_dir_all(dist).unwrap();
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        assert_eq!(thousands(7), "7");
        assert_eq!(thousands(180_000), "180 000");
        assert_eq!(thousands(1_234_567), "1 234 567");
    }
}
