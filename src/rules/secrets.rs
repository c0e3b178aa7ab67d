mod attested;
mod inspection;

use super::carriers::Home;
use super::prelude::*;
use super::sensitive::{self, Criteria, MIN_ENTROPY, Secret};
use inspection::Inspection;

declare_rule! {
    /// No secret is in what the image says of itself.
    ///
    /// # What it checks
    ///
    /// What an image says of itself beside its layers: the variables in `Env`, labels, annotations of indexes, manifests and
    /// descriptors, the commands (`Entrypoint`, `Cmd`, the health check), the history with its build arguments, and the build
    /// arguments (those of requests within the request as well) and addresses of provenance, by default of that which BuildKit puts
    /// into the index. A secret is
    ///
    /// - a credential of a known form, with its checksum where the form has one: keys and tokens of AWS, GitHub, GitLab, Slack, Stripe,
    ///   Google, Azure, npm, PyPI, Docker Hub, OpenAI, Anthropic, Hugging Face and some forty others, JSON Web Tokens, private keys;
    /// - a password in an address: `postgres://app:…@db/`;
    /// - a literal value of a name that promises a secret: `DB_PASSWORD`, `--token`, `Authorization`. A password may be any value, a
    ///   token or key must look random; the same in a line of a file of settings (`.npmrc`, `.netrc`, `.pypirc`, YAML) and in
    ///   `curl -u app:…`, `mysql -p…`, `echo 'root:…' | chpasswd`. Names of something about a secret (`PASSWORD_FILE`, `TOKEN_URL`, `PUBLIC_KEY`, `GPG_KEY`)
    ///   promise none, and empty values, flags, paths, references (`$PASSWORD`) and placeholders (`<password>`) are none.
    ///
    /// A password that software is delivered with (`changeme`, `postgres`) counts: it opens every container that is run without
    /// another. A finding names the variable, label or argument, and the place; never the value, nor its length. All reports hide
    /// the values of variables and build arguments, and what looks like a secret, wherever else they would show them.
    ///
    /// # Why
    ///
    /// Whoever may pull an image can read all of this, without running it: a secret that a build was given as an argument or variable
    /// is published with the image, and stays in every copy of it.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.secrets]
    /// patterns = { acme-token = 'acme_[0-9a-f]{32}' }
    /// allow = ["SENTRY_AUTH_*"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `patterns` (table of name and regular expression, empty by default): forms of your own; each must match a whole value, or a
    ///   whole word in a command.
    /// - `allow` (list of globs, empty by default): names that may hold what looks like a secret, and kinds of secrets that do not
    ///   count, such as `"jwt"`, `"google-api-key"`, `"address"` or a name of `patterns`. A finding names its kind.
    /// - `min-entropy` (number of bits for each character, default `3.0`): how random the value of a name that promises a token must
    ///   be to count. `0` counts every literal value of eight characters or more; `3.5` leaves out what is made of words.
    /// - `allow-defaults` (boolean, default `false`): passwords that software is delivered with do not count.
    /// - `places` (list, default all): where to look: `"env"`, `"labels"`, `"annotations"`, `"commands"`, `"history"`, `"provenance"`.
    /// - `homes` (list of `"in-index"`, `"referrers"`, `"bundles"` and `"tags"`, `["in-index"]` by default): where provenance is looked
    ///   for, as by the rule `sbom`. All but the index have to be asked of the registry for each platform.
    ///
    /// # How to fix
    ///
    /// Revoke the secret first and issue another: it stays in every copy of the image and in registries' caches. Then give it to the
    /// build as a secret, which leaves no trace, and to the container when it is run:
    ///
    /// ```sh
    /// docker buildx build --secret id=token,env=TOKEN --output type=registry -t IMAGE .
    /// ```
    ///
    /// with `RUN --mount=type=secret,id=token TOKEN="$(cat /run/secrets/token)" …` in the Dockerfile. Taking a variable out of an
    /// image that was built (`crane mutate`, `regctl image mod`) leaves it in the history and under other tags.
    ///
    /// # What it cannot see
    ///
    /// Files in layers. Members of the config that are not named above, such as `OnBuild`. Secrets without a form of their own under
    /// a name that says nothing, or given to a command in a way of its own (`htpasswd -b users app …`). Values in commands that hold `$`, quotes or brackets. Whether a credential still works. The steps that
    /// provenance of mode max records are those of the history.
    Secrets: "secrets"
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Secrets {
    patterns: BTreeMap<String, Pattern>,
    allow: Vec<Glob>,
    /// Bits for each character.
    #[schemars(range(min = 0, max = 8))]
    min_entropy: f64,
    allow_defaults: bool,
    places: Option<BTreeSet<Part>>,
    homes: Option<Vec<Home>>,
}

impl Default for Secrets {
    fn default() -> Self {
        Self {
            patterns: BTreeMap::new(),
            allow: Vec::new(),
            min_entropy: MIN_ENTROPY,
            allow_defaults: false,
            places: None,
            homes: None,
        }
    }
}

/// A part of what an image says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Part {
    Env,
    Labels,
    Annotations,
    Commands,
    History,
    Provenance,
}

impl Check for Secrets {
    fn judges(&self) -> Judges {
        match &self.places {
            Some(places) if !places.contains(&Part::Annotations) => Judges::EachPlatform,
            _ => Judges::Both,
        }
    }

    fn problems(&self) -> Vec<Problem> {
        let nowhere = self.places.as_ref().is_some_and(BTreeSet::is_empty);
        let nowhere = nowhere.then(|| Problem::with("places", "name a place, or leave `places` out for all of them"));
        let homes = match &self.homes {
            Some(_) if !self.looks_at(Part::Provenance) => {
                Some("provenance is not looked through: add `provenance` to `places`, or leave `homes` out")
            }
            Some(homes) if homes.is_empty() => Some("name a home, or leave `provenance` out of `places`"),
            _ => None,
        };
        let homes = homes.map(|message| Problem::with("homes", message));
        let range = 0.0..=8.0;
        let entropy = (!range.contains(&self.min_entropy))
            .then(|| Problem::with("min-entropy", "a character has from 0 to 8 bits: `3.0` is the default"));
        let known = |name: &&String| sensitive::ids().chain(["address", "value"]).any(|id| id == **name);
        let taken = self.patterns.keys().find(known);
        let taken = taken
            .map(|name| Problem::with("patterns", format!("`{name}` is the name of a known kind: choose another")));
        nowhere.into_iter().chain(homes).chain(entropy).chain(taken).collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let mut inspection = Inspection::new(self, view);
        match subject {
            Subject::Root => inspection.indexes(view)?,
            Subject::Platform(entry) => inspection.platform(entry, view),
        }
        inspection.verdict(subject, view)
    }
}

impl Secrets {
    /// The homes in which provenance is looked for.
    fn homes(&self) -> &[Home] {
        self.homes.as_deref().unwrap_or(&[Home::InIndex])
    }

    fn looks_at(&self, part: Part) -> bool {
        self.places.as_ref().is_none_or(|places| places.contains(&part))
    }

    fn criteria(&self) -> Criteria<'_> {
        let Self { patterns, min_entropy, allow_defaults, .. } = self;
        Criteria { patterns: Some(patterns), min_entropy: *min_entropy, allow_defaults: *allow_defaults }
    }

    /// Whether the policy takes a secret for none, by its name or its kind.
    fn allows(&self, secret: &Secret<'_, '_>) -> bool {
        let names = [secret.name.unwrap_or_default(), secret.kind.id()];
        self.allow.iter().any(|glob| names.iter().any(|name| glob.matches(name)))
    }
}

/// How to mend any of them.
fn fix(view: &View<'_>) -> Fix {
    Fix::new("revoke the secret and issue another, since every copy of the image holds it; then give it to the build as a secret (`RUN --mount=type=secret,id=token …`), or to the container when it is run:")
        .or(&words::build("docker buildx build --platform {} --secret id=token,env=TOKEN --output type=registry -t {} .", view))
}
