//! One route as an operation.

use contracts::tradewind::options::v1::Audience;
use prost_reflect::MessageDescriptor;
use serde_json::{Value, json};
use tradewind_transcode::schema::{Comments, Holds, Place, Schemas, inner, is_deprecated, is_text};
use tradewind_transcode::{Declared, Route, Segment, Template};

use super::answers;
use crate::methods::Method;

/// As deep as parameters name fields of fields.
const DEEPEST: usize = 3;

/// The path of a template, with its variables' names alone.
pub(super) fn path(template: &str) -> Option<String> {
    let template = Template::parse(template).ok()?;
    let (mut path, mut at) = (String::new(), 0);
    while at < template.segments().len() {
        path.push('/');
        if let Some(variable) = template.variables().iter().find(|variable| variable.start == at) {
            path.push_str(&format!("{{{}}}", variable.field));
            at = variable.end;
            continue;
        }
        match &template.segments()[at] {
            Segment::Literal(literal) => path.push_str(literal.text()),
            Segment::One | Segment::Rest => path.push('*'),
        }
        at += 1;
    }
    if let Some(verb) = template.verb() {
        path.push(':');
        path.push_str(verb.text());
    }
    Some(path)
}

/// What is asked and answered there.
pub(super) fn of(route: &Route, method: &Method, schemas: &mut Schemas) -> Value {
    let (declared, descriptor) = (route.declared(), &method.descriptor);
    let service = descriptor.parent_service();
    let said = Comments::of_method(descriptor);
    let input = descriptor.input();
    let bound = variables(&declared.template);
    let mut parameters: Vec<_> = bound.iter().filter_map(|name| variable(&input, name, schemas)).collect();
    if declared.body != "*" {
        let taken: Vec<_> = bound.iter().chain([&declared.body]).cloned().collect();
        query(&input, "", DEEPEST, &taken, schemas, &mut parameters);
    }
    if method.request_id.is_some() {
        parameters.push(json!({
            "name": "Idempotency-Key",
            "in": "header",
            "description": "The request_id: what is sent again with the same key is done once.",
            "schema": { "type": "string", "maxLength": 64, "pattern": "^[!#-~]+$" },
        }));
    }
    if declared.method == "GET" && !method.streams() {
        parameters.push(json!({
            "name": "If-None-Match",
            "in": "header",
            "description": "The marks (ETag) of what is there already: 304 where it is the same.",
            "schema": { "type": "string" },
        }));
    }
    let mut operation = json!({
        "operationId": format!("{}_{}", service.name(), descriptor.name()),
        "summary": Comments::first_sentence(&said),
        "description": said,
        "tags": [service.name()],
        "parameters": parameters,
        "responses": answers::of(route, method, schemas),
        "security": security(method.audience),
        "x-grpc": method.path.as_str(),
    });
    if is_deprecated(&descriptor.options()) {
        operation["deprecated"] = true.into();
    }
    if let Some((schema, required)) = body(declared, &input, &bound, schemas) {
        let content = json!({ "application/json": { "schema": schema } });
        operation["requestBody"] = json!({ "required": required, "content": content });
    }
    operation
}

fn variables(template: &str) -> Vec<String> {
    let template = Template::parse(template);
    template.map(|template| template.variables().iter().map(|each| each.field.clone()).collect()).unwrap_or_default()
}

fn variable(input: &MessageDescriptor, name: &str, schemas: &mut Schemas) -> Option<Value> {
    let mut message = input.clone();
    let mut names = name.split('.').peekable();
    while let Some(part) = names.next() {
        let field = message.get_field_by_name(part)?;
        if names.peek().is_some() {
            message = inner(&field)?;
            continue;
        }
        let holds = Holds { required: true, ..Holds::of(&field) };
        let mut schema = schemas.holding(&field, &holds, Place::Parameter);
        let said = schema.as_object_mut().and_then(|schema| schema.remove("description"));
        return Some(json!({ "name": name, "in": "path", "required": true, "description": said, "schema": schema }));
    }
    None
}

/// Adds a parameter for each field that a query may name.
fn query(
    message: &MessageDescriptor,
    prefix: &str,
    depth: usize,
    taken: &[String],
    schemas: &mut Schemas,
    parameters: &mut Vec<Value>,
) {
    for field in message.fields() {
        let path = format!("{prefix}{}", field.name());
        if taken.contains(&path) {
            continue;
        }
        let name = format!("{prefix}{}", field.json_name());
        match inner(&field) {
            Some(inner) if depth > 0 => query(&inner, &format!("{name}."), depth - 1, taken, schemas, parameters),
            None if is_text(&field) => {
                let mut schema = schemas.field(&field, Place::Parameter);
                let said = schema.as_object_mut().and_then(|schema| schema.remove("description"));
                let mut parameter = json!({ "name": name, "in": "query", "description": said, "schema": schema });
                if Holds::of(&field).required {
                    parameter["required"] = true.into();
                }
                if is_deprecated(&field.options()) {
                    parameter["deprecated"] = true.into();
                }
                parameters.push(parameter);
            }
            _ => {}
        }
    }
}

/// The schema of a body, and whether there has to be one.
fn body(
    declared: &Declared,
    input: &MessageDescriptor,
    bound: &[String],
    schemas: &mut Schemas,
) -> Option<(Value, bool)> {
    match declared.body.as_str() {
        "" => None,
        "*" => {
            let schema = schemas.object(input, bound, None, Place::Body);
            let required = schema.get("required").is_some();
            Some((schema, required))
        }
        name => {
            let field = input.get_field_by_name(name)?;
            Some((schemas.field(&field, Place::Body), Holds::of(&field).required))
        }
    }
}

/// Who may ask: a partner's key is for what customers do.
fn security(audience: Audience) -> Value {
    match audience {
        Audience::Public => json!([{}, { "bearer": [] }]),
        Audience::Customer => json!([{ "bearer": [] }, { "key": [] }]),
        _ => json!([{ "bearer": [] }]),
    }
}

#[cfg(test)]
mod tests {
    use super::path;

    #[test]
    fn a_path_has_its_variables_names_alone() {
        assert_eq!(path("/v1/orders/{order_id}:cancel").as_deref(), Some("/v1/orders/{order_id}:cancel"));
        assert_eq!(path("/v1/{name=shelves/*/books/**}").as_deref(), Some("/v1/{name}"));
        assert_eq!(path("v1"), None);
    }
}
