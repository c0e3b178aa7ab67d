//! Values that a document may give in another type than it must, without being unreadable for that.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// A member: absent or `null`, as wanted, or of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lenient<T> {
    Absent,
    Is(T),
    Wrong,
}

/// A string.
pub(super) type Text<'a> = Lenient<Plain<'a>>;
/// A list, the elements of which go into a `G` one by one.
pub(super) type List<G> = Lenient<Gathered<G>>;
/// An object with the members of a `T`.
pub(super) type Object<T> = Lenient<Members<T>>;

// Not derived, which would ask for a default of what may be absent.
#[expect(clippy::derivable_impls, reason = "the derived one asks for `T: Default`")]
impl<T> Default for Lenient<T> {
    fn default() -> Self {
        Self::Absent
    }
}

impl<T> Lenient<T> {
    pub(super) fn is_there(&self) -> bool {
        !matches!(self, Self::Absent)
    }

    pub(super) fn is_wrong(&self) -> bool {
        matches!(self, Self::Wrong)
    }

    pub(super) fn into_option(self) -> Option<T> {
        match self {
            Self::Is(value) => Some(value),
            Self::Absent | Self::Wrong => None,
        }
    }
}

impl Text<'_> {
    /// The text, unless there is none or an empty one.
    pub(super) fn get(&self) -> Option<&str> {
        match self {
            Self::Is(Plain(text)) if !text.is_empty() => Some(text),
            _ => None,
        }
    }

    pub(super) fn owned(&self) -> Option<String> {
        self.get().map(str::to_owned)
    }
}

impl<G: Default> List<G> {
    /// What was gathered, which is nothing where there is no list.
    pub(super) fn gathered(self) -> G {
        self.into_option().map(|Gathered(gathered)| gathered).unwrap_or_default()
    }
}

impl<T> Object<T> {
    pub(super) fn members(self) -> Option<T> {
        self.into_option().map(|Members(members)| members)
    }
}

/// A kind of value: what becomes of each type of JSON. `None` is "of another type".
pub(super) trait Kind<'de>: Sized {
    fn text(_: Cow<'de, str>) -> Option<Self> {
        None
    }

    fn whole(_: u64) -> Option<Self> {
        None
    }

    fn list<A: SeqAccess<'de>>(mut elements: A) -> Result<Option<Self>, A::Error> {
        while elements.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn object<A: MapAccess<'de>>(mut members: A) -> Result<Option<Self>, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

/// A string, borrowed where it holds no escapes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Plain<'a>(pub(super) Cow<'a, str>);

impl<'de: 'a, 'a> Kind<'de> for Plain<'a> {
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self(text))
    }
}

/// A whole number that is not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Whole;

impl Kind<'_> for Whole {
    fn whole(_: u64) -> Option<Self> {
        Some(Self)
    }
}

/// Where the elements of a list go.
pub(super) trait Gather<'de>: Default {
    type Element: Deserialize<'de>;

    fn gather(&mut self, element: Self::Element);
}

/// A list that was gathered.
pub(super) struct Gathered<G>(pub(super) G);

impl<'de, G: Gather<'de>> Kind<'de> for Gathered<G> {
    fn list<A: SeqAccess<'de>>(mut elements: A) -> Result<Option<Self>, A::Error> {
        let mut gathered = G::default();
        while let Some(element) = elements.next_element()? {
            gathered.gather(element);
        }
        Ok(Some(Self(gathered)))
    }
}

/// The members of an object.
pub(super) struct Members<T>(pub(super) T);

impl<'de, T: Deserialize<'de>> Kind<'de> for Members<T> {
    fn object<A: MapAccess<'de>>(members: A) -> Result<Option<Self>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(members)).map(|members| Some(Self(members)))
    }
}

/// Texts, as a list or a single one; the first few are kept.
#[derive(Default)]
pub(super) struct Texts<'a> {
    pub(super) first: Vec<Cow<'a, str>>,
    /// How many elements are no text.
    pub(super) others: usize,
    /// How many elements there are.
    pub(super) count: usize,
}

/// Texts of one list that are kept.
const MOST_TEXTS: usize = 32;

impl<'a> Texts<'a> {
    fn add(&mut self, text: Text<'a>) {
        self.count += 1;
        match text {
            Lenient::Is(Plain(text)) if self.first.len() < MOST_TEXTS => self.first.push(text),
            Lenient::Is(_) => {}
            Lenient::Absent | Lenient::Wrong => self.others += 1,
        }
    }
}

impl<'de: 'a, 'a> Kind<'de> for Texts<'a> {
    fn text(text: Cow<'de, str>) -> Option<Self> {
        Some(Self { first: vec![text], others: 0, count: 1 })
    }

    fn list<A: SeqAccess<'de>>(mut elements: A) -> Result<Option<Self>, A::Error> {
        let mut texts = Self::default();
        while let Some(element) = elements.next_element()? {
            texts.add(element);
        }
        Ok(Some(texts))
    }
}

impl<'de, K: Kind<'de>> Deserialize<'de> for Lenient<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyKind(PhantomData))
    }
}

struct AnyKind<K>(PhantomData<K>);

fn of<K>(kind: Option<K>) -> Lenient<K> {
    kind.map_or(Lenient::Wrong, Lenient::Is)
}

impl<'de, K: Kind<'de>> Visitor<'de> for AnyKind<K> {
    type Value = Lenient<K>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Lenient::Absent)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(Lenient::Wrong)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Lenient::Wrong)
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(of(K::whole(number)))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Lenient::Wrong)
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(of(K::text(Cow::Owned(text.to_owned()))))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(of(K::text(Cow::Borrowed(text))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Self::Value, A::Error> {
        K::list(elements).map(of)
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self::Value, A::Error> {
        K::object(members).map(of)
    }
}
