//! Compiles `proto/` into messages, clients and servers, and writes the descriptor set from which
//! policy is read at run time. It needs no protoc.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

use protox::prost_reflect::{DescriptorPool, MessageDescriptor, Value};

#[expect(clippy::disallowed_methods, reason = "cargo tells a build script where to write by a variable")]
fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=proto");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut compiler = protox::Compiler::new(["proto"])?;
    compiler.include_imports(true).include_source_info(true).open_files(proto_files(Path::new("proto"))?)?;
    fs::write(out.join("descriptor.bin"), compiler.encode_file_descriptor_set())?;

    let redacted = redacted_messages(&compiler.descriptor_pool());
    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    config.skip_debug(redacted.iter().map(|message| format!(".{}", message.full_name())));
    tonic_prost_build::configure()
        .include_file("contracts.rs")
        .compile_fds_with_config(compiler.file_descriptor_set(), config)?;
    fs::write(out.join("redacted.rs"), redacted.iter().map(debug_impl).collect::<String>())?;
    let pool = compiler.descriptor_pool();
    let repeatable = pool.all_messages().filter(|message| message.get_field_by_name("request_id").is_some());
    fs::write(out.join("asked.rs"), repeatable.map(|message| asked_impl(&message)).collect::<String>())?;
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

/// The messages that hold a field with the `sensitive` option.
fn redacted_messages(pool: &DescriptorPool) -> Vec<MessageDescriptor> {
    pool.all_messages().filter(|message| message.fields().any(|field| is_sensitive(pool, &field.options()))).collect()
}

fn is_sensitive(pool: &DescriptorPool, options: &protox::prost_reflect::DynamicMessage) -> bool {
    is_set(pool, options, "tradewind.options.v1.sensitive")
}

fn is_set(pool: &DescriptorPool, options: &protox::prost_reflect::DynamicMessage, option: &str) -> bool {
    pool.get_extension_by_name(option)
        .is_some_and(|extension| options.get_extension(&extension).as_ref() == &Value::Bool(true))
}

/// For a request that can be repeated: what it asks, without the fields that have the `waits` option.
fn asked_impl(message: &MessageDescriptor) -> String {
    let pool = message.parent_pool();
    let waits = |options| is_set(pool, &options, "tradewind.options.v1.waits");
    let cleared: Vec<_> = message.fields().filter(|field| waits(field.options())).collect();
    let cleared: String =
        cleared.iter().map(|field| format!("{}: ::std::default::Default::default(), ", field.name())).collect();
    let asked =
        if cleared.is_empty() { "self.clone()".to_owned() } else { format!("Self {{ {cleared}..self.clone() }}") };
    let path = message.full_name().replace('.', "::");
    format!("impl crate::{path} {{\n    /// {ASKED}\n    pub fn asked(&self) -> Self {{\n        {asked}\n    }}\n}}\n")
}

const ASKED: &str = "What makes it the request that it is: a repetition may differ in the rest.";

/// A `Debug` that names every field and shows all but the sensitive ones.
fn debug_impl(message: &MessageDescriptor) -> String {
    let pool = message.parent_pool();
    let path = message.full_name().replace('.', "::");
    let mut code = format!(
        "impl ::std::fmt::Debug for crate::{path} {{\n    \
         fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {{\n        \
         f.debug_struct(\"{}\")",
        message.name()
    );
    for field in message.fields().filter(|field| field.containing_oneof().is_none()) {
        let name = field.name();
        let value = if is_sensitive(pool, &field.options()) {
            "&format_args!(\"[redacted]\")".to_owned()
        } else {
            format!("&self.{name}")
        };
        let _ = write!(code, ".field(\"{name}\", {value})");
    }
    code.push_str(".finish()\n    }\n}\n");
    code
}
