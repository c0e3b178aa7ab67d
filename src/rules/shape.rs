use super::prelude::*;

declare_rule! {
    /// The reference points to an index, or to a plain manifest; and indexes nest no deeper than wanted.
    ///
    /// # What it checks
    ///
    /// What kind of document the reference points to, and how many indexes lie between it and the deepest image: 1 for an index
    /// of images, 2 for an index of indexes.
    ///
    /// # Why
    ///
    /// An index can take further platforms and attestations without changing how it is referred to. A plain manifest is what some
    /// consumers ask for: AWS Lambda, old clusters, tools that read a digest as an image. Nested indexes are allowed by the
    /// specification, and many clients do not look into them.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.shape]
    /// kind = "index"
    /// max-depth = 1
    /// ```
    ///
    /// # Parameters
    ///
    /// - `kind` (`"index"` or `"manifest"`; `"index"` unless only `max-depth` is given): what the reference must point to.
    /// - `max-depth` (whole number from 1, no limit by default): how many indexes may lie between the reference and an image.
    ///
    /// # How to fix
    ///
    /// An index: build for several platforms, or keep the attestations that buildx 0.10 and later adds by default; an existing
    /// image is wrapped by `docker buildx imagetools create -t IMAGE IMAGE`. A plain manifest: build one platform without
    /// attestations, `docker buildx build --provenance=false --sbom=false --platform linux/amd64 --output type=registry -t IMAGE .`
    /// (`BUILDX_NO_DEFAULT_ATTESTATIONS=1` has the same effect). Nested indexes: join the images themselves,
    /// `docker buildx imagetools create -t IMAGE IMAGE-amd64 IMAGE-arm64`, which takes the entries out of the indexes it is given.
    ///
    /// # What it cannot see
    ///
    /// An entry that cannot be fetched may be an index of its own; the depth is unknown then.
    Shape: "shape"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Shape {
    kind: Option<Kind>,
    max_depth: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Index,
    Manifest,
}

impl Shape {
    fn wanted(&self) -> Option<Kind> {
        self.kind.or_else(|| self.max_depth.is_none().then_some(Kind::Index))
    }
}

impl Check for Shape {
    fn judges(&self) -> Judges {
        Judges::Root
    }

    fn problems(&self) -> Vec<Problem> {
        if self.max_depth != Some(0) || self.kind == Some(Kind::Manifest) {
            return Vec::new();
        }
        let message = "an index has a depth of at least 1; a plain manifest is asked for by `kind = \"manifest\"`";
        vec![Problem::with("max-depth", message)]
    }

    fn judge(&self, _: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let found = match view.root_manifest()? {
            Manifest::Index(_) => Kind::Index,
            Manifest::Image(_) => Kind::Manifest,
            Manifest::Schema1(_) => {
                return Err(Why::undecidable(
                    "looking at the shape",
                    "Docker's schema 1 is left to the rule `schema1`",
                )
                .into());
            }
        };
        let mut findings = Findings::new();
        if let Some(wanted) = self.wanted().filter(|wanted| *wanted != found) {
            let (message, fix) = wrong_kind(wanted, view);
            findings.add_keyed(message, Location::root(view, ""), fix, "kind");
        }
        let depth = if found == Kind::Index { self.check_depth(view, &mut findings)? } else { 0 };
        findings.verdict(|| match depth {
            0 => "a plain manifest".to_owned(),
            1 => "an index of manifests".to_owned(),
            deep => format!("indexes nested {deep} deep"),
        })
    }
}

impl Shape {
    /// Finds the indexes that lie too deep; returns how deep indexes nest.
    fn check_depth(&self, view: &View<'_>, findings: &mut Findings) -> Fact<usize> {
        let nested: BTreeSet<&Digest> = view.subjects().indexes.iter().collect();
        let mut level = vec![&view.root().digest];
        let mut depth = 0;
        while !level.is_empty() {
            depth += 1;
            let mut next = BTreeMap::new();
            for digest in level {
                let Manifest::Index(index) = view.document(digest)?.value() else { continue };
                for (position, descriptor) in index.manifests.iter().enumerate() {
                    if let Some(inner) = descriptor.digest.as_ref().ok().filter(|inner| nested.contains(inner)) {
                        next.insert(inner, (digest, position));
                    }
                }
            }
            if self.max_depth == Some(depth) {
                self.report_nested(&next, view, findings);
            }
            level = next.into_keys().collect();
        }
        if let (Some(_), Some((_, why))) = (self.max_depth, view.subjects().undetermined.first()) {
            findings.stop(why.clone().into());
        }
        Ok(depth)
    }

    fn report_nested(&self, nested: &BTreeMap<&Digest, (&Digest, usize)>, view: &View<'_>, findings: &mut Findings) {
        for (index, position) in nested.values() {
            let location = Location::new(NodeRole::Index, index, format!("/manifests/{position}"));
            let deeper = self.max_depth.unwrap_or_default() + 1;
            let message = format!(
                "this entry is an index {deeper} levels deep, at most {} wanted",
                words::count(deeper - 1, "level")
            );
            let fix = Fix::new("docker buildx imagetools create -t {} {}-amd64 {}-arm64")
                .with(&push_name(view))
                .with(&push_name(view))
                .with(&push_name(view));
            findings.add(message, location, fix);
        }
    }
}

fn wrong_kind(wanted: Kind, view: &View<'_>) -> (&'static str, Fix) {
    match wanted {
        Kind::Index => (
            "the reference points to a plain manifest, wanted an index",
            Fix::new("docker buildx build --platform linux/amd64,linux/arm64 --output type=registry -t {} .")
                .with(&push_name(view))
                .or(&Fix::new("docker buildx imagetools create -t {} {}").with(&push_name(view)).with(&image_name(view))),
        ),
        Kind::Manifest => (
            "the reference points to an index, wanted a plain manifest",
            Fix::new("docker buildx build --provenance=false --sbom=false --platform linux/amd64 --output type=registry -t {} .")
                .with(&push_name(view)),
        ),
    }
}
