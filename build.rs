//! Compiles `proto/` into messages, clients, servers and what the options say as types and tables. It needs no protoc. What a
//! contract may not say is refused here, so that it never compiles.

#[path = "build/mod.rs"]
mod build;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script where to write by a variable")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=build");
    println!("cargo:rerun-if-changed=proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_files(proto_files(Path::new("proto"))?)?;
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
