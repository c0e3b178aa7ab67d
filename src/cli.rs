//! The command line, as structs; no logic.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::Timestamp;
use ocilint::oci::{Platform, PlatformPattern, Reference};
use ocilint::policy::AllowedNames;

/// Checks container images against policies, read straight from where they are stored.
#[derive(Debug, Parser)]
#[command(name = "ocilint", version, max_term_width = 100, after_help = EXIT_STATUS)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_STATUS: &str = "\
Exit status:
  0         every check of level `error` was made on every image named, and passed, was
            waived or is in the baseline
  1         a violation at level `error`
  2         no such violation, but something of level `error` could not be known
  3         a usage or policy error, or a target that no rule covers
  4         an internal error, or a report that could not be written
  130, 143  interrupted";

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Judge images
    Check(Box<Check>),
    /// Draw the manifest graph of an image
    Graph(Graph),
    /// Record everything that is read of images, to judge them again offline
    Snapshot(Snapshot),
    /// Work on policy files, offline
    #[command(subcommand)]
    Policy(Policy),
    /// List the rules; with a name, explain that one
    Rules(Rules),
    /// Write a commented policy to begin with
    Init(Init),
    /// Write a completion script for a shell to standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// What to read and how to name it, for everything that takes targets.
const TARGETS: &str = "\
Targets:
  ghcr.io/acme/app:1.2, alpine, docker://…   an image in a registry
  oci:DIR[:TAG or @DIGEST]                   an OCI image layout directory
  oci-archive:FILE[:TAG]                     an OCI layout in a tar file (also .tar.gz, .tar.zst)
  docker-archive:FILE[:TAG]                  what `docker save` writes
  snapshot:FILE, snapshot:DIR                every image in a snapshot, or in all *.snapshot of a directory";

#[derive(Debug, Args)]
#[command(after_help = TARGETS)]
pub(crate) struct Check {
    /// What to check
    #[arg(required = true, value_name = "TARGET")]
    pub(crate) targets: Vec<String>,

    /// A policy file, or a built-in policy such as `ocilint:strict`; may be repeated.
    ///
    /// Without it the nearest `ocilint.toml` from the working directory up to the repository's root is used, else the
    /// built-in `baseline`.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) policy: Vec<String>,

    /// A policy to compare with: of snapshots, say how many images would newly fail that pass under this one; may be repeated.
    ///
    /// Without it snapshots are compared with what came of them when they were taken.
    #[arg(long, value_name = "FILE")]
    pub(crate) compare_to: Vec<String>,

    /// `human`, `json` or `sarif`, to standard output or to a file; may be repeated
    #[arg(long, short, value_name = "FORMAT[=PATH]")]
    pub(crate) output: Vec<ocilint::output::Destination>,

    /// Judge only this platform of each image (`linux/arm64`); may be repeated
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Vec<Platform>,

    /// The name under which a layout or archive is judged
    #[arg(long = "as", value_name = "REFERENCE", value_parser = Reference::parse)]
    pub(crate) name: Option<Reference>,

    /// Treat warnings as errors
    #[arg(long)]
    pub(crate) deny_warnings: bool,

    /// Judge as of this day or time instead of the present: expiry, rules that take effect later, ages
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub(crate) at: Option<Timestamp>,

    /// Count only findings that are not in this file; the fixed ones are named
    #[arg(long, value_name = "FILE")]
    pub(crate) baseline: Option<PathBuf>,

    /// Take what is fixed out of the baseline; nothing is ever added
    #[arg(long, requires = "baseline")]
    pub(crate) update_baseline: bool,

    /// Add all that is found today to the baseline, and make it if it is not there
    #[arg(long, requires = "baseline")]
    pub(crate) grow_baseline: bool,

    /// Write what was judged to a file, a line for each image: `name@digest`, or the digest of one without a name
    #[arg(long, value_name = "FILE")]
    pub(crate) digest_file: Option<PathBuf>,

    /// Time for the whole run (`90s`, `10m`)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,

    #[command(flatten)]
    pub(crate) registry: Registry,

    #[command(flatten)]
    pub(crate) display: Display,

    #[command(flatten)]
    pub(crate) sarif: Sarif,
}

/// How registries are spoken to.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Registries")]
#[expect(clippy::struct_field_names, reason = "the field is the flag's name")]
pub(crate) struct Registry {
    /// Allow plain http: for hosts on the loopback, or for the one named; may be repeated
    #[arg(long, value_name = "HOST[:PORT]", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) plain_http: Vec<String>,

    /// Trust the certificates in this file, besides the system's
    #[arg(long, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,

    /// The file that holds the credentials, instead of podman's and docker's
    #[arg(long, value_name = "FILE", env = "OCILINT_REGISTRY_CONFIG")]
    pub(crate) registry_config: Option<PathBuf>,

    /// Send the credentials of a registry to this token server too; may be repeated
    #[arg(long, value_name = "REGISTRY=HOST", value_parser = pair)]
    pub(crate) trust_realm: Vec<(String, String)>,

    /// Requests to one host at once (8 with HTTP/1.1, 32 with HTTP/2 if not given)
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub(crate) jobs: Option<u16>,
}

/// How people read it.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Display")]
#[expect(clippy::struct_excessive_bools, reason = "independent switches of the user, each with a flag of its own")]
pub(crate) struct Display {
    /// Show only what fails the run
    #[arg(long, short)]
    pub(crate) quiet: bool,

    /// Show the requests on standard error
    #[arg(long, short)]
    pub(crate) verbose: bool,

    /// When to use colours
    #[arg(long, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,

    /// Words instead of drawings, for screen readers
    #[arg(long, env = "OCILINT_ACCESSIBLE", value_parser = clap::builder::FalseyValueParser::new())]
    pub(crate) accessible: bool,

    /// No progress on standard error
    #[arg(long)]
    pub(crate) no_progress: bool,
}

/// Where findings are shown by code scanning.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "SARIF")]
pub(crate) struct Sarif {
    /// Show the findings at this place instead of the policy's
    #[arg(long, value_name = "FILE[:LINE]")]
    pub(crate) location: Option<String>,

    /// The root of the repository, to which paths are relative
    #[arg(long, value_name = "DIR")]
    pub(crate) root: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, Args)]
#[command(after_help = TARGETS)]
pub(crate) struct Graph {
    /// What to draw
    pub(crate) target: String,

    /// How to draw it
    #[arg(long, value_enum, default_value_t = GraphFormat::Tree)]
    pub(crate) format: GraphFormat,

    /// Time for the whole run (`90s`, `10m`)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,

    #[command(flatten)]
    pub(crate) registry: Registry,

    #[command(flatten)]
    pub(crate) display: Display,
}

#[derive(Debug, Args)]
#[command(after_help = TARGETS)]
pub(crate) struct Snapshot {
    /// What to record
    #[arg(required = true, value_name = "TARGET")]
    pub(crate) targets: Vec<String>,

    /// The file to write
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// A policy to judge the images by, and to record what it asks and what came of it; may be repeated.
    ///
    /// Found as `check` finds it if none is named. Whatever the policy, the whole graph is recorded, so that others can be
    /// judged on it later. A violation does not fail the run.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) policy: Vec<String>,

    /// The name under which a layout or archive is recorded
    #[arg(long = "as", value_name = "REFERENCE", value_parser = Reference::parse)]
    pub(crate) name: Option<Reference>,

    /// Time for the whole run (`90s`, `10m`)
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) deadline: Option<Duration>,

    #[command(flatten)]
    pub(crate) registry: Registry,

    #[command(flatten)]
    pub(crate) display: Display,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// A tree for people
    Tree,
    /// JSON for programs
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Report every mistake in policy files
    Check {
        /// Policy files, or directories of them
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,

        #[command(flatten)]
        display: Display,
    },
    /// Run the tests of policies, offline
    #[command(long_about = TESTS)]
    Test(PolicyTest),
    /// List the waivers: who owes what, and until when
    Waivers(Waivers),

    /// Show the merged policy, and where each value comes from
    Show(Show),

    /// Write the JSON Schema of policy files, for completion and explanations in editors
    Schema,
}

/// The statuses of `policy waivers`, which differ in one.
const WAIVERS_STATUS: &str = "\
Exit status:
  0  the policies are right; with `--expiring`, and nothing has to be done
  1  with `--expiring`: at least one waiver is listed
  3  a usage or policy error
  4  an internal error, or a list that could not be written";

#[derive(Debug, Args)]
#[command(after_help = WAIVERS_STATUS)]
pub(crate) struct Waivers {
    /// Policy files, or directories of them, each read for itself; without any the policy that `check` would find
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,

    /// Only those that end within this time (`30d`, `4w`) or have expired; ends with status 1 if there are any
    #[arg(long, value_name = "TIME", value_parser = days)]
    pub(crate) expiring: Option<u32>,

    /// The day or time to count from, instead of the present
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub(crate) at: Option<Timestamp>,

    /// How to list them
    #[arg(long, value_enum, default_value_t = ListFormat::Human)]
    pub(crate) format: ListFormat,

    #[command(flatten)]
    pub(crate) display: Display,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ListFormat {
    /// Lines for people
    Human,
    /// JSON for programs
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// Policy files and built-in policies, together, as `check --policy` takes them; without any the policy that `check`
    /// would find
    #[arg(value_name = "FILE")]
    pub(crate) files: Vec<String>,

    /// How to show it
    #[arg(long, value_enum, default_value_t = ShowFormat::Human)]
    pub(crate) format: ShowFormat,

    #[command(flatten)]
    pub(crate) display: Display,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ShowFormat {
    /// TOML of one file, with the file and line of each value in comments
    Human,
    /// The same without the comments
    Toml,
    /// JSON for programs
    Json,
}

#[derive(Debug, Args)]
pub(crate) struct Init {
    /// The file to write, or the directory for it; `-` for standard output
    #[arg(default_value = "ocilint.toml", value_name = "PATH")]
    pub(crate) path: PathBuf,

    /// The built-in policy that it builds on
    #[arg(long, value_enum, default_value_t = Pack::Baseline)]
    pub(crate) pack: Pack,

    /// A platform that every image must have (`linux/amd64`); may be repeated
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub(crate) platform: Vec<PlatformPattern>,

    /// Where images may come from: a registry, the beginning of names in it (`ghcr.io/acme`), or a glob; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) registry: Vec<AllowedNames>,

    /// Write the JSON Schema of policies beside it, and name it in the policy for editors
    #[arg(long)]
    pub(crate) schema: bool,

    /// Overwrite what is there
    #[arg(long)]
    pub(crate) force: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pack {
    /// What is wrong with an image whatever it is for
    Baseline,
    /// What a carefully built image has
    Strict,
}

impl From<Pack> for ocilint::policy::Pack {
    fn from(pack: Pack) -> Self {
        match pack {
            Pack::Baseline => Self::Baseline,
            Pack::Strict => Self::Strict,
        }
    }
}

#[derive(Debug, Args)]
#[command(after_long_help = TEST_EXAMPLE)]
pub(crate) struct PolicyTest {
    /// Files of tests, or directories in which all `*.test.toml` are, at any depth
    #[arg(required = true, value_name = "PATH")]
    pub(crate) paths: Vec<PathBuf>,

    /// Run only the cases whose names hold this text
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,

    /// List the cases instead of running them
    #[arg(long, conflicts_with = "output")]
    pub(crate) list: bool,

    /// `human`, `json` or `junit`, to standard output or to a file; may be repeated
    #[arg(long, short, value_name = "FORMAT[=PATH]")]
    pub(crate) output: Vec<ocilint::output::tested::Destination>,

    #[command(flatten)]
    pub(crate) display: Display,
}

const TESTS: &str = "\
Run the tests of policies, offline.

A file of tests holds cases: an image, and what is to come of it under the policy. `production.test.toml` tests the \
`production.toml` beside it, unless it says `policy-file = \"…\"` or `policy = '''…'''`, for all cases or in one.

The image of a case is a layout or archive (`image = \"oci:DIR\"`, seen from the file), or is described in a few words and \
built in memory. What is not said has a default: an OCI image for linux/amd64 with one gzip layer and the user 65532, \
named registry.example/app:1.0, without SBOM, provenance or signature.

What is expected of a rule is `pass`, `violation`, `unknown`, `waived` or `not-applicable`, for all platforms \
(`expect.user`) or one (`expect.\"user@linux/arm64\"`, `expect.\"shape@root\"`); or a table of `verdict` and what the finding \
is to be: `level`, `in` (index, manifest, config, layer, …), `at` (a JSON pointer), `message`, `fix`, `count`. Every rule of \
the policy has to be mentioned, unless the case says `others = \"any\"`.

Exit status: 0 all cases passed, 1 a case failed, 3 a mistake in a test file or a policy, 4 an internal error.";

const TEST_EXAMPLE: &str = concat!(
    "Example, as `production.test.toml` beside `production.toml`:\n\n",
    include_str!("../examples/policies/production.test.toml")
);

#[derive(Debug, Args)]
pub(crate) struct Rules {
    /// The rule to explain
    pub(crate) rule: Option<String>,
}

/// `90s`, `10m`, `1h30m`; a plain number is seconds.
fn duration(text: &str) -> Result<Duration, String> {
    if let Ok(seconds) = text.parse::<u64>() {
        return Ok(Duration::from_secs(seconds));
    }
    let span: jiff::SignedDuration = text.parse().map_err(|_| "write a time such as `90s` or `10m`".to_owned())?;
    Duration::try_from(span).map_err(|_| "a time is not negative".to_owned())
}

/// `30d`, `4w`; a plain number is days.
fn days(text: &str) -> Result<u32, String> {
    let (number, of) = match (text.strip_suffix('d'), text.strip_suffix('w')) {
        (Some(days), _) => (days, 1),
        (_, Some(weeks)) => (weeks, 7),
        _ => (text, 1),
    };
    let number: Option<u32> = number.parse().ok();
    number.and_then(|number| number.checked_mul(of)).ok_or_else(|| "write a number of days such as `30d`".to_owned())
}

/// A day, which is its first moment in UTC, or a time with its offset.
fn moment(text: &str) -> Result<Timestamp, String> {
    let is_day = text.len() == "2027-01-31".len();
    let written = if is_day { format!("{text}T00:00:00Z") } else { text.to_owned() };
    written.parse().map_err(|_| "write a day such as `2027-01-31`, or a time such as `2027-01-31T12:00:00Z`".to_owned())
}

fn pair(text: &str) -> Result<(String, String), String> {
    let (registry, host) = text.split_once('=').ok_or_else(|| "write REGISTRY=HOST".to_owned())?;
    Ok((registry.to_owned(), host.to_owned()))
}
