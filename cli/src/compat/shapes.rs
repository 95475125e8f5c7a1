//! What changes in files, services and methods; messages and enums are told of by [`types`].

mod types;

use std::collections::BTreeSet;

use prost_reflect::{DescriptorPool, ExtensionDescriptor, FileDescriptor, MethodDescriptor, ServiceDescriptor};

use super::finding::{Bringer, Finding, GONE, Hurt, OUTSIDE};
use super::routes;
use super::users::{Users, merged};
use crate::said::{Sayings, others, shown};

/// What is a part of protobuf itself.
const PROTOBUF: &str = "google.protobuf";
/// Who makes the routes of the edge.
const EDGE: &str = "gateway";

/// Where the shapes of `new` are not what those of `old` were.
pub(super) fn compare(old: &DescriptorPool, new: &DescriptorPool, users: &Users) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in old.files().filter(|file| file.package_name() != PROTOBUF) {
        findings.extend(of_file(&file, new.get_file_by_name(file.name()).as_ref(), users));
    }
    for extension in old.all_extensions().filter(|extension| extension.package_name() != PROTOBUF) {
        findings.extend(of_extension(&extension, new.get_extension_by_name(extension.full_name()).as_ref(), users));
    }
    for service in old.services() {
        findings.extend(of_service(&service, new.get_service_by_name(service.full_name()).as_ref(), users));
    }
    for message in old.all_messages().filter(|message| message.package_name() != PROTOBUF) {
        findings.extend(types::of_message(&message, new.get_message_by_name(message.full_name()).as_ref(), users));
    }
    for kind in old.all_enums().filter(|kind| kind.package_name() != PROTOBUF) {
        findings.extend(types::of_enum(&kind, new.get_enum_by_name(kind.full_name()).as_ref(), users));
    }
    findings
}

/// Whoever imports a contract.
fn importers(file: &FileDescriptor) -> Hurt {
    Hurt::from([("whoever generates stubs".to_owned(), BTreeSet::from([format!("imports {}", file.name())]))])
}

fn of_extension(old: &ExtensionDescriptor, new: Option<&ExtensionDescriptor>, users: &Users) -> Option<Finding> {
    let spelled = |extension: &ExtensionDescriptor| {
        format!("number {}, {}", extension.number(), types::spelled(&extension.kind()))
    };
    let (was, is) = (spelled(old), new.map_or_else(|| GONE.to_owned(), spelled));
    let at = users.place(&old.parent_file(), old.full_name());
    (was != is).then(|| {
        at.breaks("extension", [&was, &is], "it is read as another, or as none", importers(&old.parent_file()))
    })
}

fn of_file(old: &FileDescriptor, new: Option<&FileDescriptor>, users: &Users) -> Vec<Finding> {
    let at = users.place(old, old.name());
    let importers = || importers(old);
    let Some(new) = new else {
        return vec![at.breaks("file", ["there", GONE], "stubs are generated of it and imported", importers())];
    };
    let mut findings = Vec::new();
    if old.package_name() != new.package_name() {
        let (was, is) = (old.package_name(), new.package_name());
        findings.push(at.breaks("package", [was, is], "all that is in it has another name", importers()));
    }
    if old.syntax() != new.syntax() {
        let [was, is] = [old, new].map(|file| format!("{:?}", file.syntax()));
        findings.push(at.breaks("syntax", [&was, &is], "its fields mean something else", importers()));
    }
    let why = "stubs have other names";
    findings.extend(
        changed(&others(&old.options()), &others(&new.options()), |said| said.is_some())
            .map(|(option, was, is)| at.breaks("file option", [&format!("{option} {was}"), &is], why, importers())),
    );
    findings
}

/// The options that say something else than they did, of those that count.
fn changed(
    old: &Sayings,
    new: &Sayings,
    counts: impl Fn(Option<&crate::said::Said>) -> bool,
) -> impl Iterator<Item = (String, String, String)> {
    let options: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let changed = options.into_iter().filter(|option| counts(old.get(*option)) && old.get(*option) != new.get(*option));
    let told = |option: &String| (option.clone(), shown(old.get(option)), shown(new.get(option)));
    changed.map(told).collect::<Vec<_>>().into_iter()
}

fn of_service(old: &ServiceDescriptor, new: Option<&ServiceDescriptor>, users: &Users) -> Vec<Finding> {
    let at = users.place(&old.parent_file(), old.full_name());
    let callers = merged(old.methods().map(|method| users.callers(method.full_name())));
    let Some(new) = new else {
        return vec![at.breaks("service", ["there", GONE], "its methods cannot be called", callers)];
    };
    let mut findings = Vec::new();
    if old.parent_file().name() != new.parent_file().name() {
        let (was, is) = (old.parent_file(), new.parent_file());
        findings.push(at.breaks("moved", [was.name(), is.name()], "stubs import it from where it was", callers));
    }
    for method in old.methods() {
        findings.extend(of_method(&method, new.methods().find(|now| now.name() == method.name()).as_ref(), users));
    }
    findings
}

fn of_method(old: &MethodDescriptor, new: Option<&MethodDescriptor>, users: &Users) -> Vec<Finding> {
    let at = users.place(&old.parent_file(), old.full_name());
    let callers = || users.callers(old.full_name());
    let Some(new) = new else {
        return vec![at.breaks("method", ["there", GONE], "calls of it are UNIMPLEMENTED", callers())];
    };
    let mut findings = Vec::new();
    let mut unlike = |rule: &'static str, was: &str, is: &str, why: &'static str| {
        if was != is {
            findings.push(at.breaks(rule, [was, is], why, callers()));
        }
    };
    let (request, response) = (old.input(), old.output());
    unlike("request type", request.full_name(), new.input().full_name(), "what is sent is read as something else");
    unlike(
        "response type",
        response.full_name(),
        new.output().full_name(),
        "what is answered is read as something else",
    );
    let times = |streams: bool| if streams { "a stream" } else { "one message" };
    let (was, is) = (times(old.is_client_streaming()), times(new.is_client_streaming()));
    unlike("request", was, is, "stubs send it the other way");
    let (was, is) = (times(old.is_server_streaming()), times(new.is_server_streaming()));
    unlike("response", was, is, "stubs expect it the other way");
    let why = "callers go by what it said";
    findings.extend(
        changed(&others(&old.options()), &others(&new.options()), |said| said.is_some())
            .map(|(option, was, is)| at.breaks("method option", [&format!("{option} {was}"), &is], why, callers())),
    );
    let now = routes::of(new);
    for route in routes::of(old).difference(&now) {
        let is =
            if now.is_empty() { "no route".to_owned() } else { now.iter().cloned().collect::<Vec<_>>().join(", ") };
        let mut hurt = callers();
        hurt.retain(|who, _| who == OUTSIDE);
        let mut finding = at.breaks("google.api.http", [route, &is], "who calls it by its route gets 404", hurt);
        finding.by = Bringer::Workload(EDGE.to_owned());
        findings.push(finding);
    }
    findings
}
