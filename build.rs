//! Compiles `proto/` into messages, clients, servers and what the options say as types and tables. It needs no protoc. What a
//! contract may not say is refused here, so that it never compiles.

#[path = "build/asked.rs"]
mod asked;
#[path = "build/events.rs"]
mod events;
#[path = "build/methods.rs"]
mod methods;
#[path = "build/options.rs"]
mod options;
#[path = "build/reactions.rs"]
mod reactions;
#[path = "build/redacted.rs"]
mod redacted;

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

    let redacted = redacted::messages(&pool);
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    config.skip_debug(redacted.iter().map(|message| format!(".{}", message.full_name())));
    tonic_prost_build::configure()
        .include_file("contracts.rs")
        .compile_fds_with_config(compiler.file_descriptor_set(), config)?;
    fs::write(out.join("redacted.rs"), redacted::code(&redacted))?;
    fs::write(out.join("asked.rs"), asked::code(&pool))?;
    fs::write(out.join("reactions.rs"), reactions::code(&pool)?)?;
    fs::write(out.join("tables.rs"), methods::code(&pool)? + &events::code(&pool)?)?;
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
