use jiff::Timestamp;

use super::base::{self, Base, Claim, Named, Standing};
use super::duration::{Age, Duration};
use super::name_glob::NameGlob;
use super::prelude::*;
use crate::oci::Reference;

declare_rule! {
    /// The image says what it is built on, and that is a wanted base.
    ///
    /// # What it checks
    ///
    /// What each platform says of its base, in the first of these places that says anything: the annotations
    /// `org.opencontainers.image.base.name` and `…base.digest` of its manifest, of its entry in the index and of the index, the labels of
    /// those names, the run image that buildpacks note, and the images among the materials of its provenance. Where provenance lists
    /// several images, the one counts whose layers the image begins with.
    ///
    /// The claim has to be true: the base is read from its registry, and its layers, compared by the digests of their content, must be
    /// the first layers of the image. A base that cannot be read makes the verdict unknown. `scratch` is no
    /// base at all, which nothing can prove: where more is wanted than a name, it counts if `allow` names it without a wildcard.
    ///
    /// # Why
    ///
    /// Most of an image is its base, and most of its vulnerabilities come and go with it. Who knows the base can tell whether it is one
    /// that somebody maintains, and whether a rebuild is due.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.base-image]
    /// must-be = "current"
    /// allow = ["docker.io/library/*", "gcr.io/distroless/*"]
    /// max-behind = "7d"
    /// ```
    ///
    /// # Parameters
    ///
    /// - `must-be` (`"declared"` by default, `"pinned"` or `"current"`): `pinned` wants the digest of the base beside its name. `current`
    ///   wants the image to begin with the layers of what the base's tag names now.
    /// - `allow` (list of globs over `registry/repository`, default all): the only bases admitted. An image without a base is
    ///   `docker.io/library/scratch`, which has to be written out: every image could say that it has none.
    /// - `deny` (list of globs over `registry/repository`, empty by default): bases that are refused.
    /// - `max-behind` (time span such as `"7d"`, none by default; with `current`): for how long a newer base may have been there. It is
    ///   counted from when that was made.
    /// - `max-age` (time span, none by default): how old the base that was used may be. A base that is made anew more often than
    ///   `max-behind` lasts never counts as behind; this bounds it.
    /// - `claim` (`"proven"` by default, or `"trusted"`): `trusted` takes the image at its word where its base cannot be read, or was
    ///   moved on from under a tag.
    ///
    /// # How to fix
    ///
    /// With buildx 0.10 and BuildKit 0.11 or later provenance names the base: `docker buildx build --pull --provenance=mode=max --output
    /// type=registry -t IMAGE .`; `--pull` takes what the tag names now. Annotations say it at any time:
    /// `--annotation "manifest:org.opencontainers.image.base.name=docker.io/library/alpine:3.22"`; an image built `FROM scratch`, of which
    /// provenance names no base, says `scratch` there. An image of buildpacks gets a new base by `pack rebase IMAGE`.
    ///
    /// # What it cannot see
    ///
    /// Images between the base and this one: labels are inherited, and may name the base of the base. Whether a base was copied to
    /// where `allow` admits it: list repositories that not everybody who pushes the image can write to. Whether provenance is true; the
    /// layers are. A base that was squashed or flattened into the image. Bases are read from the image's own registry, from those that
    /// `allow` names, and from the large public ones; others are not asked because an image says so: the verdict is unknown then.
    BaseImage: "base-image"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct BaseImage {
    must_be: MustBe,
    allow: Vec<NameGlob>,
    deny: Vec<NameGlob>,
    max_behind: Option<Duration>,
    max_age: Option<Duration>,
    claim: Trust,
}

/// What must be known of the base.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum MustBe {
    #[default]
    Declared,
    Pinned,
    Current,
}

/// Whether what an image says of its base is compared with its layers.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Trust {
    #[default]
    Proven,
    Trusted,
}

/// How the judging of one claim ended: what speaks for it, or against it.
type Judged = Result<String, String>;

impl Check for BaseImage {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        let idle = self.max_behind.is_some() && self.must_be != MustBe::Current;
        let message = "it counts only with `must-be = \"current\"`: add that, or take it out";
        idle.then(|| Problem::with("max-behind", message)).into_iter().collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let claims = base::claims(entry, view)?;
        let (location, judged) = match claims.as_slice() {
            [] => (Location::manifest(entry, ""), Err(undeclared())),
            [claim] => (claim.location.clone(), self.judge_claim(claim, entry, view)?),
            several => self.judge_several(several, entry, view)?,
        };
        let mut findings = Findings::new();
        if let Err(wrong) = &judged {
            findings.add(wrong.clone(), location, fix(view));
        }
        findings.verdict(|| judged.unwrap_or_default())
    }
}

impl BaseImage {
    /// Of the images that provenance lists, judges the one that the image begins with: the one of the most layers.
    fn judge_several(&self, claims: &[Claim], entry: &Entry, view: &View<'_>) -> Fact<(Location, Judged)> {
        if let Some((claim, _)) = base::first_of(claims, entry, view, |name| self.names(name))? {
            return Ok((claim.location.clone(), self.judge_claim(claim, entry, view)?));
        }
        if let Some(claim) = claims.iter().find(|claim| claim.digest.is_none()) {
            return Err(incomparable(claim, MOVED_ON));
        }
        Ok((claims[0].location.clone(), Err(begins_with_none(claims))))
    }

    fn judge_claim(&self, claim: &Claim, entry: &Entry, view: &View<'_>) -> Fact<Judged> {
        if let Some(wrong) = self.objection(claim) {
            return Ok(Err(wrong));
        }
        let Named::Image(name) = &claim.named else { return self.judge_scratch(claim) };
        match self.must_be {
            MustBe::Current => self.judge_current(claim, name, entry, view),
            MustBe::Declared | MustBe::Pinned => self.judge_as_built(claim, entry, view),
        }
    }

    /// Judges the claim to be built on nothing, which no layer proves: where more is wanted of a base than a name, the policy has to
    /// admit it by name.
    fn judge_scratch(&self, claim: &Claim) -> Fact<Judged> {
        let lists = !self.allow.is_empty() || !self.deny.is_empty();
        let wants_more = lists || self.must_be != MustBe::Declared || self.max_age.is_some();
        let admitted = self.allow.iter().any(|glob| glob.is_plain() && glob.matches(base::SCRATCH));
        if self.claim == Trust::Proven && wants_more && !admitted {
            let detail =
                format!("nothing proves it; admit it by name: `allow` with \"{}\" and the other bases", base::SCRATCH);
            return Err(Why::undecidable(format!("judging the base {claim}"), detail).into());
        }
        Ok(Ok(format!("the base is {claim}, by its own word")))
    }

    /// What speaks against the claim by itself, before anything is read.
    fn objection(&self, claim: &Claim) -> Option<String> {
        let name = match &claim.named {
            Named::Unreadable(_) => return Some(format!("the base is {claim}; wanted the name of an image")),
            Named::Nothing => return Some(format!("the base is {claim}; wanted its name")),
            Named::Scratch => base::SCRATCH.to_owned(),
            Named::Image(name) => name.canonical_name(),
        };
        if let Some(glob) = self.deny.iter().find(|glob| glob.matches(&name)) {
            return Some(format!("the base is {claim}; `deny` refuses it with '{}'", glob.as_str()));
        }
        if !self.allow.is_empty() && !self.allow.iter().any(|glob| glob.matches(&name)) {
            let wanted = words::either(self.allow.iter().map(NameGlob::as_str));
            return Some(format!("the base is {claim}; wanted {wanted}"));
        }
        let pinned = claim.digest.is_some() || claim.named == Named::Scratch;
        (self.must_be == MustBe::Pinned && !pinned).then(|| format!("the base is {claim}; wanted its digest as well"))
    }

    /// Judges the base that was used.
    fn judge_as_built(&self, claim: &Claim, entry: &Entry, view: &View<'_>) -> Fact<Judged> {
        let base = match self.read(claim, claim.as_built().as_ref(), entry, view) {
            Err(Stop::Unknown(why)) if self.claim == Trust::Trusted && self.max_age.is_none() => {
                return Ok(Ok(format!("the base is {claim}, which was not compared with it ({why})")));
            }
            read => read?,
        };
        match base.standing {
            Standing::First(layers) => self.judge_age(claim, &base, layers, view),
            Standing::Itself => Ok(Err(is_itself(claim))),
            Standing::Other if claim.digest.is_some() && claim.is_material() => {
                Ok(Err(begins_with_none(std::slice::from_ref(claim))))
            }
            Standing::Other if claim.digest.is_some() => {
                Ok(Err(format!("the base is said to be {claim}, and the image does not begin with its layers")))
            }
            Standing::Other | Standing::Empty if self.claim == Trust::Trusted && self.max_age.is_none() => {
                Ok(Ok(format!("the base is {claim}, by its own word")))
            }
            Standing::Other => Err(incomparable(claim, MOVED_ON)),
            Standing::Empty => Err(incomparable(claim, NO_LAYERS)),
        }
    }

    /// Judges how old the base is that was used.
    fn judge_age(&self, claim: &Claim, base: &Base, layers: usize, view: &View<'_>) -> Fact<Judged> {
        let proof = format!("the base is {claim}; its {} begin the image", words::count(layers, "layer"));
        let Some(max) = &self.max_age else { return Ok(Ok(proof)) };
        let age = Age::of(made(claim, base, view)?, view.now());
        Ok(if age.exceeds(max) {
            Err(format!("the base is {claim}, which is {age} old; at most {max} are wanted"))
        } else {
            Ok(format!("{proof}; it is {age} old"))
        })
    }

    /// Judges whether the image begins with what the tag of its base names now.
    fn judge_current(&self, claim: &Claim, name: &Reference, entry: &Entry, view: &View<'_>) -> Fact<Judged> {
        if name.tag().is_none() {
            let detail = "its name has no tag, which could have moved on";
            return Err(Why::undecidable(format!("looking whether the base {claim} is current"), detail).into());
        }
        let now = self.read(claim, Some(name), entry, view)?;
        match now.standing {
            Standing::First(layers) => return self.judge_age(claim, &now, layers, view),
            Standing::Itself => return Ok(Err(is_itself(claim))),
            Standing::Empty => return Err(incomparable(claim, NO_LAYERS)),
            Standing::Other => {}
        }
        let behind = format!("the base is {claim}; {name} is {} now", now.digest.short());
        let Some(max) = &self.max_behind else {
            return Ok(Err(format!("{behind}, and the image does not begin with its layers")));
        };
        let age = Age::of(made(claim, &now, view)?, view.now());
        if age.exceeds(max) {
            return Ok(Err(format!("{behind}, and has been for {age}; at most {max} are wanted")));
        }
        Ok(self.judge_as_built(claim, entry, view)?.map(|proof| format!("{proof}; a newer one is {age} old")))
    }

    fn read(&self, claim: &Claim, reference: Option<&Reference>, entry: &Entry, view: &View<'_>) -> Fact<Base> {
        base::check_reach(claim, view, |name| self.names(name))?;
        let unnamed = || Why::undecidable("reading the base", "it has no name");
        base::read(reference.ok_or_else(unnamed)?, entry, view)
    }

    /// Whether the policy names the registry of a base.
    fn names(&self, base: &str) -> bool {
        self.allow.iter().any(|glob| glob.names_registry() && glob.matches(base))
    }
}

/// When a base was made. Builders that make the same bytes every time write a date that is none.
fn made(claim: &Claim, base: &Base, view: &View<'_>) -> Fact<Timestamp> {
    let unknown = |detail| Why::undecidable(format!("looking when the base {claim} was made"), detail);
    let made = base.created.ok_or_else(|| unknown("it does not say"))?;
    if Age::of(made, view.now()).is_future() {
        return Err(unknown("it says a date in the future").into());
    }
    Ok(made)
}

/// Why the layers of a base and of the image tell nothing.
const NO_LAYERS: &str = "the base has no layers, so any image begins with them";
const MOVED_ON: &str =
    "the image does not begin with the layers of what the tag names now, and no digest says which image it was";

fn incomparable(claim: &Claim, detail: &'static str) -> Stop {
    Why::undecidable(format!("comparing the image with its base {claim}"), detail).into()
}

fn is_itself(claim: &Claim) -> String {
    format!("the base is said to be {claim}, which is this image itself")
}

/// Provenance lists images, and does not say which is the base: an image with a last stage from scratch has none of them.
fn begins_with_none(claims: &[Claim]) -> String {
    let listed = words::listed(claims);
    format!("the image begins with the layers of none of the images that went into its build: {listed}")
}

fn undeclared() -> String {
    "the image does not say what it is built on: neither annotations, labels, buildpacks nor provenance name a base"
        .to_owned()
}

fn fix(view: &View<'_>) -> Fix {
    Fix::new("build on a wanted base, and let provenance name it:").or(&words::build(
        "docker buildx build --pull --platform {} --provenance=mode=max --output type=registry -t {} .",
        view,
    ))
}
