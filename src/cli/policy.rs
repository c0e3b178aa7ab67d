//! `ocilint policy` and what it can do.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use ocilint::output::Destination;
use ocilint::output::tested::Format;

use super::shared::Display;
use super::values::{days, moment};

#[derive(Debug, Subcommand)]
pub(crate) enum Policy {
    /// Report every mistake in policy files
    Check {
        /// Policy files, or directories of them; without any the `ocilint.toml` that `check` would find
        #[arg(value_name = "FILE")]
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
    pub(crate) output: Vec<Destination<Format>>,

    #[command(flatten)]
    pub(crate) display: Display,
}

const TESTS: &str = "\
Run the tests of policies, offline.

A file of tests holds cases: an image, and what is to come of it under the policy. `production.test.toml` tests the \
`production.toml` beside it, unless it says `policy-file = \"…\"` or `policy = '''…'''`, for all cases or in one.

The image of a case is a layout or archive (`image = \"oci:DIR\"`, seen from the file), is in a snapshot \
(`image = \"snapshot:FILE\"`, where `target` names one of several), or is described in a few words and built in memory. What is not said has a default: an OCI image for linux/amd64 with one gzip layer and the user 65532, \
named registry.example/app:1.0, without SBOM, provenance or signature.

Other images (bases, earlier releases) are described beside it: `elsewhere.\"alpine:3.22\" = {}`; `against` names one as \
`--against` does.

What is expected of a rule is `pass`, `violation`, `unknown`, `waived` or `not-applicable`, for all platforms \
(`expect.user`) or one (`expect.\"user@linux/arm64\"`, `expect.\"shape@root\"`); or a table of `verdict` and what the finding \
is to be: `level`, `in` (index, manifest, config, layer, …), `at` (a JSON pointer), `message`, `fix`, `count`. Every rule of \
the policy has to be mentioned, unless the case says `others = \"any\"`.

A case is judged as of 2026-06-01, or of the day when its snapshot was taken, unless it says `at = 2027-01-31`.

Exit status: 0 all cases passed, 1 a case failed, 3 a mistake in a test file or a policy, 4 an internal error.";

const TEST_EXAMPLE: &str = concat!(
    "Example, as `production.test.toml` beside `production.toml`:\n\n",
    include_str!("../../examples/policies/production.test.toml")
);
