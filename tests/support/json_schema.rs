//! Checks JSON against a JSON Schema, as far as schemars' schemas of plain types go; what it does not know it refuses.

use serde_json::Value;

/// What is wrong with a value, with the place of each.
pub(crate) fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let mut found = Vec::new();
    check(schema, schema, value, "$", &mut found);
    found
}

fn check(root: &Value, schema: &Value, value: &Value, place: &str, found: &mut Vec<String>) {
    let Some(rules) = schema.as_object() else {
        if schema == &Value::Bool(false) {
            found.push(format!("{place}: nothing is allowed here"));
        }
        return;
    };
    for (rule, wanted) in rules {
        let fits = match rule.as_str() {
            "$schema" | "$defs" | "title" | "description" | "format" | "default" | "x-csv-columns" => true,
            "$ref" => {
                let pointer = wanted.as_str().and_then(|target| target.strip_prefix('#')).expect("a local reference");
                check(root, root.pointer(pointer).expect("a definition"), value, place, found);
                true
            }
            "type" => match wanted {
                Value::String(name) => is_a(value, name),
                names => {
                    names.as_array().expect("types").iter().any(|name| is_a(value, name.as_str().expect("a type")))
                }
            },
            "enum" => wanted.as_array().expect("values").contains(value),
            "const" => wanted == value,
            "minimum" => value.as_f64().is_none_or(|number| number >= wanted.as_f64().expect("a number")),
            "maximum" => value.as_f64().is_none_or(|number| number <= wanted.as_f64().expect("a number")),
            "minLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 >= wanted.as_u64().expect("n")),
            "maxLength" => value.as_str().is_none_or(|text| text.chars().count() as u64 <= wanted.as_u64().expect("n")),
            "minItems" => value.as_array().is_none_or(|items| items.len() as u64 >= wanted.as_u64().expect("n")),
            "maxItems" => value.as_array().is_none_or(|items| items.len() as u64 <= wanted.as_u64().expect("n")),
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, wanted, item, &format!("{place}[{index}]"), found);
                }
                true
            }
            "required" => {
                let missing = |name: &&Value| value.get(name.as_str().expect("a name")).is_none();
                !value.is_object() || wanted.as_array().expect("names").iter().filter(missing).count() == 0
            }
            "properties" => {
                for (name, inner) in wanted.as_object().expect("properties") {
                    if let Some(value) = value.get(name) {
                        check(root, inner, value, &format!("{place}.{name}"), found);
                    }
                }
                for name in value.as_object().into_iter().flat_map(|object| object.keys()) {
                    if wanted.get(name).is_none() {
                        found.push(format!("{place}.{name} is not in the schema"));
                    }
                }
                true
            }
            "anyOf" | "oneOf" => wanted.as_array().expect("schemas").iter().any(|inner| {
                let mut wrong = Vec::new();
                check(root, inner, value, place, &mut wrong);
                wrong.is_empty()
            }),
            other => panic!("{place}: the rule {other} is not known here"),
        };
        if !fits {
            found.push(format!("{place}: {value} does not keep {rule}: {wanted}"));
        }
    }
}

fn is_a(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "number" => value.is_number(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type is called {other}"),
    }
}
