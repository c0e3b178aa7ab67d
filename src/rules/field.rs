mod comparison;
mod documents;
mod judge;
mod limit;
mod selector;
mod shown;
mod statements;

use super::carriers::Coverage;
use super::prelude::*;
use crate::oci::Untrusted;
use crate::oci::json::misspelt;
use comparison::{Comparison, Range};
pub(super) use limit::{Bound, Scalar};
use limit::{End, Kind, Limit};
use selector::Selector;
pub(super) use selector::{LENGTH, Pointer, Query};
use statements::Statements;

declare_rule! {
    /// A field of the image's documents is as wanted.
    ///
    /// # What it checks
    ///
    /// Any field for which no other rule is made. `of` says which document, `pointer` or `path` which values of it, and one comparison
    /// what is wanted of them:
    ///
    /// | comparison | wanted |
    /// |---|---|
    /// | `equals`, `one-of` | the same text, number or boolean; a number never equals a text |
    /// | `match`, `not-match` | a text that the regular expression matches as a whole, or does not |
    /// | `min`, `max` or both | a number, date, size or version not below, not above |
    /// | `exists` | that there is a value, or with `false` that there is none |
    ///
    /// A field that is missing meets nothing but `exists = false` and `quantifier = "none"`; so no comparison passes because nothing was
    /// there to compare. `null` counts as missing, an empty text does not. A value of another kind than what is compared (a list with
    /// `match`, a text that is no date with `max`) does not meet the comparison either; with `quantifier = "none"` the answer is
    /// then unknown.
    ///
    /// # Why
    ///
    /// Every organisation has a field of its own that matters: a team's annotation on each layer, the builder's version in a label, a
    /// history entry that must not be there.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.field]
    /// pointer = "/config/Labels/com.example.tier"
    /// one-of = ["frontend", "backend"]
    ///
    /// [rules.no-remote-add]
    /// rule = "field"
    /// path = "$.history[*].created_by"
    /// match = '.*\bADD https?://.*'
    /// quantifier = "none"
    ///
    /// [rules.builder-version]
    /// rule = "field"
    /// of = "manifest"
    /// pointer = "/annotations/com.example.builder-version"
    /// min = "2.4"
    /// as = "version"
    ///
    /// [rules.tests-passed]
    /// rule = "field"
    /// of = "statement"
    /// predicate-type = "https://in-toto.io/attestation/test-result/*"
    /// pointer = "/predicate/result"
    /// equals = "PASSED"
    /// ```
    ///
    /// # Parameters
    ///
    /// - `of` (`"config"` by default, `"manifest"`, `"index"`, `"layer"` or `"statement"`): the document. Config and manifest are those of each
    ///   platform; the index is what the reference points to; a layer is the descriptor of each layer in the manifest of each platform,
    ///   to which `pointer` and `path` are then relative; a statement is an attestation about the image, out of its wrapping, in one of
    ///   the homes of the rule `attestation`; one that names another digest is none. One statement must meet the rule; with
    ///   `quantifier = "none"` or `exists = false` each must.
    /// - `predicate-type` (glob over predicate types, required for statements and only there): which statements are meant.
    /// - `coverage` (`"either"` by default, `"each-platform"` or `"image"`, only for statements): what they must be about; as for `sbom`.
    /// - `pointer` (JSON pointer, this or `path` required): the one value at a place, by RFC 6901: `"/config/Labels/com.example.team"`. In a name
    ///   `~` is written `~0` and `/` is written `~1`.
    /// - `path` (JSONPath, this or `pointer` required): any number of values, by RFC 9535: `"$.history[*].created_by"`. A query
    ///   descends with `..` once at most; its filters use neither `$` nor `..`, nor the functions `match` and `search`.
    /// - `equals` (text, number or boolean, none by default): the value wanted.
    /// - `one-of` (list of texts, numbers or booleans, empty by default): the values wanted, one of them.
    /// - `match` (regular expression, none by default): what a text must match as a whole.
    /// - `not-match` (regular expression, none by default): what a text must not match as a whole.
    /// - `exists` (boolean, none by default): whether there must be a value, or must be none.
    /// - `min` (number, date or text, none by default): the least that is admitted. A date is written as TOML's, `2026-11-23` or
    ///   `2026-11-23T12:00:00Z`; a day counts from its beginning, in UTC.
    /// - `max` (number, date or text, none by default): the most that is admitted. A day counts to its end.
    /// - `as` (`"number"`, `"date"`, `"size"` or `"version"`, required where `min` or `max` is a text): what is compared. In the image a number may
    ///   also be a text (`"3"`, as labels are), a size is a number of bytes or a text such as `"500MiB"`, a date is one of RFC 3339, and a
    ///   version may have a leading `v` and leave out numbers, which are then zero; they are ordered as Semantic Versioning does.
    /// - `quantifier` (`"all"` by default, `"any"` or `"none"`): how many of the values must meet the comparison. `"all"` wants at least
    ///   one, in each layer where layers are judged; an image without layers meets it. `"none"` is met where there is nothing.
    ///
    /// # How to fix
    ///
    /// Change what builds the image so that the field is as wanted. To see the document as it is:
    ///
    /// ```sh
    /// crane config --platform linux/amd64 IMAGE
    /// crane manifest --platform linux/amd64 IMAGE
    /// ```
    ///
    /// Say in the policy's own words what to do, with the key `help` of the rule's table.
    ///
    /// # What it cannot see
    ///
    /// What a value means: where there is a rule for a field, it knows what runtimes make of it (`/config/User` is root in many spellings,
    /// which `user` knows). A part of the document that is not of the form that the specification wants makes the answer unknown. Of
    /// environment variables and build arguments no value is ever shown. Of a statement, whether it is true: no signature is verified. A
    /// statement beyond 4 MiB, such as a large SBOM, is unknown.
    Field: "field"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Field {
    of: Of,
    predicate_type: Option<Glob>,
    coverage: Option<Coverage>,
    pointer: Option<Pointer>,
    path: Option<Query>,
    equals: Option<Scalar>,
    one_of: Vec<Scalar>,
    r#match: Option<Pattern>,
    not_match: Option<Pattern>,
    exists: Option<bool>,
    min: Option<Bound>,
    max: Option<Bound>,
    r#as: Option<Kind>,
    quantifier: Option<Quantifier>,
}

/// Which document is meant.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Of {
    /// The config of each platform.
    #[default]
    Config,
    /// The manifest of each platform.
    Manifest,
    /// The index that the reference points to.
    Index,
    /// The descriptor of each layer of each platform.
    Layer,
    /// Statements about the image.
    Statement,
}

/// How many of the values must meet the comparison.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Quantifier {
    /// Each of them, and at least one.
    #[default]
    All,
    /// At least one.
    Any,
    /// Not one.
    None,
}

impl Check for Field {
    fn judges(&self) -> Judges {
        match self.of {
            Of::Index => Judges::Root,
            Of::Config | Of::Manifest | Of::Layer => Judges::EachPlatform,
            Of::Statement => self.coverage.unwrap_or_default().judges(),
        }
    }

    fn problems(&self) -> Vec<Problem> {
        let one = [self.selection_problem(), self.number_problem()];
        let found: Vec<Problem> = one.into_iter().flatten().collect();
        if !found.is_empty() {
            return found;
        }
        let details = [self.statement_problem(), self.range().err(), self.quantifier_problem(), self.name_problem()];
        details.into_iter().flatten().collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let (Some(selector), Some(comparison)) = (self.selector(), self.comparison()) else {
            return Err(Why::undecidable("judging a field", "the policy names none").into());
        };
        let quantifier = self.quantifier.unwrap_or_default();
        if let Some(of_type) = self.predicate_type.as_ref().filter(|_| self.of == Of::Statement) {
            let coverage = self.coverage.unwrap_or_default();
            let sought = Statements { of_type, coverage, selector, comparison: &comparison, quantifier };
            return sought.judge(subject, view);
        }
        let documents = documents::Documents::open(self.of, selector, subject, view)?;
        judge::judge(&documents, selector, &comparison, quantifier, &|| self.fix(subject, view))
    }
}

/// The parameters that compare, of which `min` and `max` are one comparison.
const COMPARISONS: &str = "`equals`, `one-of`, `match`, `not-match`, `exists`, or `min` and `max`";

impl Field {
    fn selector(&self) -> Option<Selector<'_>> {
        self.pointer.as_ref().map(Selector::Pointer).or(self.path.as_ref().map(Selector::Query))
    }

    fn comparison(&self) -> Option<Comparison<'_>> {
        let equals = self.equals.as_ref().map(Comparison::Equals);
        let one_of = || (!self.one_of.is_empty()).then_some(Comparison::OneOf(&self.one_of));
        let matched = || self.r#match.as_ref().map(Comparison::Match);
        let not_matched = || self.not_match.as_ref().map(Comparison::NotMatch);
        let range = || self.range().ok().flatten().map(Comparison::Range);
        equals
            .or_else(one_of)
            .or_else(matched)
            .or_else(not_matched)
            .or_else(|| self.exists.map(Comparison::Exists))
            .or_else(range)
    }

    fn selection_problem(&self) -> Option<Problem> {
        match (&self.pointer, &self.path) {
            (None, None) => Some(Problem::missing(
                "no field is named: give `pointer`, such as `pointer = \"/config/User\"`, or `path` for several values",
            )),
            (Some(_), Some(_)) => {
                Some(Problem::with("path", "`pointer` names the field already: take one of the two out"))
            }
            _ => None,
        }
    }

    /// There is one comparison.
    fn number_problem(&self) -> Option<Problem> {
        let given = [
            ("equals", self.equals.is_some()),
            ("one-of", !self.one_of.is_empty()),
            ("match", self.r#match.is_some()),
            ("not-match", self.not_match.is_some()),
            ("exists", self.exists.is_some()),
            (if self.min.is_some() { "min" } else { "max" }, self.min.is_some() || self.max.is_some()),
        ];
        let mut given = given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name);
        match (given.next(), given.next()) {
            (None, _) => Some(Problem::missing(format!("nothing is wanted of the field: give one of {COMPARISONS}"))),
            (Some(first), Some(second)) => {
                let message = format!(
                    "`{first}` says already what is wanted: a rule compares in one way, for another write a second table with \
                     `rule = \"field\"`"
                );
                Some(Problem::with(second, message))
            }
            (Some(_), None) => None,
        }
    }

    /// What `min` and `max` say; `None` where neither is given.
    fn range(&self) -> Result<Option<Range>, Problem> {
        let given = [("min", &self.min, End::Min), ("max", &self.max, End::Max)];
        if given.iter().all(|(_, bound, _)| bound.is_none()) {
            let idle = || Problem::with("as", "it says what `min` and `max` compare, and neither is given");
            return self.r#as.map_or(Ok(None), |_| Err(idle()));
        }
        let kind =
            self.r#as.or_else(|| given.iter().find_map(|(_, bound, _)| bound.as_ref()?.kind())).ok_or_else(|| {
                let message =
                    "a text may be a size, a version, a date or a number: say which, such as `as = \"version\"`";
                Problem::with(if self.min.is_some() { "min" } else { "max" }, message)
            })?;
        let limit =
            |(name, bound, end): (&'static str, &Option<Bound>, End)| -> Result<Option<(Limit, String)>, Problem> {
                let Some(bound) = bound else { return Ok(None) };
                let limit = bound.limit(kind, end).map_err(|problem| Problem::with(name, problem))?;
                Ok(Some((limit, bound.to_string())))
            };
        let [min, max] = given.map(limit);
        let range = Range { kind, min: min?, max: max? };
        match (&range.min, &range.max) {
            (Some((min, _)), Some((max, _))) if min.order(max).is_none_or(std::cmp::Ordering::is_gt) => {
                Err(Problem::with("max", "nothing lies between `min` and `max`: `min` is the larger one"))
            }
            _ => Ok(Some(range)),
        }
    }

    fn statement_problem(&self) -> Option<Problem> {
        if self.of == Of::Statement {
            let missing = "no statement is named: give `predicate-type`, such as `predicate-type = \"https://slsa.dev/provenance/*\"`";
            return self.predicate_type.is_none().then(|| Problem::missing(missing));
        }
        let given = [("predicate-type", self.predicate_type.is_some()), ("coverage", self.coverage.is_some())];
        let (name, _) = given.into_iter().find(|(_, given)| *given)?;
        Some(Problem::with(name, "it is for statements: write `of = \"statement\"`, or take it out"))
    }

    fn quantifier_problem(&self) -> Option<Problem> {
        let exists = self.exists.filter(|_| self.quantifier == Some(Quantifier::None))?;
        Some(Problem::with("quantifier", format!("`none` turns `exists` round: write `exists = {}` instead", !exists)))
    }

    /// A name in another case than the known one never occurs: documents that hold it are ambiguous.
    fn name_problem(&self) -> Option<Problem> {
        use crate::oci::Shape;
        let of_path = || self.path.as_ref().map(|path| ("path", path.beginning()));
        let (parameter, pointer) =
            self.pointer.as_ref().map(|pointer| ("pointer", pointer.as_str().to_owned())).or_else(of_path)?;
        let (written, known) = match self.of {
            Of::Config => misspelt(Shape::Config, &pointer),
            Of::Manifest | Of::Index => misspelt(Shape::Manifest, &pointer),
            Of::Layer => misspelt(Shape::Manifest, &format!("/layers/0{pointer}")),
            Of::Statement => None,
        }?;
        Some(Problem::with(parameter, format!("the field is called `{known}`, not `{}`", Untrusted(&written))))
    }

    fn fix(&self, subject: Subject<'_>, view: &View<'_>) -> Fix {
        let entry = subject.platform().ok();
        let of_platform = |command| match entry {
            Some(entry) => Fix::new(command).with(entry).with(&image_name(view)),
            None => Fix::new("change what builds the image"),
        };
        let see = match self.of {
            Of::Config => of_platform("crane config --platform {} {}"),
            Of::Manifest | Of::Layer => of_platform("crane manifest --platform {} {}"),
            Of::Index | Of::Statement => Fix::new("crane manifest {}").with(&image_name(view)),
        };
        Fix::new("change what builds the image so that the field is as the policy wants it; the document as it is:")
            .or(&see)
    }
}
