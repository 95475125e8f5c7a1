//! Whether a service of one build can run beside what is deployed of another.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DescriptorPool, MethodDescriptor};

use super::finding::{Bringer, EDGE, Finding, GONE, Hurt, OUTSIDE};
use super::reads::Reads;
use super::rules::{self, Rule};
use super::users::Users;
use crate::said::{self, Said, Sayings, shown, text};

/// What the edge does itself about what is said of a method.
const AT_EDGE: [&str; 3] = ["method.audience", "method.timeout", "method.criticality"];
/// What two builds have to have in common to talk at all, whichever of them is the newer one.
const SPOKEN: [&str; 8] =
    ["field", "field type", "cardinality", "enum value", "request type", "response type", "request", "response"];

/// Every workload that the contracts name.
pub(crate) fn workloads(pool: &DescriptorPool) -> BTreeSet<String> {
    let mut workloads = BTreeSet::new();
    for service in pool.services() {
        let context = text(&said::sayings(&service.options()), "service.context").to_owned();
        workloads.extend(Some(context).filter(|context| !context.is_empty()));
        for method in service.methods() {
            workloads.extend(callers(&said::sayings(&method.options())).iter().cloned());
        }
    }
    workloads
}

/// Why `service`, as `build` has it, cannot run beside `deployed`: whom its own contract breaks, and what it needs of others
/// that they have not got yet.
pub(crate) fn can_deploy(
    service: &str,
    deployed: &DescriptorPool,
    build: &DescriptorPool,
    reads: &Reads,
) -> Vec<Finding> {
    let users = Users::of(build, reads);
    let serves = service == EDGE || users.is_context(service);
    // Whatever has a shape comes to people as the edge knows it.
    let shows = |finding: &Finding| {
        let is_its = rules::of(finding.rule).is_none() || AT_EDGE.contains(&finding.rule);
        is_its && finding.hurt.contains_key(OUTSIDE)
    };
    let brings = |finding: &Finding| match &finding.by {
        Bringer::All => serves,
        Bringer::Workload(workload) => workload == service || service == EDGE && shows(finding),
    };
    // What is gone is missed by those alone who still know it.
    let speaks =
        |finding: &Finding| SPOKEN.contains(&finding.rule) && finding.is != GONE && finding.hurt.contains_key(service);
    let mut findings = super::compare(deployed, build, reads);
    findings.retain(|finding| brings(finding) || speaks(finding));
    let there: BTreeMap<String, MethodDescriptor> = methods(deployed);
    for method in methods(build).values() {
        let said = said::sayings(&method.options());
        let is_own = users.bringer(method.parent_service().package_name()) == Bringer::Workload(service.to_owned());
        if !is_own && callers(&said).iter().any(|caller| caller == service) {
            findings.extend(lacks(service, method, &said, there.get(method.full_name()), &users));
        }
    }
    findings.extend(unheard(service, deployed, build, &users));
    findings
}

fn methods(pool: &DescriptorPool) -> BTreeMap<String, MethodDescriptor> {
    let methods = pool.services().flat_map(|service| service.methods().collect::<Vec<_>>());
    methods.map(|method| (method.full_name().to_owned(), method)).collect()
}

fn callers(said: &Sayings) -> &[String] {
    said.get("method.callers").map(Said::words).unwrap_or_default()
}

/// What a method that `service` calls has not got where it is deployed.
fn lacks(
    service: &str,
    method: &MethodDescriptor,
    said: &Sayings,
    deployed: Option<&MethodDescriptor>,
    users: &Users,
) -> Vec<Finding> {
    let at = users.place(&method.parent_file(), method.full_name());
    let hurt = || Hurt::from([(service.to_owned(), BTreeSet::from([format!("calls {}", method.name())]))]);
    let Some(deployed) = deployed else {
        let why = "it is called, and is not deployed yet";
        return vec![at.breaks("deployed method", ["not there", "called"], why, hurt())];
    };
    let there = said::sayings(&deployed.options());
    let mut findings = Vec::new();
    let mut unlike = |rule: &'static str, option: &str, why: &'static str| {
        let [was, is] = [shown(there.get(option)), shown(said.get(option))];
        findings.push(at.breaks(rule, [&was, &is], why, hurt()));
    };
    if !callers(&there).iter().any(|caller| caller == service) {
        unlike("deployed callers", "method.callers", "who serves it now refuses the call");
    }
    let promises_more = |rule: &Rule, option: &str| !rule.allows(option, said, &there);
    if promises_more(&rules::RETRY, "method.retry") {
        unlike(
            "deployed retry",
            "method.retry",
            "who serves it now cannot take repetitions, or wants an id that it is not given",
        );
    }
    if service == EDGE && promises_more(&rules::AUDIENCE, "method.audience") {
        unlike("deployed audience", "method.audience", "people are let in whom who serves it now does not expect");
    }
    findings
}

/// The events that `service` reacts to and would not hear of.
fn unheard(service: &str, deployed: &DescriptorPool, build: &DescriptorPool, users: &Users) -> Vec<Finding> {
    let package = |event: &str| event.rsplit_once('.').map(|(package, _)| package.to_owned()).unwrap_or_default();
    let read: BTreeSet<String> = reactions(service, deployed).into_values().map(|event| package(&event)).collect();
    let own = Bringer::Workload(service.to_owned());
    let mut findings = Vec::new();
    for (reaction, event) in reactions(service, build) {
        let Some(message) = build.get_message_by_name(&event) else { continue };
        let at = users.place(&message.parent_file(), &event);
        let hurt = || Hurt::from([(service.to_owned(), BTreeSet::from([format!("reacts with {reaction}")]))]);
        let is_event = |event: &str| {
            let message = deployed.get_message_by_name(event);
            message.is_some_and(|message| said::sayings(&message.options()).contains_key("event"))
        };
        if !is_event(&event) {
            let why = "nobody publishes it yet";
            findings.push(at.breaks("deployed event", ["not there", "reacted to"], why, hurt()));
        } else if users.bringer(&package(&event)) != own && !read.contains(&package(&event)) {
            let why = "its owner lets nobody read its log who has not read there before";
            findings.push(at.breaks("deployed reader", ["not read", "reacted to"], why, hurt()));
        }
    }
    findings
}

/// The reactions of a context, each with its event.
fn reactions(context: &str, pool: &DescriptorPool) -> BTreeMap<String, String> {
    let own = pool.services().filter(|service| text(&said::sayings(&service.options()), "service.context") == context);
    own.flat_map(|service| said::reactions(&service.options()))
        .map(|(reaction, said)| (reaction, text(&said, "service.reacts.event").to_owned()))
        .collect()
}
