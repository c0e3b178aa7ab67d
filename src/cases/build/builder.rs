//! Puts documents into the store under their names, after the patches to them.

use super::edit::is_meant;
use super::{Asked, BuildError, Built, EditError, Image, Names, Store, Tree};
use crate::oci::{Annotations, Digest, known};

/// What an image is made with.
pub(super) struct Builder<'i> {
    pub(super) image: &'i Image,
    pub(super) store: Store,
    pub(super) names: Names,
    used: Vec<bool>,
}

/// A manifest that others may be about.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    /// `root`, or the platform.
    pub(super) label: String,
    /// Its bare descriptor.
    pub(super) descriptor: Tree,
    pub(super) digest: Digest,
}

impl<'i> Builder<'i> {
    pub(super) fn new(image: &'i Image) -> Result<Self, BuildError> {
        image.patch.iter().try_for_each(super::Edit::check)?;
        Ok(Self { image, store: Store::default(), names: Names::default(), used: vec![false; image.patch.len()] })
    }

    /// Stores a config, a statement or another JSON blob; its descriptor.
    pub(super) fn json(&mut self, name: &str, mut tree: Tree, media_type: &str) -> Result<Tree, BuildError> {
        self.edit(name, &mut tree)?;
        Ok(self.bytes(name, tree.to_bytes(), media_type))
    }

    /// Stores a blob; its descriptor.
    pub(super) fn bytes(&mut self, name: &str, mut bytes: Vec<u8>, media_type: &str) -> Tree {
        self.edit_text(name, &mut bytes);
        let size = bytes.len();
        let digest = self.store.put_blob(bytes);
        self.names.add(name.to_owned(), Asked::Document(digest.clone()));
        descriptor(media_type, &digest, size)
    }

    /// Stores a manifest or index; where it can be found.
    pub(super) fn manifest(&mut self, name: &str, mut tree: Tree, media_type: &str) -> Result<Placed, BuildError> {
        self.edit(name, &mut tree)?;
        let mut bytes = tree.to_pretty();
        self.edit_text(name, &mut bytes);
        let size = bytes.len();
        let digest = self.store.put_manifest(bytes, media_type);
        self.names.add(name.to_owned(), Asked::Document(digest.clone()));
        let label = name.split_once(' ').map_or("root", |(_, label)| label).to_owned();
        Ok(Placed { label, descriptor: descriptor(media_type, &digest, size), digest })
    }

    fn edit(&mut self, name: &str, tree: &mut Tree) -> Result<(), BuildError> {
        for (edit, used) in
            self.image.patch.iter().zip(&mut self.used).filter(|(edit, _)| is_meant(&edit.document, name))
        {
            *used = true;
            edit.apply(tree)?;
        }
        Ok(())
    }

    fn edit_text(&mut self, name: &str, bytes: &mut Vec<u8>) {
        for (edit, used) in
            self.image.patch.iter().zip(&mut self.used).filter(|(edit, _)| is_meant(&edit.document, name))
        {
            *used = true;
            edit.apply_text(bytes);
        }
    }

    /// The finished image; every patch must have met a document.
    pub(super) fn finish(self, root: Digest) -> Result<Built, BuildError> {
        if let Some(at) = self.used.iter().position(|used| !used) {
            let document = self.image.patch[at].document.clone();
            return Err(EditError::Unknown { document, known: self.names.listed() }.into());
        }
        let said = self.store.bytes(&root).and_then(|bytes| serde_json::from_slice::<Tree>(bytes).ok());
        let said = said.and_then(|tree| tree.text("mediaType").map(ToOwned::to_owned));
        let known = self.store.manifests.get(&root).map(|manifest| manifest.media_type.clone());
        let served_as = self.image.served_as.clone().or(said).or(known).unwrap_or_default();
        Ok(Built { store: self.store, root, served_as, saved: self.image.saved, names: self.names })
    }
}

/// A bare descriptor.
pub(super) fn descriptor(media_type: &str, digest: &Digest, size: usize) -> Tree {
    Tree::object().with("mediaType", media_type).with("digest", digest.as_str()).with("size", size)
}

/// A manifest's first members.
pub(super) fn manifest(media_type: &str) -> Tree {
    Tree::object().with("schemaVersion", 2_u64).with("mediaType", media_type)
}

/// The descriptor of the empty config of artifacts, which is given in `data` (image-spec, manifest.md).
pub(super) fn empty_config() -> Tree {
    descriptor(known::OCI_EMPTY, &Digest::sha256(b"{}"), 2).with("data", "e30=")
}

/// A platform from `os/architecture[/variant]`, or `os/architecture (version)`.
pub(super) fn platform(text: &str) -> Result<Tree, BuildError> {
    let wrong = || BuildError::Platform(text.to_owned());
    let (plain, version) = match text.split_once(" (") {
        Some((plain, version)) => (plain, Some(version.strip_suffix(')').ok_or_else(wrong)?)),
        None => (text, None),
    };
    let mut parts = plain.split('/');
    let (Some(os), Some(architecture)) = (parts.next(), parts.next()) else { return Err(wrong()) };
    let variant = parts.next();
    if parts.next().is_some() {
        return Err(wrong());
    }
    let platform = Tree::object().with("architecture", architecture).with("os", os);
    Ok(platform.with_some("os.version", version).with_some("variant", variant))
}

/// Annotations of one name.
pub(super) fn notes<const N: usize>(notes: [(&str, &str); N]) -> Annotations {
    notes.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}
