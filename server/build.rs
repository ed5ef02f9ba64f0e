//! Has the server built again when the page changes. It builds nothing itself.
//!
//! A debug build reads the page from `dist/` while it runs, so only a release build, which carries the page inside,
//! has to watch that folder.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    if std::env::var_os("PROFILE").is_some_and(|profile| profile == "release") {
        println!("cargo:rerun-if-changed=../dist");
    }
}
