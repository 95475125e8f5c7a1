//! Whether a change of the contracts breaks anybody who was built against what they were.
//!
//! Two sets of descriptors are held beside each other. What the shapes of messages and methods promise is judged by
//! [`shapes`], what the options promise by the table in [`rules`], where every option has its row. Nothing is read or
//! printed here.

mod deploy;
mod elements;
mod finding;
mod reads;
mod routes;
mod rules;
mod shapes;
#[cfg(test)]
mod tests;
mod users;

use anyhow::{Context, Result, bail};
use prost::Message as _;
use prost_reflect::{DescriptorPool, DynamicMessage};
use prost_types::{FileDescriptorProto, FileDescriptorSet};

pub(crate) use deploy::{can_deploy, workloads};
pub(crate) use finding::Finding;
pub(crate) use reads::Reads;

/// What in `new` breaks whoever was built against `old`, by contract and element.
pub(crate) fn compare(old: &DescriptorPool, new: &DescriptorPool, reads: &Reads) -> Vec<Finding> {
    let users = users::Users::of(old, reads);
    let mut findings = shapes::compare(old, new, &users);
    findings.extend(elements::compare(old, new, &users));
    findings.sort_by(|one, other| {
        (&one.contract, &one.element, one.rule).cmp(&(&other.contract, &other.element, other.rule))
    });
    findings
}

/// The contracts that descriptors tell of: an encoded `google.protobuf.FileDescriptorSet` with all that it imports.
///
/// # Errors
/// It is none, or it tells of no contract.
pub(crate) fn contracts(descriptors: &[u8]) -> Result<DescriptorPool> {
    is_of_known_syntax(descriptors)?;
    let pool = DescriptorPool::decode(descriptors).context("it holds no descriptors that belong together")?;
    let options = pool.get_message_by_name("tradewind.options.v1.MethodOptions");
    options.context("its descriptors tell of no contract of Tradewind")?;
    Ok(pool)
}

/// Refuses files of another syntax than proto2 and proto3, such as editions: of those the pool has no error, it panics.
///
/// # Errors
/// Names such a file.
pub(crate) fn is_of_known_syntax(descriptors: &[u8]) -> Result<()> {
    let set = FileDescriptorSet::decode(descriptors).context("it holds no descriptors that belong together")?;
    let is_known = |file: &&FileDescriptorProto| matches!(file.syntax(), "" | "proto2" | "proto3");
    set.file.iter().find(|file| !is_known(file)).map_or(Ok(()), |file| {
        bail!("{} has the syntax {:?}; proto2 and proto3 are read here", file.name(), file.syntax())
    })
}

/// The same descriptors without comments, as they are kept of a release. The same contracts make the same bytes.
///
/// # Errors
/// They are none, or leave out what describes descriptors.
pub(crate) fn without_comments(descriptors: &[u8]) -> Result<Vec<u8>> {
    let pool = contracts(descriptors)?;
    let set = pool.get_message_by_name("google.protobuf.FileDescriptorSet");
    let mut set = DynamicMessage::decode(set.context("google/protobuf/descriptor.proto is left out")?, descriptors)?;
    let files = set.get_field_by_name_mut("file").and_then(|files| files.as_list_mut());
    for file in files.into_iter().flatten().filter_map(|file| file.as_message_mut()) {
        file.clear_field_by_name("source_code_info");
    }
    Ok(set.encode_to_vec())
}
