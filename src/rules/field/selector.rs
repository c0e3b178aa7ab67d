//! Which values of a document are meant: a JSON pointer, or a `JSONPath` query within bounds.
//!
//! A query must not cost more than the document's size, whoever wrote the document: it descends once at most, and neither the
//! selectors of a step nor its filters make it visit a value again and again. Its functions `match` and `search` are left out,
//! since they compile an expression for every value; the rule's own `match` and `not-match` do so once.

use std::fmt;

use serde::Deserializer;
use serde_json::Value;
use serde_json_path::JsonPath;

use super::super::prelude::*;
use crate::oci::from_text;
use crate::oci::json::Path;

/// Length beyond which a pointer or query is refused, in bytes.
pub(in super::super) const LENGTH: usize = 1_024;
/// How deep brackets may nest in a query.
const NESTING: usize = 8;

/// An RFC 6901 JSON pointer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Pointer(String);

impl Pointer {
    fn new(text: &str) -> Result<Self, String> {
        if text.len() > LENGTH {
            return Err(format!("a pointer is at most {LENGTH} bytes long"));
        }
        if !text.starts_with('/') {
            return Err("a JSON pointer begins with `/`, such as `/config/User`".to_owned());
        }
        if text.split('~').skip(1).any(|after| !after.starts_with(['0', '1'])) {
            return Err("in a JSON pointer `~` is written `~0`, and `/` in a name `~1`".to_owned());
        }
        Ok(Self(text.to_owned()))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// A `JSONPath` query of RFC 9535.
#[derive(Debug, Clone)]
pub(in super::super) struct Query {
    text: String,
    path: JsonPath,
}

impl Query {
    fn new(text: &str) -> Result<Self, String> {
        if text.len() > LENGTH {
            return Err(format!("a query is at most {LENGTH} bytes long"));
        }
        bounded(text)?;
        let path = JsonPath::parse(text).map_err(|error| format!("not a usable JSONPath query: {error}"))?;
        Ok(Self { text: text.to_owned(), path })
    }

    /// A pointer to one of the places to which the plain steps at its beginning lead: `/history/0/created_by`.
    pub(super) fn beginning(&self) -> String {
        let mut pointer = String::new();
        let mut rest = self.text.strip_prefix('$').unwrap_or_default();
        while let Some((name, after)) = step(rest) {
            pointer.push('/');
            pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
            rest = after;
        }
        pointer
    }
}

/// The first step of a query, if it is one name or goes to elements of a list, of which the first will do.
fn step(query: &str) -> Option<(&str, &str)> {
    let Some(inside) = query.strip_prefix('[') else {
        let query = query.strip_prefix('.')?;
        let is_name = |c: char| c.is_alphanumeric() || c == '_';
        let (name, after) = query.split_at(query.find(|c| !is_name(c)).unwrap_or(query.len()));
        return (!name.is_empty()).then_some((name, after));
    };
    let (selector, after) = inside.split_once(']')?;
    let quoted = |mark: char| selector.strip_prefix(mark)?.strip_suffix(mark);
    let name = quoted('"').or_else(|| quoted('\'')).filter(|name| !name.contains(['\\', '"', '\'']));
    let is_element = |c: char| c.is_ascii_digit() || matches!(c, '*' | ':' | '-');
    name.or(selector.chars().all(is_element).then_some("0")).map(|name| (name, after))
}

/// Refuses what could cost more than the size of the document, or the parser its stack.
fn bounded(text: &str) -> Result<(), String> {
    let code = without_strings(text);
    let depth = code.chars().scan(0_usize, |depth, c| {
        match c {
            '[' | '(' => *depth += 1,
            ']' | ')' => *depth = depth.saturating_sub(1),
            _ => {}
        }
        Some(*depth)
    });
    if depth.max().unwrap_or_default() > NESTING {
        return Err(format!("the brackets of a query nest at most {NESTING} deep"));
    }
    if ["match(", "search("].iter().any(|function| code.contains(function)) {
        return Err(
            "the functions `match` and `search` are left out: select the values, and compare them with the rule's own \
                    `match` or `not-match`"
                .to_owned(),
        );
    }
    if code.matches("..").count() > 1 {
        return Err("a query descends (`..`) once at most".to_owned());
    }
    let filter = code.find('?').map_or("", |at| &code[at..]);
    if filter.contains('$') || filter.contains("..") {
        return Err("a filter looks only at its own value: it uses neither `$` nor `..`".to_owned());
    }
    if repeats(&code) {
        return Err(
            "several selectors in one pair of brackets are names or positions, such as `[0,1]`, each once".to_owned()
        );
    }
    Ok(())
}

/// Whether a pair of brackets holds selectors that could select one value twice.
fn repeats(code: &str) -> bool {
    let mut open: Vec<Vec<String>> = Vec::new();
    for c in code.chars().filter(|c| !c.is_whitespace()) {
        match (c, open.last_mut()) {
            ('[', _) => open.push(vec![String::new()]),
            (']', Some(selectors)) if could_meet(selectors) => return true,
            (']', Some(_)) => {
                open.pop();
            }
            (',', Some(selectors)) => selectors.push(String::new()),
            (c, Some(selectors)) => selectors.last_mut().into_iter().for_each(|selector| selector.push(c)),
            (_, None) => {}
        }
    }
    false
}

/// Whether several selectors could select one value, which only different names and different positions cannot.
fn could_meet(selectors: &[String]) -> bool {
    let plain = |selector: &String| {
        let name = selector.strip_prefix('"').unwrap_or(selector);
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit())
    };
    let distinct: BTreeSet<&String> = selectors.iter().collect();
    selectors.len() > 1 && (distinct.len() < selectors.len() || !selectors.iter().all(plain))
}

/// The query with each text in quotes written as `"` and a number for it, the same for the same text; and a `\` for one that could
/// be written in another way.
fn without_strings(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut known: Vec<String> = Vec::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        if c != '"' && c != '\'' {
            code.push(c);
            continue;
        }
        let mut inside = String::new();
        while let Some(next) = characters.next().filter(|next| *next != c) {
            inside.push(next);
            inside.extend((next == '\\').then(|| characters.next()).flatten());
        }
        if inside.contains('\\') {
            code.push('\\');
        }
        let number = known.iter().position(|earlier| *earlier == inside).unwrap_or_else(|| {
            known.push(inside);
            known.len() - 1
        });
        code.push('"');
        code.push_str(&number.to_string());
    }
    code
}

/// What a rule selects by.
#[derive(Debug, Clone, Copy)]
pub(super) enum Selector<'p> {
    Pointer(&'p Pointer),
    Query(&'p Query),
}

impl<'p> Selector<'p> {
    /// The values selected; `null` counts as nothing, as it does for the programs that read these documents.
    pub(super) fn select(self, document: &Value) -> Vec<&Value> {
        let mut found = match self {
            Self::Pointer(pointer) => document.pointer(pointer.as_str()).into_iter().collect(),
            Self::Query(query) => query.path.query(document).all(),
        };
        found.retain(|value| !value.is_null());
        found
    }

    /// The pointer, if it is one.
    pub(super) fn pointer(self) -> Option<&'p str> {
        match self {
            Self::Pointer(pointer) => Some(pointer.as_str()),
            Self::Query(_) => None,
        }
    }
}

impl fmt::Display for Selector<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Pointer(pointer) => pointer.as_str(),
            Self::Query(query) => &query.text,
        })
    }
}

/// The pointers of some values that are part of a document, in their order. Only of those that are shown: the pointers of all
/// values of a hostile document would take a hundred times its size.
pub(super) fn pointers(document: &Value, values: &[&Value]) -> Vec<String> {
    let mut found = vec![String::new(); values.len()];
    visit(document, &Path::Root, &mut |path, value| {
        for (pointer, _) in found.iter_mut().zip(values).filter(|(_, wanted)| std::ptr::eq(**wanted, value)) {
            *pointer = path.to_pointer();
        }
    });
    found
}

/// Calls for every value of a document; one that was parsed strictly nests 64 deep at most.
fn visit(value: &Value, path: &Path<'_>, call: &mut dyn FnMut(&Path<'_>, &Value)) {
    call(path, value);
    match value {
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(at, value)| visit(value, &Path::Element(path, at), call));
        }
        Value::Object(members) => {
            members.iter().for_each(|(name, value)| visit(value, &Path::Member(path, name), call));
        }
        _ => {}
    }
}

impl<'de> Deserialize<'de> for Pointer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a JSON pointer such as \"/config/User\"", Self::new)
    }
}

impl<'de> Deserialize<'de> for Query {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        from_text(deserializer, "a JSONPath query such as \"$.history[*].created_by\"", Self::new)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pointers_are_those_of_rfc_6901() {
        assert!(Pointer::new("/config/Labels/a~1b~0c").is_ok() && Pointer::new("/").is_ok());
        for wrong in ["", "config/User", "$.config", "/a~2", "/a~", &format!("/{}", "x".repeat(LENGTH))] {
            assert!(Pointer::new(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_beginning_of_a_query_is_a_pointer() {
        for (query, pointer) in [
            ("$.history[*].created_by", "/history/0/created_by"),
            ("$['config'][\"Labels\"]['a/b~c']", "/config/Labels/a~1b~0c"),
            ("$.layers[1:].digest", "/layers/0/digest"),
            ("$.config.Labels.*", "/config/Labels"),
            ("$..created_by", ""),
            ("$.manifests[?@.size > 1].digest", "/manifests"),
            ("$['a]b'].c", ""),
            ("$", ""),
        ] {
            assert_eq!(Query::new(query).unwrap().beginning(), pointer, "{query}");
        }
    }

    #[test]
    fn queries_that_cost_no_more_than_the_document_are_taken() {
        for query in [
            "$.history[*].created_by",
            "$..digest",
            "$..['a']",
            "$.layers[?@.size > 1000000].digest",
            "$.config.Labels['a..b','c?$','match(']",
            "$[0,1]['a','b']",
            r#"$["a\"b"]"#,
            "$.layers[?length(@.urls) > 0 && !(@.mediaType == 'a,a')]",
            "$.history[-1]",
            "$.layers[1:]",
        ] {
            assert!(Query::new(query).is_ok(), "{query}: {:?}", Query::new(query).err());
        }
        for (query, problem) in [
            ("$..a..b", "once at most"),
            ("$[?@..a]", "neither `$` nor `..`"),
            ("$[?@.a == $.b]", "neither `$` nor `..`"),
            ("$[*,*]", "each once"),
            ("$[0,-1]", "each once"),
            ("$['a','a']", "each once"),
            (r"$['a','\u0061']", "each once"),
            ("$[?@[0],1]", "each once"),
            ("$[0:,0]", "each once"),
            ("$[?search(@.created_by, 'ADD')]", "are left out"),
            ("config", "not a usable"),
            ("$.", "not a usable"),
        ] {
            assert!(Query::new(query).unwrap_err().contains(problem), "{query}: {:?}", Query::new(query));
        }
        let deep = format!("$[?{}@.a{}]", "(".repeat(300), ")".repeat(300));
        assert!(Query::new(&deep).unwrap_err().contains("nest at most"));
        let negated = format!("$[?{}@.a]", "!".repeat(900));
        assert!(Query::new(&negated).is_err());
    }

    /// As deep as a document may be: no query selects a value twice.
    #[test]
    fn no_query_selects_more_than_there_is() {
        let wide = json!(vec![json!({"a": [1, 2, 3], "b": "x"}); 1_000]);
        let deep = (0..60).fold(wide, |inside, _| json!([inside]));
        for query in ["$..*", "$..[*][*]", "$..[?@.a[?@ > 1]]", "$..[?count(@.*.*.*) > 1]", "$..b"] {
            let found = Selector::Query(&Query::new(query).unwrap()).select(&deep);
            let different: BTreeSet<*const Value> = found.iter().map(|value| std::ptr::from_ref(*value)).collect();
            assert!(!found.is_empty() && different.len() == found.len(), "{query}: {}", found.len());
        }
    }

    #[test]
    fn what_is_selected_is_located() {
        let document = json!({"a/b": [{"c": 1}, {"c": null}, {"c": 1}]});
        let query = Query::new("$..c").unwrap();
        let found = Selector::Query(&query).select(&document);
        assert_eq!(pointers(&document, &found), ["/a~1b/0/c", "/a~1b/2/c"]);
    }
}
