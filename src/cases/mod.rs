//! Test cases for policies and rules: a policy, an image, and the verdict that is to come of it, in one TOML file.
//!
//! The image is described in a few words and built for real, with true digests, layers and attestations; or it is a layout,
//! an archive or a snapshot. Nothing is fetched from a registry. A file holds any number of cases:
//!
//! ```toml
//! # For all cases that have no policy of their own; or `policy-file = "../production.toml"`, a path beside this file, or
//! # `policy-file = "ocilint:strict"`. Without either, `NAME.test.toml` is for the `NAME.toml` beside it.
//! policy = '''
//! [rules.user]
//! '''
//!
//! [[case]]
//! name = "root on one platform is refused"
//! image.platforms = ["linux/amd64", "linux/arm64"]
//! image.on."linux/arm64".config = { User = "" }
//! expect.user = "pass"                                     # every subject that is not named by itself
//! expect."user@linux/arm64" = { verdict = "violation", in = "config", at = "/config/User", message = "root" }
//! exit = 1                                                 # optional: the exit status of `ocilint check`
//!
//! [[case]]
//! name = "a config that cannot be read is no pass"
//! failures = { "config linux/amd64" = "forbidden" }        # the rest of the image is the default one
//! expect.user = { verdict = "unknown", message = "403" }
//!
//! [[case]]
//! name = "an SBOM of each platform"
//! policy = '''
//! [rules.sbom]
//! coverage = "each-platform"
//! '''
//! [case.image]
//! platforms = ["linux/amd64", "linux/arm64"]
//! attestations = [{ predicate = "spdx" }, { predicate = "provenance-v1", mode = "max", builder-id = "https://ci.example" }]
//! [case.expect]
//! sbom = "pass"
//! ```
//!
//! # A case
//!
//! | key | meaning |
//! |---|---|
//! | `name` | what it shows; unique in the file |
//! | `policy`, `policy-file` | the policy as text, or its path; by default that of the file |
//! | `image` | a table (below; every key may be left out), or a layout, archive or snapshot: `"oci:../layouts/x:1.0"`, `"oci-archive:x.tar"`, `"snapshot:x.snapshot"` |
//! | `target` | what the user typed; by default `registry.example/app:1.0`. `oci:DIR` makes it a local image without a name. Of a snapshot with several images: which one, as it was called then |
//! | `as` | the name that a local image is judged under, as `--as` |
//! | `elsewhere` | other images, by their references: bases, earlier releases. In labels, annotations and materials of `image`, `{docker.io/library/alpine:3.22}` (the reference in full) stands for the digest of that one |
//! | `against` | as `--against` |
//! | `platform` | one or several, as `--platform` |
//! | `deny-warnings` | as `--deny-warnings` |
//! | `at` | the clock, a date or time; by default 2026-06-01, and of a snapshot when it was taken. Images are built on 2026-01-01 |
//! | `failures` | what cannot be read: a document's name (below) → `unreachable timeout deadline unauthorized forbidden not-found rate-limited server-error login-page truncated too-large digest-mismatch` |
//! | `expect` | `rule` or `rule@subject` → a verdict, or a table (below). The subject is `root` or a platform's name |
//! | `others` | `"any"`: rules of the policy need not be mentioned. Otherwise every cell of them must be |
//! | `asks` | how often something was read: a name (below) → a number, as in `asks = { referrers = 0 }` |
//! | `exit` | the exit status |
//! | `refused` | what the refusal says, of a policy that does not load or a target that cannot be judged |
//!
//! An expectation is `pass`, `violation`, `unknown`, `waived` or `not-applicable`, or a table of `verdict`, `level`, `at` (the JSON
//! pointer of a finding), `in` (`reference index manifest config layer referrer statement`), `message` and `fix` (a text or
//! several that the same finding holds; the reason of a waiver too; where there is no finding, the reason or evidence, and the help), and `count` (of
//! findings). Rules that are always on (`document`, `artifact-type`) need to be mentioned only if they find something.
//!
//! # An image
//!
//! | key | meaning, and the default |
//! |---|---|
//! | `types` | `"oci"` or `"docker"` |
//! | `platforms` | `["linux/amd64"]`; with a version: `"windows/amd64 (10.0.20348.1)"`; the second of a kind is called `linux/amd64#2` |
//! | `index` | whether there is an index; by default if there is something to put into it |
//! | `nested` | how many more indexes stand between the root and the manifests; 0 |
//! | `layers` | list of `compression` (`none gzip zstd estargz zstd:chunked nydus overlaybd encrypted`), `content` (the true compression, if the type lies), `size` (what the descriptor says), `annotations`, `urls`, `foreign`, `type`, `files` (path → text), `count` |
//! | `config` | members of the config's `config`: `User`, `Env`, `Cmd`, `ExposedPorts` …, over a default user 65532, entrypoint `/app` and a `PATH` |
//! | `labels`, `created`, `history` | as in a config |
//! | `config-type`, `artifact-type` | the config's media type and the manifest's `artifactType`, of an artifact |
//! | `annotations` | tables `index`, `manifest`, `descriptor` |
//! | `on."linux/arm64"` | what differs there: `layers config labels created history types config-type artifact-type annotations`, and `declare` (the platform that the index says; `"none"` for none) |
//! | `attestations` | list of `predicate` (`spdx spdx-3 cyclonedx provenance-v1 provenance-v0.2 vex vulnerabilities verification`, or a URI) with `home`, `form`, `of`, `subject`, `silent`; `mode`, `builder-id`, `materials` (URI → digest), `args` (as `build-arg:NAME`), `source`, `revision`; `packages` (package URLs), `more-packages` (number); `body` (the whole predicate); `put` (JSON pointer → value in the predicate), `take` (list of pointers) |
//! | `signatures` | list of `kind` (`cosign-tag cosign-bundle notation`) with `of` (by default `"root"`) and `subject` |
//! | `entries` | more entries of the index: `type platform artifact-type config-type annotations absent` |
//! | `tags` | more tags → `"root"`, `"other"` (another image), or a document's name |
//! | `served-as` | the `Content-Type` of the root |
//! | `saved` | `true`: a classic `docker save` archive, which holds no manifest |
//! | `patch` | changes to documents before they are hashed (below) |
//!
//! `home` is `index` (in the index, as `BuildKit` up to 0.31 writes it; the default), `index-artifact` (since 0.32), `referrer`,
//! `fallback-tag` or `cosign-tag`. `form` is, outside the index, `bundle` (Sigstore; under a cosign tag an envelope),
//! `envelope` (DSSE), `statement` or `raw` (the SBOM itself). `of` is `each-platform` (the default), `root`, a platform, or
//! a list of them. `subject` is `own`, `stranger` (it names another image) or `nobody`. `silent = true` leaves out the
//! artifact type and the annotations, so that only the content tells what it is.
//!
//! # Names of documents
//!
//! `index`, `nested 0`, `manifest linux/amd64`, `config linux/amd64`, `layer linux/amd64 0`; `attestation linux/amd64` (a
//! manifest in the index), `statement linux/amd64 0` (of the first of `attestations`), `referrer root 0`, `signature root 0`,
//! `signature-manifest root 0`, `cosign sha256-….att`, `entry 0`. Failures may also be at `target`, `referrers root`,
//! `referrers linux/amd64`, `tag att root` (also `sig` and `sbom`), `tag 1.2`, `tags` (the list of them),
//! `elsewhere docker.io/library/alpine:3.22`, and at any digest. Words may be left out:
//! `config` are all configs, `referrers` all lists of referrers.
//!
//! # Patches
//!
//! ```toml
//! [[case]]
//! name = "two readers see two users"
//! policy = "[rules.document]"
//! image.index = true
//! image.patch = [{ document = "config linux/amd64", pointer = "/config/User", duplicate = "0" }]
//! expect.document = "pass"
//! expect."document@linux/amd64" = "violation"
//! ```
//!
//! A patch has exactly one of `value` (set or add; `/-` appends to a list), `remove = true`, `duplicate` (a second member of
//! the same name), `rename` (of a member), `text` (instead of the whole document) and `append` (text behind the document).

pub mod build;
mod compare;
mod elsewhere;
mod expect;
mod find;
mod format;
mod read;
mod runner;
mod source;
#[cfg(test)]
mod tests;

pub use find::{beside_policies, find};
pub use format::{Case, Suite};
pub use runner::run;
pub use source::{CAUSES, Scripted, StoreSource, cause};
