//! JSON pointers (RFC 6901): built safely, and resolved to byte ranges of the text.

use std::{
    borrow::Cow,
    fmt::{self, Display, Write as _},
    ops::Range,
};

use serde::{
    Deserializer as _,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::Text;

/// Where a walk through a document stands: a chain of segments kept on the stack, so that a pointer costs nothing until
/// one is written.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Path<'a> {
    /// The document itself.
    Root,
    /// A member of an object.
    Member(&'a Path<'a>, &'a str),
    /// An element of an array.
    Element(&'a Path<'a>, usize),
}

/// Bytes of a pointer beyond which it names an ancestor instead: a hostile document may hold names of megabytes, and
/// hundreds of problems below each.
const LONGEST: usize = 2048;

impl Path<'_> {
    /// The pointer, or that of the nearest ancestor whose pointer is not too long to be repeated.
    pub(crate) fn to_pointer(self) -> String {
        self.written().unwrap_or_else(|ancestor| ancestor)
    }

    /// The pointer; an ancestor's if it is too long.
    fn written(self) -> Result<String, String> {
        let (parent, segment) = match self {
            Path::Root => return Ok(String::new()),
            Path::Member(parent, name) if name.len() > LONGEST => return Err(parent.to_pointer()),
            Path::Member(parent, name) => (parent, pointer_escape(name)),
            Path::Element(parent, index) => (parent, Cow::Owned(index.to_string())),
        };
        let parent = parent.written()?;
        if parent.len() + segment.len() < LONGEST { Ok(format!("{parent}/{segment}")) } else { Err(parent) }
    }
}

/// One segment of a pointer with `~` and `/` escaped.
pub fn pointer_escape(segment: &str) -> Cow<'_, str> {
    if segment.contains(['~', '/']) {
        Cow::Owned(segment.replace('~', "~0").replace('/', "~1"))
    } else {
        Cow::Borrowed(segment)
    }
}

/// One segment of a pointer as it is without escapes.
pub fn pointer_unescape(segment: &str) -> Cow<'_, str> {
    if segment.contains('~') {
        Cow::Owned(segment.replace("~1", "/").replace("~0", "~"))
    } else {
        Cow::Borrowed(segment)
    }
}

/// The pointer made of these segments, each escaped: `pointer(&[&"layers", &2])` is `/layers/2`.
pub fn pointer(segments: &[&dyn Display]) -> String {
    segments.iter().fold(String::new(), |mut text, segment| {
        write!(text, "/{}", pointer_escape(&segment.to_string())).expect("invariant: writing to a String cannot fail");
        text
    })
}

/// Byte ranges of one value in a JSON text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The member's name with its quotes; `None` for elements of arrays and for the document itself.
    pub key: Option<Range<usize>>,
    /// The value itself.
    pub value: Range<usize>,
}

/// The byte ranges that an RFC 6901 pointer names in `text`.
///
/// Of members with the same name the last one is meant, as in [`serde_json::Value`]. `None`: the pointer leads nowhere, or what had
/// to be read to follow it is no JSON.
pub fn locate(text: &str, pointer: &str) -> Option<Span> {
    if !pointer.is_empty() && !pointer.starts_with('/') {
        return None;
    }
    let span = |raw: &RawValue| {
        let start = raw.get().as_ptr() as usize - text.as_ptr() as usize;
        start..start + raw.get().len()
    };
    let Some(pointer) = pointer.strip_prefix('/') else {
        return Some(Span { key: None, value: span(serde_json::from_str(text).ok()?) });
    };
    let (mut within, mut found) = (text, None);
    for segment in pointer.split('/') {
        let segment = pointer_unescape(segment);
        let (key, value) = if within.trim_start().starts_with('{') {
            let (name, value) = member(within, &segment)?;
            (Some(span(name)), value)
        } else {
            (None, element(within, &segment)?)
        };
        within = value.get();
        found = Some(Span { key, value: span(value) });
    }
    found
}

fn member<'t>(object: &'t str, name: &str) -> Option<(&'t RawValue, &'t RawValue)> {
    use serde::de::DeserializeSeed;
    struct Member<'n>(&'n str);
    impl<'de> DeserializeSeed<'de> for Member<'_> {
        type Value = Option<(&'de RawValue, &'de RawValue)>;
        fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_map(self)
        }
    }
    impl<'de> Visitor<'de> for Member<'_> {
        type Value = Option<(&'de RawValue, &'de RawValue)>;
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }
        fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
            let mut found = None;
            while let Some((name, value)) = members.next_entry::<&'de RawValue, &'de RawValue>()? {
                if serde_json::from_str::<Text<'_>>(name.get()).is_ok_and(|text| text.0 == self.0) {
                    found = Some((name, value));
                }
            }
            Ok(found)
        }
    }
    let mut object = serde_json::Deserializer::from_str(object);
    let found = Member(name).deserialize(&mut object).ok()?;
    object.end().ok()?;
    found
}

fn element<'t>(array: &'t str, index: &str) -> Option<&'t RawValue> {
    struct Element<'f, 'de>(usize, &'f mut Option<&'de RawValue>);
    impl<'de> Visitor<'de> for Element<'_, 'de> {
        type Value = ();
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an array")
        }
        fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<(), A::Error> {
            for _ in 0..self.0 {
                if elements.next_element::<IgnoredAny>()?.is_none() {
                    return Ok(());
                }
            }
            *self.1 = elements.next_element()?;
            Ok(())
        }
    }
    let canonical = index == "0" || (index.bytes().all(|b| b.is_ascii_digit()) && !index.starts_with('0'));
    if !canonical {
        return None;
    }
    let mut found = None;
    // What follows the element is not looked at, and the deserializer complains about that.
    let _ = serde_json::Deserializer::from_str(array).deserialize_seq(Element(index.parse().ok()?, &mut found));
    found
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    const TEXT: &str = r#" {"a": 1, "b": [10, {"c\/~": "x"}, "]"], "a": {"": null}, "\u0064": {"é": "ü"}} "#;

    fn at(pointer: &str) -> Option<(Option<&'static str>, &'static str)> {
        let span = locate(TEXT, pointer)?;
        Some((span.key.map(|key| &TEXT[key]), &TEXT[span.value]))
    }

    #[test]
    fn keys_and_values_are_found() {
        assert_eq!(at(""), Some((None, TEXT.trim())));
        assert_eq!(at("/b/0"), Some((None, "10")));
        assert_eq!(at("/b/1/c~1~0"), Some((Some(r#""c\/~""#), r#""x""#)));
        assert_eq!(at("/b/2"), Some((None, r#""]""#)));
        assert_eq!(at("/a/"), Some((Some(r#""""#), "null")));
        assert_eq!(at("/d/é"), Some((Some(r#""é""#), r#""ü""#)));
    }

    #[test]
    fn the_last_of_equal_names_is_meant() {
        assert_eq!(at("/a"), Some((Some(r#""a""#), r#"{"": null}"#)));
    }

    #[test]
    fn pointers_that_lead_nowhere_give_nothing() {
        for pointer in ["b", "/x", "/b/3", "/b/01", "/b/-", "/b/+1", "/b/", "/b/0/0", "/b/99999999999999999999"] {
            assert_eq!(at(pointer), None, "{pointer}");
        }
        assert_eq!(locate("{", ""), None);
        assert_eq!(locate("{} {}", ""), None);
    }

    #[test]
    fn deep_texts_are_walked_without_recursion() {
        let text = format!("[0,{}{}]", "[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(locate(&text, "/0").unwrap().value, 1..2);
    }

    #[test]
    fn pointers_are_escaped() {
        assert_eq!(pointer(&[&"annotations", &"a/b~c", &3]), "/annotations/a~1b~0c/3");
        assert_eq!(pointer(&[]), "");
        let inner = Path::Member(&Path::Root, "a/b");
        assert_eq!(Path::Element(&inner, 2).to_pointer(), "/a~1b/2");
        let long = "x".repeat(LONGEST);
        let below = Path::Member(&inner, &long);
        assert_eq!(Path::Member(&below, "y").to_pointer(), "/a~1b", "a name that is too long to be repeated");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::btree_map("[a~/\"\\\\é]{0,3}", inner, 0..5).prop_map(|map| json!(map)),
            ]
        })
    }

    /// Every place of a value with its pointer.
    fn places(value: &Value, path: &Path<'_>, visit: &mut dyn FnMut(&str, &Value)) {
        visit(&path.to_pointer(), value);
        match value {
            Value::Array(list) => {
                list.iter().enumerate().for_each(|(at, value)| places(value, &Path::Element(path, at), visit));
            }
            Value::Object(map) => map.iter().for_each(|(name, value)| places(value, &Path::Member(path, name), visit)),
            _ => {}
        }
    }

    proptest! {
        #[test]
        fn every_place_of_a_document_is_found(value in any_json(), pretty in any::<bool>()) {
            let text = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
            places(&value, &Path::Root, &mut |pointer, expected| {
                let span = locate(&text, pointer).unwrap();
                assert_eq!(&serde_json::from_str::<Value>(&text[span.value]).unwrap(), expected);
                assert_eq!(value.pointer(pointer), Some(expected));
            });
        }

        #[test]
        fn arbitrary_texts_and_pointers_never_panic(text in ".{0,40}", pointer in "[/~01a]{0,8}") {
            let _ = locate(&text, &pointer);
        }
    }
}
