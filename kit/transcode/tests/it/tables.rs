//! The public tables of path templates, lookups and queries. Every row that agrees with the rules has to hold. For the others the
//! choice is made here.

use std::collections::BTreeMap;

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, Value as Field};
use serde_json::{Map, Value, json};
use tradewind_transcode::{FieldPath, Matcher, Refusal, Segment, Template, bind_query};

use crate::public::{IMPORTS, compiled, documented, table};
use crate::shapes::message;

/// Whether this project does as the source does, point by point, and why.
const DIALECT: [(&str, bool, &str); 30] = [
    ("root_template", false, "the grammar asks for a segment"),
    ("verb_without_segment", false, "the grammar asks for a segment"),
    ("empty_segment in a template", false, "the grammar has none"),
    ("empty_segment", true, "** takes all that is left, even what is empty"),
    ("empty_verb", false, "the grammar asks for a literal"),
    ("nested_variable", true, "the grammar has them; other rows of the table presuppose them"),
    ("duplicate_variable", true, "one field has one value"),
    ("double_wildcard_not_last", false, "the rules want it last"),
    ("double_wildcard_takes_no_segment", false, "the rules say zero or more"),
    ("colon_in_literal", false, "a verb is the only thing a colon begins; %3A is a colon"),
    ("colon_in_verb", true, "nothing else could be meant"),
    ("reserved_in_literal", false, "a star is a wildcard and a colon begins a verb"),
    ("escape_hex_case_changed", false, "an escape that is kept is kept as it was sent"),
    ("escaped_slash_passed_through", false, "a percent sign of a value is escaped when it is sent, and decoded once"),
    ("escaped_slash_splits_segments", false, "who escapes a slash does not want it to split"),
    ("unescape_all_in_multi", false, "the rules keep %2F there"),
    ("decoded_twice", false, "once is what the rules say"),
    ("method_fallback", false, "the method is the one that was sent"),
    ("status_of_wrong_method", true, "the path is known and the method refused; the status is 405"),
    ("path_without_slash", true, "it is malformed"),
    ("root_path", true, "a wildcard takes no empty segment"),
    ("wildcard_without_variable", true, "a wildcard takes any segment, a star too"),
    ("map_in_query", false, "the rules want no maps in a query"),
    ("struct_in_query", false, "the rules want no messages in a query"),
    ("duration_not_in_json_form", false, "a duration is seconds with an s"),
    ("mask_in_snake_case", false, "JSON writes a mask in lower camel case"),
    ("repeated_wrapper", true, "a wrapper is written as its value, in a list too"),
    ("oneof_set_twice", true, "it hides that one value is lost"),
    ("repeated_parameter", true, "it hides that one value is lost"),
    ("null_for_enum", false, "the enum has no value of that name"),
];

/// Points on which the sources differ with each other: what is refused here.
const REFUSED: [(&str, &str); 1] = [("unknown_parameter", "a parameter that does nothing is a mistake of who sent it")];
/// Points where a value is read otherwise than the source reads it.
const READ_OTHERWISE: [(&str, &str); 1] = [("quoted_string_wrapper", "quotation marks belong to the text")];

/// Looks at every row: those that agree must hold, and of the others those whose every point is decided as the source decides. The
/// rest must not hold, or be refused. The document has a line of how many they are.
fn each(name: &str, rows: &Value, holds: impl Fn(&Value) -> Result<(), String>) {
    let rows = rows.as_array().unwrap();
    let mut wrong = Vec::new();
    let mut counted = [0_usize; 3];
    for row in rows {
        let words = match &row["dialect"] {
            Value::Null => Vec::new(),
            Value::String(word) => vec![word.as_str()],
            list => list.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect(),
        };
        // Rows without a mark have nothing to differ in.
        let agrees = row["rules"] == "agrees" || row["rules"].is_null();
        let as_source = agrees || words.iter().all(|word| as_the_source(word, row));
        assert!(agrees || !words.is_empty(), "{row}");
        counted[if agrees { 0 } else { 2 - usize::from(as_source) }] += 1;
        match (holds(row), as_source) {
            (Ok(()), true) | (Err(_), false) => {}
            (Ok(()), false) => wrong.push(format!("{}: as the source has it: {row}", row["id"])),
            (Err(found), true) => wrong.push(format!("{}: {found}: {row}", row["id"])),
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
    let [agree, as_source, otherwise] = counted;
    documented(name, &[rows.len(), agree, as_source, otherwise].map(|count| count.to_string()));
}

fn as_the_source(word: &str, row: &Value) -> bool {
    if REFUSED.iter().any(|(refused, _)| *refused == word) {
        return row.get("error").is_some();
    }
    if READ_OTHERWISE.iter().any(|(otherwise, _)| *otherwise == word) {
        return false;
    }
    let word = if word == "empty_segment" && !row["valid"].is_null() { "empty_segment in a template" } else { word };
    let decided = DIALECT.iter().find(|(point, ..)| *point == word);
    let (_, as_source, _) = decided.unwrap_or_else(|| panic!("{word} is not decided"));
    // A source that refuses what the grammar refuses, or takes no path by a template that is none, is right by chance.
    *as_source || by_chance(word, row)
}

/// Rows that hold here, though their point is decided otherwise: the source refuses them for reasons of its own.
fn by_chance(word: &str, row: &Value) -> bool {
    let refuses = row["valid"] == false || row["matches"] == false;
    refuses && matches!(word, "colon_in_literal" | "root_template" | "double_wildcard_not_last")
}

#[test]
fn the_document_has_every_decision() {
    let choices = DIALECT.iter().map(|(point, as_source, why)| (*point, if *as_source { "yes" } else { "no" }, *why));
    let refused = REFUSED.iter().map(|(point, why)| (*point, "refused", *why));
    let otherwise = READ_OTHERWISE.iter().map(|(point, why)| (*point, "no", *why));
    for (point, choice, why) in choices.chain(refused).chain(otherwise) {
        documented(&format!("`{point}`"), &[choice.to_owned(), why.to_owned()]);
    }
}

/// `BadTimestamp` as `bad_timestamp`.
fn snake(name: &str) -> String {
    let name = name.split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap();
    let snake: String =
        name.chars().map(|c| if c.is_uppercase() { format!("_{}", c.to_lowercase()) } else { c.to_string() }).collect();
    snake.trim_start_matches('_').to_owned()
}

fn equal<T: PartialEq + std::fmt::Debug>(found: &T, wanted: &T) -> Result<(), String> {
    if found == wanted { Ok(()) } else { Err(format!("{found:?} instead of {wanted:?}")) }
}

#[test]
fn templates_are_as_the_public_table_has_them() {
    let Some(table) = table("http-rule/templates.json") else { return };
    each("templates", &table["rows"], |row| {
        let literal = || format!("/{}", row["literal"].as_str().unwrap());
        let text = row["template"].as_str().map_or_else(literal, str::to_owned);
        let template = match (Template::parse(&text), row["valid"] == true) {
            (Ok(template), true) => template,
            (Err(error), false) => {
                let decided = row["rules"] != "agrees";
                return if decided { Ok(()) } else { equal(&json!(snake(&format!("{error:?}"))), &row["reason"]) };
            }
            (found, _) => return Err(format!("{found:?}")),
        };
        let Some(segments) = row["segments"].as_array() else { return Ok(()) };
        let wanted: Vec<_> = segments.iter().map(|segment| segment.as_str().unwrap().to_uppercase()).collect();
        let of = |segment: &Segment| match segment {
            Segment::Literal(literal) => literal.text().to_uppercase(),
            Segment::One => "*".to_owned(),
            Segment::Rest => "**".to_owned(),
        };
        equal(&template.segments().iter().map(of).collect(), &wanted)?;
        let of = |one: &tradewind_transcode::Variable| json!({"field": one.field, "start": one.start, "end": one.end});
        equal(&Value::from_iter(template.variables().iter().map(of)), &row["variables"])?;
        let verb = template.verb().map(|verb| verb.text().to_uppercase()).unwrap_or_default();
        equal(&verb, &row["verb"].as_str().unwrap().to_uppercase())
    });
}

#[test]
fn paths_are_taken_as_the_public_table_has_them() {
    let Some(table) = table("http-rule/paths.json") else { return };
    each("paths", &table["rows"], |row| {
        let routes = row["routes"].as_str().map_or(&row["routes"], |name| &table["route_sets"][name]);
        let mut matcher = Matcher::default();
        for route in routes.as_array().unwrap() {
            let text = route["template"].as_str().unwrap();
            let Ok(template) = Template::parse(text) else { continue };
            for method in methods(&route["methods"]) {
                matcher.insert(&method, template.clone(), text.to_owned()).unwrap();
            }
        }
        for method in methods(&row["methods"]) {
            let found = matcher.find(&method, row["path"].as_str().unwrap());
            match (found, row["matches"] == true) {
                (Ok(found), true) => {
                    equal(&json!(found.value), &row["matched"])?;
                    equal(&json!(method), row.get("matched_method").unwrap_or(&json!(method)))?;
                    let of = |(at, text): (&tradewind_transcode::Variable, String)| (at.field.clone(), json!(text));
                    let captures: Map<_, _> = found.captures.into_iter().map(of).collect();
                    if row["captures"].is_object() {
                        equal(&Value::Object(captures), &row["captures"])?;
                    }
                }
                (Err(refusal), false) => {
                    let reason = match refusal {
                        Refusal::NoRoute => "path",
                        Refusal::MethodNotAllowed { .. } => "method",
                        Refusal::MalformedPath => "malformed_path",
                        _ => return Err(format!("{refusal:?}")),
                    };
                    // A source that says no more than that there is no route.
                    if row["reason"].is_string() {
                        equal(&json!(reason), &row["reason"])?;
                    }
                }
                (found, _) => return Err(format!("{found:?}")),
            }
        }
        Ok(())
    });
}

fn methods(list: &Value) -> Vec<String> {
    let Some(list) = list.as_array() else { return vec!["GET".to_owned()] };
    list.iter().map(|method| method.as_str().unwrap().to_owned()).collect()
}

#[test]
fn what_a_path_holds_is_decoded_as_the_public_table_has_it() {
    let Some(table) = table("http-rule/paths.json") else { return };
    each("decoding of paths", &table["decode"], |row| {
        let template = if row["variable"] == "single" { "/{v=*}" } else { "/{v=**}" };
        let mut matcher = Matcher::default();
        matcher.insert("GET", Template::parse(template).unwrap(), ()).unwrap();
        let found = matcher.find("GET", &format!("/{}", row["text"].as_str().unwrap())).unwrap();
        equal(&json!(found.captures[0].1), &row["value"])
    });
}

/// The shapes of the table of queries.
struct Shapes {
    pools: BTreeMap<String, DescriptorPool>,
}

impl Shapes {
    fn new(table: &Value) -> Self {
        let pool = |(name, shape): (&String, &Value)| {
            let syntax = shape["syntax"].as_str().unwrap();
            let proto = format!("syntax = \"{syntax}\";\npackage test;\n{IMPORTS}{}", message(name, shape));
            (name.clone(), compiled(&proto))
        };
        Self { pools: table["shapes"].as_object().unwrap().iter().map(pool).collect() }
    }

    fn empty(&self, name: &Value) -> DynamicMessage {
        let name = name.as_str().unwrap();
        DynamicMessage::new(self.pools[name].get_message_by_name(&format!("test.{name}")).unwrap())
    }

    /// A message of the table, in which masks alone are not as JSON has them.
    fn message(&self, name: &Value, fields: &Value) -> DynamicMessage {
        let mut fields = fields.as_object().cloned().unwrap_or_default();
        let is_mask = |value: &Value| value.get("paths").is_some();
        let masks: Vec<_> = fields.iter().filter(|(_, value)| is_mask(value)).map(|(name, _)| name.clone()).collect();
        let masks: Vec<_> = masks.into_iter().map(|name| (fields.remove(&name).unwrap(), name)).collect();
        let empty = self.empty(name);
        let kind = prost_reflect::ReflectMessage::descriptor(&empty);
        let mut message = DynamicMessage::deserialize(kind, Value::Object(fields)).unwrap();
        for (mask, name) in masks {
            let paths = mask["paths"].as_array().unwrap().iter();
            let paths = paths.map(|path| Field::String(path.as_str().unwrap().to_owned())).collect();
            let mask = message.get_field_by_name_mut(&name).unwrap().as_message_mut().unwrap();
            mask.set_field_by_name("paths", Field::List(paths));
        }
        message
    }
}

fn reason(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Field { problem, .. } => snake(&format!("{problem:?}")),
        other => snake(&format!("{other:?}")),
    }
}

#[test]
fn queries_are_read_as_the_public_table_has_them() {
    let Some(table) = table("http-rule/query.json") else { return };
    let shapes = Shapes::new(&table);
    each("queries", &table["rows"], |row| {
        let mut message = shapes.message(&row["message"], &row["before"]);
        let kind = prost_reflect::ReflectMessage::descriptor(&message);
        let bound = row["bound"].as_array().into_iter().flatten();
        let bound: Vec<_> = bound.map(|path| FieldPath::new(&kind, path.as_str().unwrap()).unwrap()).collect();
        match (bind_query(&mut message, row["query"].as_str().unwrap(), &bound), row.get("error")) {
            (Ok(()), None) => {
                // As bytes: of numbers that are none, no two are equal.
                let wanted = shapes.message(&row["message"], &row["expect"]);
                if message.encode_to_vec() == wanted.encode_to_vec() { Ok(()) } else { Err(json!(message).to_string()) }
            }
            (Err(refusal), Some(error)) => equal(&json!(reason(&refusal)), error),
            (found, _) => Err(format!("{found:?}")),
        }
    });
}

#[test]
fn fields_are_bindable_as_the_public_table_has_them() {
    let Some(table) = table("http-rule/query.json") else { return };
    let shapes = Shapes::new(&table);
    each("fields that a query may name", &table["bindable"], |row| {
        let kind = prost_reflect::ReflectMessage::descriptor(&shapes.empty(&row["message"]));
        let field = FieldPath::new(&kind, row["field"].as_str().unwrap()).unwrap();
        equal(&field.bindable().is_ok(), &(row["bindable"] == true))
    });
}

/// Nothing here writes parameters; what others write is read as they meant it.
#[test]
fn values_that_the_public_table_writes_are_read_back() {
    let Some(table) = table("http-rule/query.json") else { return };
    let shapes = Shapes::new(&table);
    each("values as they are written", &table["render"], |row| {
        let Some(text) = row["text"].as_str() else { return Ok(()) };
        let mut message = shapes.empty(&row["message"]);
        let kind = prost_reflect::ReflectMessage::descriptor(&message);
        let field = FieldPath::new(&kind, row["field"].as_str().unwrap()).unwrap();
        field.set(&mut message, text).map_err(|refusal| format!("{refusal:?}"))?;
        let mut wanted = row["value"].clone();
        if let (Some(index), Some(list)) = (row["index"].as_u64(), wanted[&field.text()].as_array().cloned()) {
            wanted[field.text()] = json!([list[usize::try_from(index).unwrap()]]);
        }
        let wanted = shapes.message(&row["message"], &wanted);
        // A field without presence is written even where it holds nothing.
        if message.encode_to_vec() == wanted.encode_to_vec() { Ok(()) } else { Err(json!(message).to_string()) }
    });
}

/// Nothing here writes paths; those that the public table writes are taken, and mean what they were written for.
#[test]
fn paths_that_the_public_table_writes_are_read_back() {
    let (Some(paths), Some(queries)) = (table("http-rule/paths.json"), table("http-rule/query.json")) else { return };
    let shapes = Shapes::new(&queries);
    let name = json!("ParameterValues");
    let kind = prost_reflect::ReflectMessage::descriptor(&shapes.empty(&name));
    each("paths as they are written", &paths["encode"], |row| {
        let template = Template::parse(row["template"].as_str().unwrap()).unwrap();
        let fields = template.variables().iter().map(|at| FieldPath::new(&kind, &at.field).unwrap());
        let fields: Vec<_> = fields.collect();
        let mut matcher = Matcher::default();
        matcher.insert("GET", template, ()).unwrap();
        // Refused here, too, as a route or as a parameter: crate::rules.
        let Some(path) = row["path"].as_str() else { return Ok(()) };
        let found = matcher.find("GET", path).map_err(|refusal| format!("{refusal:?}"))?;
        let mut message = shapes.empty(&name);
        for (field, (_, text)) in fields.iter().zip(&found.captures) {
            field.set(&mut message, text).unwrap();
        }
        let mut wanted = row["message"].clone();
        wanted.as_object_mut().unwrap().remove(row["body"].as_str().unwrap());
        equal(&json!(message), &json!(shapes.message(&name, &wanted)))
    });
}
