//! What changes in the options of services, methods, events and fields.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{DescriptorPool, MessageDescriptor, MethodDescriptor, ServiceDescriptor};

use super::finding::{Finding, GONE, Hurt, Place};
use super::rules::{self, Row, Rule, Whom};
use super::users::{Users, merged};
use crate::said::{self, Sayings, shown, text};

/// What the options of `new` no longer promise that those of `old` did.
pub(super) fn compare(old: &DescriptorPool, new: &DescriptorPool, before: &Users) -> Vec<Finding> {
    let mut looked = Looked { before, findings: Vec::new() };
    for service in old.services() {
        if let Some(now) = new.get_service_by_name(service.full_name()) {
            looked.service(&service, &now);
        }
    }
    for message in old.all_messages() {
        if let Some(now) = new.get_message_by_name(message.full_name()) {
            looked.event(&message, &now);
            looked.fields(&message, &now);
        }
    }
    looked.findings
}

struct Looked<'a> {
    before: &'a Users<'a>,
    findings: Vec<Finding>,
}

impl Looked<'_> {
    fn service(&mut self, old: &ServiceDescriptor, new: &ServiceDescriptor) {
        let at = self.before.place(&old.parent_file(), old.full_name());
        let (was, is) = (said::sayings(&old.options()), said::sayings(&new.options()));
        let context = text(&was, "service.context").to_owned();
        let itself = Hurt::from([(context.clone(), BTreeSet::from(["is called by it".to_owned()]))]);
        let callers = merged(old.methods().map(|method| self.before.callers(method.full_name())).chain([itself]));
        self.judge(&at, &was, &is, |_| Some(callers.clone()));
        self.reactions(&at, &context, &said::reactions(&old.options()), &said::reactions(&new.options()));
        for method in old.methods() {
            if let Some(now) = new.methods().find(|now| now.name() == method.name()) {
                self.method(&method, &now);
            }
        }
    }

    fn method(&mut self, old: &MethodDescriptor, new: &MethodDescriptor) {
        let at = self.before.place(&old.parent_file(), old.full_name());
        let (was, is) = (said::sayings(&old.options()), said::sayings(&new.options()));
        let callers = self.before.callers(old.full_name());
        self.judge(&at, &was, &is, |row| {
            let mut hurt = callers.clone();
            if row.whom == Whom::Gone {
                let left = is.get(row.option).map(said::Said::words).unwrap_or_default();
                let named = was.get(row.option).map(said::Said::words).unwrap_or_default();
                hurt.retain(|who, _| named.contains(who) && !left.contains(who));
            }
            Some(hurt)
        });
    }

    fn reactions(
        &mut self,
        at: &Place,
        context: &str,
        old: &BTreeMap<String, Sayings>,
        new: &BTreeMap<String, Sayings>,
    ) {
        for (reaction, was) in old {
            let event = text(was, "service.reacts.event");
            let itself = Hurt::from([(context.to_owned(), BTreeSet::from([format!("reacts with {reaction}")]))]);
            let hurt = merged([itself, self.before.owner(event)]);
            let at = Place { element: format!("{} {reaction}", at.element), ..at.clone() };
            if let Some(is) = new.get(reaction) {
                self.judge(&at, was, is, |_| Some(hurt.clone()));
                continue;
            }
            let follows = |(name, is): &(&String, &Sayings)| {
                text(is, "service.reacts.event") == event && !old.contains_key(*name)
            };
            let renamed = new.iter().find(follows).map_or_else(|| GONE.to_owned(), |(name, _)| name.clone());
            if let Some(row) = rules::of("service.reacts.reaction") {
                self.findings.push(at.breaks(row.option, [reaction, &renamed], row.why, hurt));
            }
        }
    }

    fn event(&mut self, old: &MessageDescriptor, new: &MessageDescriptor) {
        let at = self.before.place(&old.parent_file(), old.full_name());
        let (was, is) = (said::sayings(&old.options()), said::sayings(&new.options()));
        let before = self.before;
        self.judge(&at, &was, &is, |row| {
            let mut hurt = vec![before.of_event(old.full_name())];
            if row.whom == Whom::Owners {
                let left = is.get(row.option).map(said::Said::words).unwrap_or_default();
                let named = was.get(row.option).map(said::Said::words).unwrap_or_default();
                hurt.extend(named.iter().filter(|event| !left.contains(event)).map(|event| before.owner(event)));
            }
            Some(merged(hurt))
        });
    }

    fn fields(&mut self, old: &MessageDescriptor, new: &MessageDescriptor) {
        let (file, before) = (old.parent_file(), self.before);
        let message = old.full_name();
        let is_asked = before.is_asked(message);
        for field in old.fields() {
            let Some(now) = new.get_field(field.number()) else { continue };
            let at = before.place(&file, field.full_name());
            let (was, is) = (said::sayings(&field.options()), said::sayings(&now.options()));
            self.judge(&at, &was, &is, |row| match row.whom {
                Whom::Askers => is_asked.then(|| before.askers(message)),
                _ => Some(before.of_field(message, field.full_name())),
            });
        }
        for field in new.fields().filter(|field| is_asked && old.get_field(field.number()).is_none()) {
            let is = said::sayings(&field.options());
            let at = before.place(&file, field.full_name());
            if let Some(row) = rules::of("holds.required").filter(|row| is.contains_key(row.option)) {
                let hurt = before.askers(message);
                self.findings.push(at.breaks(row.option, ["no field", "true"], row.why, hurt));
            }
        }
    }

    /// Holds what is said of an element against the rules; whom a broken one hurts, if anybody, is told by its row.
    fn judge(&mut self, at: &Place, was: &Sayings, is: &Sayings, hurt: impl Fn(&Row) -> Option<Hurt>) {
        let options: BTreeSet<&String> = was.keys().chain(is.keys()).collect();
        // What comes to be an event may say of itself what it likes.
        let is_new = |option: &str| {
            let whole = option.split_once('.').map_or(option, |(whole, _)| whole);
            let comes = is.contains_key(whole) && !was.contains_key(whole);
            comes && rules::of(whole).is_some_and(|row| matches!(row.rule, Rule::Once))
        };
        let breaks = |option: &str| rules::of(option).is_none_or(|row| !row.rule.allows(option, was, is));
        let broken = |option: &&&String| !is_new(option) && breaks(option);
        let broken: Vec<&String> = options.iter().filter(broken).copied().collect();
        for option in &broken {
            // Where the whole is gone, nothing is to be told of its parts.
            let is_part =
                |whole: &&String| option.strip_prefix(whole.as_str()).is_some_and(|rest| rest.starts_with('.'));
            if broken.iter().any(is_part) {
                continue;
            }
            let (before, now) = (shown(was.get(*option)), shown(is.get(*option)));
            match rules::of(option) {
                Some(row) => {
                    if let Some(hurt) = hurt(row) {
                        self.findings.push(at.breaks(row.option, [&before, &now], row.why, hurt));
                    }
                }
                None if before != now => {
                    let unknown = Row { option: "", rule: Rule::Kept, whom: Whom::Users, why: "" };
                    let why = "nothing is known of what that option promises";
                    let hurt = hurt(&unknown).unwrap_or_default();
                    let was = format!("{option} {before}");
                    self.findings.push(at.breaks("an option without a rule", [&was, &now], why, hurt));
                }
                None => {}
            }
        }
    }
}
