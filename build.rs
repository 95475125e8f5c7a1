//! Compiles `proto/` into messages, clients, servers and what the options say as types and tables. It needs no protoc. What a
//! contract may not say is refused here, so that it never compiles.
//!
//! A project that builds on the kit has contracts of its own: `TRADEWIND_CONTRACTS` names the folder with them, and they take the
//! place of the shop's.

#[path = "build/mod.rs"]
mod build;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// The folder that another project's contracts are in.
const OWN: &str = "TRADEWIND_CONTRACTS";
/// What is no context's, but every service's: the kit speaks it.
const KIT: [&str; 4] = ["consumer", "eventlog", "mesh", "options"];

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells a build script what to read and where to write by variables"
)]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-env-changed={OWN}");
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rerun-if-changed=proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let (folders, files) = contracts(env::var_os(OWN).map(PathBuf::from))?;
    let mut compiler = protox::Compiler::new(folders)?;
    compiler.include_imports(true).include_source_info(true).open_files(files)?;
    fs::write(out.join("descriptor.bin"), compiler.encode_file_descriptor_set())?;
    let pool = compiler.descriptor_pool();

    let made = build::code(&pool)?;
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    config.skip_debug(made.redacted.iter().map(|message| format!(".{message}")));
    tonic_prost_build::configure()
        .include_file("contracts.rs")
        .compile_fds_with_config(compiler.file_descriptor_set(), config)?;
    for (name, code) in made.files {
        fs::write(out.join(name), code)?;
    }
    Ok(())
}

/// The folders that contracts are looked for in, and the contracts that are compiled.
fn contracts(own: Option<PathBuf>) -> Result<(Vec<PathBuf>, Vec<PathBuf>), Box<dyn Error>> {
    let shops = PathBuf::from("proto");
    let Some(own) = own else {
        let files = proto_files(&shops)?;
        return Ok((vec![shops], files));
    };
    println!("cargo:rerun-if-changed={}", own.display());
    let mut files = proto_files(&own).map_err(|error| format!("{OWN} names {}: {error}", own.display()))?;
    for room in KIT {
        files.extend(proto_files(&shops.join("tradewind").join(room))?);
    }
    Ok((vec![own, shops], files))
}

fn proto_files(dir: &Path) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(proto_files(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
