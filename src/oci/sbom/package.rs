//! A package of a bill of materials.

use serde::Serialize;

use super::{MOST_PACKAGES, MOST_TEXT};

/// One package. What a document asserts nothing about (`NOASSERTION`, an empty text) is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "each is something else that a document says of a package")]
pub struct Package {
    /// Its name; `CycloneDX`'s group stands before it, with a slash between.
    pub name: Option<String>,
    /// Its version, as the document writes it.
    pub version: Option<String>,
    /// Its package URLs, as the document writes them; none that was tried to be read.
    pub purls: Vec<String>,
    /// Its licences, declared and concluded.
    pub licenses: Vec<License>,
    /// Whether it has licences besides these that were not read: of another form, or too many.
    pub has_more_licenses: bool,
    /// Who supplies it, as the document writes that.
    pub supplier: Option<String>,
    /// Whether anything identifies it beyond the document: a package URL, a CPE, a SWID tag, a content hash as an identifier.
    pub is_identified: bool,
    /// Whether the document gives a hash of it.
    pub has_hash: bool,
    /// Whether it is something within the image, rather than an image itself, its operating system as a whole, or a file.
    pub is_content: bool,
}

/// What a document says of a package's licence.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum License {
    /// An SPDX licence expression, or what stands where one must stand.
    Expression(String),
    /// The name of a licence, in words.
    Name(String),
}

impl License {
    /// What the document writes.
    pub fn text(&self) -> &str {
        match self {
            Self::Expression(text) | Self::Name(text) => text,
        }
    }
}

impl Package {
    /// What stands where a package must stand and is none that can be read: nothing is said of it.
    pub(super) fn unread() -> Self {
        Self { is_content: true, ..Self::default() }
    }

    /// Adds a licence that asserts something and was not said before.
    pub(super) fn license(&mut self, license: License) {
        if !is_assertion(license.text()) || self.licenses.contains(&license) {
            return;
        }
        if self.licenses.len() < MOST_LICENSES {
            self.licenses.push(license);
        } else {
            self.has_more_licenses = true;
        }
    }

    /// About how much memory it takes, in bytes.
    pub(super) fn weight(&self) -> usize {
        let texts = [&self.name, &self.version, &self.supplier].into_iter().flatten();
        let lists = self.purls.iter().map(String::len).chain(self.licenses.iter().map(|license| license.text().len()));
        size_of::<Self>() + texts.map(String::len).chain(lists).sum::<usize>()
    }
}

/// Licences of one package that are kept; the notices of a Debian package name a dozen.
const MOST_LICENSES: usize = 256;

/// Package URLs of one package that are kept.
pub(super) const MOST_PURLS: usize = 16;

/// Whether a text says anything.
pub(super) fn is_assertion(text: &str) -> bool {
    !matches!(text.trim(), "" | "NOASSERTION" | "NONE")
}

/// Whether an identifier is what its kind says, as far as its beginning tells: a package URL, a CPE, a SWID tag, or a hash
/// of the content. Kinds are named as SPDX 2 and SPDX 3 name them.
pub(super) fn identifies(kind: &str, identifier: &str) -> bool {
    let begins = |scheme: &str| identifier.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    match kind {
        "purl" | "packageUrl" => begins("pkg:"),
        "cpe22Type" | "cpe23Type" | "cpe22" | "cpe23" => begins("cpe:"),
        "swid" | "swh" | "swhid" | "gitoid" => is_assertion(identifier),
        _ => false,
    }
}

/// Whether a package URL is that of an image.
pub(super) fn names_an_image(purl: &str) -> bool {
    purl.starts_with("pkg:oci/") || purl.starts_with("pkg:docker/")
}

/// The packages read so far; none any more where there are too many.
#[derive(Default)]
pub(super) struct Kept {
    packages: Vec<Package>,
    weight: usize,
    pub(super) count: usize,
}

impl Kept {
    pub(super) fn push(&mut self, package: Package) {
        self.count += 1;
        self.weight = self.weight.saturating_add(package.weight());
        if self.fits() {
            self.packages.push(package);
        } else {
            self.packages = Vec::new();
        }
    }

    /// Counts text that is kept beside the packages.
    pub(super) fn spend(&mut self, bytes: usize) -> bool {
        self.weight = self.weight.saturating_add(bytes);
        self.fits()
    }

    pub(super) fn get_mut(&mut self, position: usize) -> Option<&mut Package> {
        self.packages.get_mut(position)
    }

    fn fits(&self) -> bool {
        self.count <= MOST_PACKAGES && self.weight <= MOST_TEXT + MOST_PACKAGES * size_of::<Package>()
    }

    pub(super) fn into_packages(self) -> Option<Vec<Package>> {
        self.fits().then_some(self.packages)
    }
}
