//! Names the build: a number over all of the source and the dependencies' versions. A snapshot of the
//! history's folds is used by the very build that wrote it and by no other (docs/HISTORY.md).

use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::{fs, io};

fn main() -> io::Result<()> {
    let mut files = vec![PathBuf::from("Cargo.lock")];
    sources(Path::new("src"), &mut files)?;
    files.sort();
    let mut build = DefaultHasher::new();
    for file in files {
        // Names and lengths too, so that no two trees look alike.
        let (name, text) = (file.to_string_lossy().replace('\\', "/"), fs::read(&file)?);
        build.write(name.as_bytes());
        build.write_usize(text.len());
        build.write(&text);
    }
    println!("cargo::rerun-if-changed=src");
    println!("cargo::rerun-if-changed=Cargo.lock");
    println!("cargo::rustc-env=MADOGUCHI_BUILD={:016x}", build.finish());
    Ok(())
}

fn sources(folder: &Path, into: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, into)?;
        } else {
            into.push(path);
        }
    }
    Ok(())
}
