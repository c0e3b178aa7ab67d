//! Words that tell a version that is not released yet, as tags and labels write them.

/// Whether a word makes what follows a version one that comes before it: `rc` of `1.2.3-rc1`, in whatever case.
pub(super) fn is_pre_release_word(word: &str) -> bool {
    WORDS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

const WORDS: [&str; 16] = [
    "a",
    "alpha",
    "b",
    "beta",
    "c",
    "canary",
    "dev",
    "ea",
    "m",
    "milestone",
    "next",
    "nightly",
    "pre",
    "preview",
    "rc",
    "snapshot",
];
