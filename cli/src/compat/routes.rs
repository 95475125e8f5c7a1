//! By which routes a method is reached at the edge.

use std::collections::BTreeSet;

use prost_reflect::{DynamicMessage, MethodDescriptor, Value};

use crate::said::{ROUTE, option};

/// What a route can be of.
const VERBS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

/// The routes of a method, each with what is made of a body: `POST /v1/orders, all from the body`.
pub(super) fn of(method: &MethodDescriptor) -> BTreeSet<String> {
    let mut routes = BTreeSet::new();
    if let Some(Value::Message(route)) = option(&method.options(), ROUTE) {
        routes.extend(spelled(&route));
        let more = route.get_field_by_name("additional_bindings");
        let more = more.as_deref().and_then(Value::as_list).unwrap_or_default().iter().filter_map(Value::as_message);
        routes.extend(more.filter_map(spelled));
    }
    routes
}

fn spelled(route: &DynamicMessage) -> Option<String> {
    let text = |of: &DynamicMessage, field: &str| {
        let value = of.get_field_by_name(field);
        value.and_then(|value| value.as_str().map(str::to_owned)).filter(|text| !text.is_empty())
    };
    let usual = VERBS.iter().find_map(|verb| Some((verb.to_uppercase(), text(route, verb)?)));
    let custom = || {
        let custom = route.get_field_by_name("custom")?;
        let custom = custom.as_message()?;
        Some((text(custom, "kind")?, text(custom, "path")?))
    };
    let (verb, path) = usual.or_else(custom)?;
    let body = match text(route, "body").as_deref() {
        None => String::new(),
        Some("*") => " with all in the body".to_owned(),
        Some(field) => format!(" with {field} in the body"),
    };
    let answer = text(route, "response_body").map(|field| format!(" answered by {field}")).unwrap_or_default();
    Some(format!("{verb} {path}{body}{answer}"))
}
