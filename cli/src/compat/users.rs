//! Who uses what: who calls a method, who reads an event, and by which of those a message comes to whom.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DescriptorPool, FileDescriptor, Kind, MessageDescriptor, MethodDescriptor};

use super::finding::{Bringer, EDGE, Hurt, OUTSIDE, Place};
use super::reads::Reads;
use crate::said::{self, Said, text};

/// How a message travels: as a part of what is named.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    Request(String),
    Response(String),
    Event(String),
}

/// Who uses the contracts of one set of descriptors.
pub(super) struct Users<'a> {
    /// Full name of a method → who calls it.
    callers: BTreeMap<String, Hurt>,
    /// Full name of an event → who reads it, and to what end.
    readers: BTreeMap<String, Hurt>,
    /// Full name of an event → its owner.
    owners: BTreeMap<String, String>,
    /// Full name of a message or an enum → how it travels.
    ways: BTreeMap<String, BTreeSet<Way>>,
    /// Package → the context whose it is.
    contexts: BTreeMap<String, String>,
    reads: &'a Reads,
}

impl<'a> Users<'a> {
    pub(super) fn of(pool: &DescriptorPool, reads: &'a Reads) -> Self {
        let [callers, readers] = [const { BTreeMap::new() }; 2];
        let (owners, ways, contexts) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut users = Self { callers, readers, owners, ways, contexts, reads };
        for event in pool.all_messages() {
            let said = said::sayings(&event.options());
            if said.contains_key("event") {
                users.owners.insert(event.full_name().to_owned(), text(&said, "event.owner").to_owned());
                users.learn(&event, &Way::Event(event.full_name().to_owned()));
            }
        }
        for service in pool.services() {
            let options = service.options();
            let context = text(&said::sayings(&options), "service.context").to_owned();
            if !context.is_empty() {
                users.contexts.insert(service.package_name().to_owned(), context.clone());
            }
            for (reaction, said) in said::reactions(&options) {
                let readers = users.readers.entry(text(&said, "service.reacts.event").to_owned()).or_default();
                readers.entry(context.clone()).or_default().insert(format!("reacts with {reaction}"));
            }
            for method in service.methods() {
                let name = method.full_name().to_owned();
                users.learn(&method.input(), &Way::Request(name.clone()));
                users.learn(&method.output(), &Way::Response(name.clone()));
                users.callers.insert(name, callers_of(&method));
            }
        }
        users
    }

    fn learn(&mut self, message: &MessageDescriptor, way: &Way) {
        if !self.ways.entry(message.full_name().to_owned()).or_default().insert(way.clone()) {
            return;
        }
        for field in message.fields() {
            match field.kind() {
                Kind::Message(message) => self.learn(&message, way),
                Kind::Enum(kind) => drop(self.ways.entry(kind.full_name().to_owned()).or_default().insert(way.clone())),
                _ => {}
            }
        }
    }

    /// Where an element of a contract stands.
    pub(super) fn place(&self, file: &FileDescriptor, element: &str) -> Place {
        let (contract, element) = (file.name().to_owned(), element.to_owned());
        Place { contract, element, by: self.bringer(file.package_name()) }
    }

    /// Whose contract a package is.
    pub(super) fn bringer(&self, package: &str) -> Bringer {
        self.contexts.get(package).map_or(Bringer::All, |context| Bringer::Workload(context.clone()))
    }

    /// Whether a service of that name has a contract.
    pub(super) fn is_context(&self, workload: &str) -> bool {
        self.contexts.values().any(|context| context == workload)
    }

    /// Who calls a method.
    pub(super) fn callers(&self, method: &str) -> Hurt {
        self.callers.get(method).cloned().unwrap_or_default()
    }

    /// Who has to do with an event: its readers, and its owner, who has it in its log.
    pub(super) fn of_event(&self, event: &str) -> Hurt {
        let mut hurt = self.readers.get(event).cloned().unwrap_or_default();
        hurt.extend(self.owner(event));
        hurt
    }

    /// The owner of an event.
    pub(super) fn owner(&self, event: &str) -> Hurt {
        let owner = self.owners.get(event).filter(|owner| !owner.is_empty());
        let log = format!("has {} in its log", last(event));
        owner.map(|owner| (owner.clone(), BTreeSet::from([log]))).into_iter().collect()
    }

    /// Whether a message is in a request.
    pub(super) fn is_asked(&self, message: &str) -> bool {
        self.ways.get(message).into_iter().flatten().any(|way| matches!(way, Way::Request(_)))
    }

    /// Who sends a message in a request.
    pub(super) fn askers(&self, message: &str) -> Hurt {
        let ways = self.ways.get(message).into_iter().flatten();
        merged(ways.filter_map(|way| if let Way::Request(method) = way { Some(self.callers(method)) } else { None }))
    }

    /// Who sends or gets a message or an enum.
    pub(super) fn of_type(&self, name: &str) -> Hurt {
        self.met(name, None)
    }

    /// Who sends or gets a field of a message; of those who react to an event with it, or are answered it, those who read it.
    pub(super) fn of_field(&self, message: &str, field: &str) -> Hurt {
        self.met(message, Some(field))
    }

    fn met(&self, name: &str, field: Option<&str>) -> Hurt {
        let of_way = |way: &Way| match way {
            Way::Request(method) => self.callers(method),
            Way::Response(method) => self.answered(method, field),
            Way::Event(event) => {
                let mut readers = self.readers.get(event).cloned().unwrap_or_default();
                readers.retain(|reader, _| field.is_none_or(|field| self.reads.of_event(reader, field)));
                merged([readers, self.owner(event)])
            }
        };
        merged(self.ways.get(name).into_iter().flatten().map(of_way))
    }

    /// Who reads what a method answers, or that field of it. The edge hands people all that it is answered for them.
    fn answered(&self, method: &str, field: Option<&str>) -> Hurt {
        let mut callers = self.callers(method);
        let is_for_people = callers.contains_key(OUTSIDE);
        let reads = |who: &str| field.is_none_or(|field| self.reads.of_answer(who, method, field));
        callers.retain(|caller, _| caller == EDGE && is_for_people || reads(caller));
        // Whoever reads a log is named by what it reacts to, and not by the method.
        for asker in self.reads.askers(method).filter(|asker| reads(asker)) {
            let answer = format!("reads what {} answers", last(method));
            callers.entry(asker.to_owned()).or_insert_with(|| BTreeSet::from([answer]));
        }
        callers
    }
}

/// All of several parties, each with all that concerns it.
pub(super) fn merged(parties: impl IntoIterator<Item = Hurt>) -> Hurt {
    let mut all = Hurt::new();
    for (who, uses) in parties.into_iter().flatten() {
        all.entry(who).or_default().extend(uses);
    }
    all
}

/// The workloads that may call a method; where it is for people at the gateway, whoever comes by that.
fn callers_of(method: &MethodDescriptor) -> Hurt {
    let said = said::sayings(&method.options());
    let name = short(method);
    let callers = said.get("method.callers").map(Said::words).unwrap_or_default();
    let mut hurt: Hurt =
        callers.iter().map(|caller| (caller.clone(), BTreeSet::from([format!("calls {name}")]))).collect();
    let people = match text(&said, "method.audience") {
        _ if !callers.iter().any(|caller| caller == EDGE) => return hurt,
        "AUDIENCE_PUBLIC" => "anybody",
        "AUDIENCE_CUSTOMER" => "customers",
        "AUDIENCE_STAFF" => "staff",
        _ => return hurt,
    };
    hurt.insert(OUTSIDE.to_owned(), BTreeSet::from([format!("call {name} as {people}")]));
    hurt
}

/// `OrderingService.PlaceOrder`.
fn short(method: &MethodDescriptor) -> String {
    format!("{}.{}", method.parent_service().name(), method.name())
}

/// `OrderPlaced` of `tradewind.ordering.v1.OrderPlaced`.
pub(super) fn last(full_name: &str) -> &str {
    full_name.rsplit('.').next().unwrap_or(full_name)
}
