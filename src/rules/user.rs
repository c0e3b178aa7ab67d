use super::config_part::{ConfigPart, is_windows};
use super::prelude::*;

/// The highest uid that fits 31 bits. containerd up to 1.6.37, 1.7.26 and 2.0.3 takes a higher one for root (CVE-2024-40635).
const MAX_UID: u128 = 2_147_483_647;

declare_rule! {
    /// The image does not run as root.
    ///
    /// # What it checks
    ///
    /// `User` in each platform's config. Root is: no `User` at all or an empty one (implicit root), and `root`, `:group` or any
    /// spelling of the number zero, with or without a group: `0`, `00`, `+0`, `0:0` (explicit root). A uid above 2147483647
    /// counts as root as well, because older containerd runs it as root (CVE-2024-40635).
    ///
    /// A Windows image, which is one that both its index and its config call so, has no uids: `ContainerAdministrator`
    /// violates, any other name passes, and no name at all is unknown, because the base image's own default then decides.
    ///
    /// # Why
    ///
    /// Whoever breaks out of a process that runs as root is root: on files that are mounted into the container, on the
    /// capabilities that root keeps, and on the host if the runtime has a hole. Kubernetes refuses such an image under
    /// `runAsNonRoot`, and refuses a named user there too, because it cannot tell a name's uid.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.user]
    /// must-be = "numeric"
    /// min-uid = 1000
    /// deny = ["nobody", "65534"]
    /// platforms = ["linux/*"]
    /// ```
    ///
    /// # Parameters
    ///
    /// - `must-be` (`"non-root"` by default, or `"numeric"`): `non-root` admits any name but root; `numeric` admits only a uid
    ///   that is not zero, as Kubernetes' `runAsNonRoot` does.
    /// - `min-uid` (whole number, none by default): the lowest uid wanted. A named user is unknown under it.
    /// - `deny` (list of names and uids, empty by default): users that are refused besides root.
    ///
    /// # How to fix
    ///
    /// Name a uid in the Dockerfile, after the steps that need root:
    ///
    /// ```dockerfile
    /// USER 10001
    /// ```
    ///
    /// An image that cannot be built again is changed with `crane mutate --user 10001 IMAGE` or, platform by platform,
    /// `regctl image mod`; that changes its digest, so sign it afterwards.
    ///
    /// # What it cannot see
    ///
    /// Which uid a name has: that stands in `/etc/passwd` in a layer, and a name other than `root` may have uid 0. Use
    /// `must-be = "numeric"` where that matters. Nor what a deployment says: `docker run --user` and `securityContext` overrule
    /// the image.
    User: "user"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct User {
    must_be: MustBe,
    min_uid: Option<u32>,
    deny: Vec<String>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum MustBe {
    #[default]
    NonRoot,
    Numeric,
}

impl Check for User {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        let mut problems = Vec::new();
        if self.min_uid == Some(0) {
            problems.push(Problem::with(
                "min-uid",
                "every uid is at least 0: name the lowest one wanted, such as `min-uid = 1000`",
            ));
        }
        if self.deny.iter().any(|user| user.is_empty() || user.contains(':')) {
            problems.push(Problem::with(
                "deny",
                "name users without a group, such as \"nobody\" or \"65534\"; root is denied already",
            ));
        }
        problems
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let entry = subject.platform()?;
        let read = ConfigPart::read(entry, view, &["/config/User"])?;
        let config = read.config;
        let user = config.user.as_deref().unwrap_or_default();
        let judged = if is_windows(entry, config) { self.on_windows(user)? } else { self.on_linux(user)? };
        let mut findings = Findings::new();
        if let Judged::Bad { message, key } = judged {
            let pointer = if config.user.is_some() { "/config/User" } else { "/config" };
            findings.add_keyed(message, read.at(pointer), fix(view), key);
        }
        findings.verdict(|| evidence(user))
    }
}

/// Whether an image runs as root, or on Windows as administrator; `None` where only the base of a Windows image tells.
pub(super) fn is_root(entry: &Entry, config: &ImageConfig) -> Option<bool> {
    let user = config.user.as_deref().unwrap_or_default();
    let rule = User::default();
    let judged = if is_windows(entry, config) { rule.on_windows(user) } else { rule.on_linux(user) };
    judged.ok().map(|judged| matches!(judged, Judged::Bad { .. }))
}

/// What came of looking at one `User`.
#[derive(Debug, PartialEq, Eq)]
enum Judged {
    Good,
    Bad { message: String, key: &'static str },
}

fn bad(key: &'static str, message: String) -> Judged {
    Judged::Bad { message, key }
}

impl User {
    fn on_linux(&self, user: &str) -> Result<Judged, Why> {
        let shown = ImageText(user);
        let uid = match Account::of(user) {
            Account::Nobody => {
                return Ok(bad("root", "the image names no user and so runs as root, wanted another user".to_owned()));
            }
            Account::Root => {
                return Ok(bad("root", format!("the image runs as root: User is '{shown}', wanted another user")));
            }
            Account::Beyond => {
                let message = format!(
                    "User is '{shown}', beyond {MAX_UID}: some versions of containerd run it as root (CVE-2024-40635), wanted a lower uid"
                );
                return Ok(bad("root", message));
            }
            Account::Uid(uid) => Some(uid),
            Account::Name => None,
        };
        if self.denies(user) {
            return Ok(bad("denied", format!("User is '{shown}', which the policy denies")));
        }
        match (uid, self.min_uid) {
            (None, _) if self.must_be == MustBe::Numeric => {
                Ok(bad("numeric", format!("User is the name '{shown}', wanted a uid: a name's uid may be 0")))
            }
            (None, Some(_)) => Err(Why::undecidable(
                "reading the uid of the image's user",
                format!(
                    "User is the name '{shown}'; its uid stands in a layer: wanted a number (see `must-be = \"numeric\"`)"
                ),
            )),
            (Some(uid), Some(min)) if uid < u128::from(min) => {
                Ok(bad("min-uid", format!("User is '{shown}', wanted a uid of at least {min}")))
            }
            _ => Ok(Judged::Good),
        }
    }

    fn on_windows(&self, user: &str) -> Result<Judged, Why> {
        let undecidable = |detail: &str| Err(Why::undecidable("judging the user of a Windows image", detail));
        // `User Manager\ContainerAdministrator` is the same account.
        let name = user.rsplit('\\').next().unwrap_or_default().trim();
        if name.is_empty() {
            return undecidable(
                "it names no user, so that its base image decides: scope the rule with `platforms = [\"linux/*\"]`",
            );
        }
        if name.eq_ignore_ascii_case("ContainerAdministrator") {
            return Ok(bad(
                "root",
                format!("the image runs as administrator: User is '{}', wanted another user", ImageText(user)),
            ));
        }
        if self.deny.iter().any(|denied| denied.eq_ignore_ascii_case(name)) {
            return Ok(bad("denied", format!("User is '{}', which the policy denies", ImageText(user))));
        }
        if self.must_be == MustBe::Numeric || self.min_uid.is_some() {
            return undecidable("Windows has no uids: scope the rule with `platforms = [\"linux/*\"]`");
        }
        Ok(Judged::Good)
    }

    /// Whether the user is on the list; numbers are compared as numbers.
    fn denies(&self, user: &str) -> bool {
        let name = account(user);
        let same = |denied: &String| denied == name || number(denied).is_some_and(|uid| number(name) == Some(uid));
        self.deny.iter().any(same)
    }
}

/// Whom a `User` on Linux stands for.
#[derive(Debug, PartialEq, Eq)]
enum Account {
    /// Nothing is named, which is root.
    Nobody,
    /// Root.
    Root,
    /// A uid above [`MAX_UID`].
    Beyond,
    /// Any other uid.
    Uid(u128),
    /// A name.
    Name,
}

impl Account {
    fn of(user: &str) -> Self {
        let name = account(user);
        match number(name) {
            _ if user.trim().is_empty() => Self::Nobody,
            _ if name.is_empty() || name == "root" => Self::Root,
            Some(0) => Self::Root,
            Some(uid) if uid > MAX_UID => Self::Beyond,
            Some(uid) => Self::Uid(uid),
            None => Self::Name,
        }
    }
}

/// The part before the group. White space around it is left out: whether a runtime does so too is its own affair, and ` 0` must
/// not pass.
fn account(user: &str) -> &str {
    user.split(':').next().unwrap_or_default().trim()
}

/// The value of a decimal number as runtimes read it, its sign included; saturates. A negative one wraps round and is beyond every uid.
fn number(text: &str) -> Option<u128> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let value = digits.parse().unwrap_or(u128::MAX);
    Some(if text.starts_with('-') && value > 0 { u128::MAX } else { value })
}

fn evidence(user: &str) -> String {
    let shown = ImageText(user);
    match Account::of(user) {
        Account::Uid(_) => format!("User is '{shown}'"),
        _ => format!("User is '{shown}'; a name's uid is not looked up"),
    }
}

fn fix(view: &View<'_>) -> Fix {
    Fix::new("say `USER 10001` in the Dockerfile after the steps that need root, then rebuild:")
        .or(&words::build("docker buildx build --platform {} --output type=registry -t {} .", view))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_root_is_root() {
        for user in ["0", "00", "+0", "-0", "0:0", "0:1000", "root", "root:staff", ":1000", ":", " 0", "0 :1", "root "]
        {
            assert_eq!(Account::of(user), Account::Root, "{user:?}");
        }
        for user in ["", " "] {
            assert_eq!(Account::of(user), Account::Nobody, "{user:?}");
        }
        for user in ["2147483648", "4294967296:0", "-1", "99999999999999999999999999999999999999999999"] {
            assert_eq!(Account::of(user), Account::Beyond, "{user:?}");
        }
    }

    #[test]
    fn others_are_not() {
        for (user, uid) in [("1", 1), ("010001", 10_001), ("65532:0", 65_532), ("2147483647", MAX_UID)] {
            assert_eq!(Account::of(user), Account::Uid(uid), "{user:?}");
        }
        for user in ["app", "Root", "root1", "app:0", "0x0", "1e3", "٠"] {
            assert_eq!(Account::of(user), Account::Name, "{user:?}");
        }
    }

    #[test]
    fn windows_knows_no_uids() {
        let rule = User::default();
        for user in ["ContainerAdministrator", "containeradministrator", r"User Manager\ContainerAdministrator"] {
            assert!(matches!(rule.on_windows(user), Ok(Judged::Bad { key: "root", .. })), "{user:?}");
        }
        assert_eq!(rule.on_windows("ContainerUser"), Ok(Judged::Good));
        assert!(rule.on_windows("").is_err());
        assert!(User { min_uid: Some(1000), ..User::default() }.on_windows("ContainerUser").is_err());
    }

    #[test]
    fn denied_uids_are_compared_as_numbers() {
        let rule = User { deny: vec!["65534".to_owned(), "nobody".to_owned()], ..User::default() };
        for user in ["065534:1", "nobody", "nobody:nogroup"] {
            assert!(matches!(rule.on_linux(user), Ok(Judged::Bad { key: "denied", .. })), "{user:?}");
        }
        assert_eq!(rule.on_linux("65535"), Ok(Judged::Good));
    }
}
