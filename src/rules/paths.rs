//! Paths in an image, and which of them a policy admits.

use super::prelude::*;

/// Globs over paths of an image: the admitted and the refused ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Paths<'p> {
    pub(super) allow: &'p [Glob],
    pub(super) deny: &'p [Glob],
}

impl Paths<'_> {
    /// What is wrong with the policy.
    pub(super) fn problems(self, example: &str) -> Vec<Problem> {
        if self.allow.is_empty() && self.deny.is_empty() {
            let message = format!("nothing is allowed or denied: give `allow` or `deny`, such as `{example}`");
            return vec![Problem::missing(message)];
        }
        let texts = |globs: &[Glob]| globs.iter().map(|glob| glob.as_str().to_owned()).collect::<Vec<_>>();
        allowed_and_denied(texts(self.allow), texts(self.deny)).into_iter().collect()
    }

    /// What the policy has against a path that [`cleaned`] made.
    pub(super) fn objection(self, path: &str) -> Option<String> {
        if let Some(denied) = self.deny.iter().find(|glob| glob.matches(path)) {
            return Some(format!("`deny` refuses it with '{}'", denied.as_str()));
        }
        let allowed = self.allow.is_empty() || self.allow.iter().any(|glob| glob.matches(path));
        (!allowed).then(|| format!("wanted {}", words::either(self.allow.iter().map(Glob::as_str))))
    }
}

/// A path as the runtime takes it: `/srv/../data//` is `/data`. On Windows in lower case, with `/` for each `\`, and without
/// the drive where it is `C:`.
///
/// `None` unless it begins at the root.
pub(super) fn cleaned(path: &str, windows: bool) -> Option<String> {
    let path = if windows { path.replace('\\', "/").to_lowercase() } else { path.to_owned() };
    let is_drive = |(drive, _): &(&str, &str)| windows && drive.len() == 1 && drive != &"/";
    let (drive, path) = path.split_once(':').filter(is_drive).unwrap_or(("c", &path));
    let mut names = Vec::new();
    for name in path.strip_prefix('/')?.split('/') {
        match name {
            "" | "." => {}
            ".." => {
                names.pop();
            }
            name => names.push(name),
        }
    }
    let drive = if drive == "c" { String::new() } else { format!("{drive}:") };
    Some(format!("{drive}/{}", names.join("/")))
}

#[cfg(test)]
mod tests {
    use super::cleaned;

    #[test]
    fn a_path_has_one_spelling() {
        let linux = |path| cleaned(path, false);
        for path in ["/data", "/data/", "//data", "/./data", "/srv/../data", "/../data", "/srv/x/../../data//."] {
            assert_eq!(linux(path).as_deref(), Some("/data"), "{path}");
        }
        assert_eq!(linux("/").as_deref(), Some("/"));
        assert_eq!(linux("/..").as_deref(), Some("/"));
        assert_eq!(linux(r"/a\b").as_deref(), Some(r"/a\b"));
        assert_eq!((linux(""), linux("data"), linux("C:/data"), linux(r"\data")), (None, None, None, None));
        for path in [r"C:\Data", "c:/data/", r"\data", "/data", r"C:\srv\..\data"] {
            assert_eq!(cleaned(path, true).as_deref(), Some("/data"), "{path}");
        }
        assert_eq!(cleaned(r"D:\Data", true).as_deref(), Some("d:/data"));
        assert_eq!((cleaned("C:data", true), cleaned("data", true), cleaned("", true)), (None, None, None));
    }
}
