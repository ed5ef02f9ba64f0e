//! Tells the linker where things are in the RP2040's memory, and finds the files of the Pico W's radio.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

/// Names the folder with the radio's files.
const RADIO: &str = "LUXWIRE_CYW43";
/// Its program, the rules of the countries, and how its antenna is tuned.
const RADIO_FILES: [&str; 3] = ["43439A0.bin", "43439A0_clm.bin", "nvram_rp2040.bin"];

fn main() -> io::Result<()> {
    let folder = PathBuf::from(env::var_os("OUT_DIR").expect("cargo says where"));
    fs::write(folder.join("memory.x"), include_bytes!("memory.x"))?;
    println!("cargo:rustc-link-search={}", folder.display());
    println!("cargo:rerun-if-changed=memory.x");
    for argument in ["--nmagic", "-Tlink.x", "-Tlink-rp.x"] {
        println!("cargo:rustc-link-arg-bins={argument}");
    }
    if env::var_os("CARGO_FEATURE_PICO_W").is_some() { radio(&folder) } else { Ok(()) }
}

/// Copies the radio's files to where the program looks for them; empty ones if nobody says where they are.
fn radio(folder: &Path) -> io::Result<()> {
    println!("cargo:rerun-if-env-changed={RADIO}");
    let source = env::var_os(RADIO).map(PathBuf::from);
    for name in RADIO_FILES {
        let bytes = match &source {
            None => Vec::new(),
            Some(source) => {
                let path = source.join(name);
                println!("cargo:rerun-if-changed={}", path.display());
                fs::read(&path)
                    .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))?
            }
        };
        fs::write(folder.join(name), bytes)?;
    }
    if source.is_none() {
        println!(
            "cargo:warning=without {RADIO} the Pico W's program has no Wi-Fi; docs/firmware.md says where its files are"
        );
    }
    Ok(())
}
