//! Which token server may see the credentials of a registry.

use reqwest::Url;

/// Token servers that run under another registrable domain than their registry, and where that is written.
const KNOWN: [(&str, &str); 2] = [
    // https://distribution.github.io/distribution/spec/auth/token/
    ("docker.io", "auth.docker.io"),
    // The challenge of https://registry.rancher.com/v2/, as Rancher's own tests keep it (SUSE Customer Center).
    ("registry.rancher.com", "scc.suse.com"),
];

/// Whether the credentials of a registry may go to the host of `realm`.
///
/// They may if that is the registry's own origin, a known pair, another host under the same registrable domain (private
/// GitLab: `registry.gitlab.example.com` and `gitlab.example.com`), or named by the user.
pub(super) fn is_trusted(registry: &str, home: &Url, realm: &Url, named: &[(String, String)]) -> bool {
    let Some(host) = realm.host_str() else { return false };
    let authority = authority(realm);
    let pair = |(of, to): (&str, &str)| {
        of.eq_ignore_ascii_case(registry) && (to.eq_ignore_ascii_case(host) || to.eq_ignore_ascii_case(&authority))
    };
    home.origin() == realm.origin()
        || KNOWN.into_iter().any(pair)
        || named.iter().any(|(of, to)| pair((of, to)))
        || home.host_str().is_some_and(|home| is_same_domain(home, host))
}

/// Host and port, the scheme's default port left out.
pub(super) fn authority(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Whether two host names lie under one registrable domain. Only suffixes of the public list count: under one that nobody
/// registered (`.internal`, `.local`) neighbours are strangers. Addresses have no domain.
fn is_same_domain(one: &str, other: &str) -> bool {
    match (registrable(one), registrable(other)) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        _ => false,
    }
}

fn registrable(host: &str) -> Option<&str> {
    let domain = psl::domain(host.as_bytes())?;
    let is_name = host.rsplit('.').next().is_some_and(|last| last.bytes().any(|b| b.is_ascii_alphabetic()));
    if is_name && domain.suffix().is_known() { str::from_utf8(domain.as_bytes()).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trusted(registry: &str, realm: &str) -> bool {
        trusted_with(registry, realm, &[])
    }

    fn trusted_with(registry: &str, realm: &str, named: &[(&str, &str)]) -> bool {
        let named: Vec<_> = named.iter().map(|(of, to)| ((*of).to_owned(), (*to).to_owned())).collect();
        let home = Url::parse(&format!("https://{registry}/v2/")).unwrap();
        is_trusted(registry, &home, &Url::parse(realm).unwrap(), &named)
    }

    #[test]
    fn the_registrys_own_origin_is_trusted() {
        assert!(trusted("ghcr.io", "https://ghcr.io/token"));
        assert!(trusted("127.0.0.1:5000", "https://127.0.0.1:5000/token"));
        assert!(!trusted("127.0.0.1:5000", "https://127.0.0.1:5001/token"));
        assert!(!trusted("127.0.0.1:5000", "http://127.0.0.1:5000/token"));
    }

    #[test]
    fn known_pairs_and_neighbours_are_trusted() {
        assert!(trusted("docker.io", "https://auth.docker.io/token"));
        assert!(trusted("registry.rancher.com", "https://scc.suse.com/api/registry/authorize"));
        assert!(trusted("registry.gitlab.com", "https://gitlab.com/jwt/auth"));
        assert!(trusted("registry.gitlab.example.co.uk:5050", "https://gitlab.example.co.uk/jwt/auth"));
        assert!(trusted("registry.cn-hangzhou.aliyuncs.com", "https://dockerauth.cn-hangzhou.aliyuncs.com/auth"));
    }

    #[test]
    fn strangers_are_not_trusted() {
        for (registry, realm) in [
            ("ghcr.io", "https://ghrc.io/token"),
            ("registry.example.com", "https://example.com.evil.test/token"),
            ("a.co.uk", "https://b.co.uk/token"),
            ("me.github.io", "https://you.github.io/token"),
            ("registry.ns1.svc.cluster.local", "https://evil.ns2.svc.cluster.local/token"),
            ("10.0.0.1", "https://10.9.0.1/token"),
            ("192.168.0.1", "https://10.0.0.1/token"),
            ("[::1]:5000", "https://[::2]:5000/token"),
            ("registry", "https://auth/token"),
            ("docker.io", "https://auth.docker.io.evil.test/token"),
            ("evil.test", "https://auth.docker.io/token"),
        ] {
            assert!(!trusted(registry, realm), "{registry} {realm}");
        }
    }

    #[test]
    fn the_user_names_a_pair() {
        let named = [("reg.test", "auth.internal"), ("reg.test:5000", "127.0.0.2:8080")];
        assert!(trusted_with("reg.test", "https://auth.internal/token", &named));
        assert!(trusted_with("reg.test", "https://auth.internal:8443/token", &named));
        assert!(!trusted_with("other.test", "https://auth.internal/token", &named));
        assert!(trusted_with("reg.test:5000", "http://127.0.0.2:8080/token", &named));
        assert!(!trusted_with("reg.test:5000", "http://127.0.0.2:8081/token", &named));
    }
}
