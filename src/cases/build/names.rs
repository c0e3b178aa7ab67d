//! What the parts of a built image are called, so that failures and patches can be said by name.

use super::edit::is_meant;
use crate::oci::Digest;

/// Something that can be asked of a source.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Asked {
    /// What the target points to.
    Target,
    /// A manifest, config, layer or statement.
    Document(Digest),
    /// What refers to a manifest.
    Referrers(Digest),
    /// A tag.
    Tag(String),
    /// All tags.
    Tags,
    /// Another image, by its reference in full.
    Elsewhere(String),
}

/// Names and what they stand for.
#[derive(Debug, Clone, Default)]
pub struct Names(Vec<(String, Asked)>);

impl Names {
    pub(super) fn add(&mut self, name: String, asked: Asked) {
        self.0.push((name, asked));
    }

    /// Everything that the words mean: `config` all configs, `config linux/arm64` that one, `tag 1.2` a tag whether or not
    /// it is there, `tags` the list of them, `elsewhere REFERENCE` another image, `sha256:…` a digest.
    pub fn find(&self, words: &str) -> Vec<Asked> {
        let found: Vec<Asked> =
            self.0.iter().filter(|(name, _)| is_meant(words, name)).map(|(_, asked)| asked.clone()).collect();
        if !found.is_empty() {
            return found;
        }
        let tag = words.strip_prefix("tag ").map(|tag| Asked::Tag(tag.to_owned()));
        let digest = || words.parse().ok().map(Asked::Document);
        let elsewhere = || words.strip_prefix("elsewhere ").map(|image| Asked::Elsewhere(image.to_owned()));
        let all = || (words == "tags").then_some(Asked::Tags);
        tag.or_else(all).or_else(elsewhere).or_else(digest).into_iter().collect()
    }

    /// The digest of the one document of that name.
    pub fn digest(&self, name: &str) -> Option<&Digest> {
        self.0.iter().find_map(|(known, asked)| match asked {
            Asked::Document(digest) if known == name => Some(digest),
            _ => None,
        })
    }

    /// All names, for messages.
    pub fn listed(&self) -> String {
        self.0.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", ")
    }
}
