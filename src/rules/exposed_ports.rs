use std::fmt;

use serde::de;

use super::config_part::ConfigPart;
use super::prelude::*;
use crate::finding::FixArgument;

declare_rule! {
    /// The image exposes only the ports that are wanted.
    ///
    /// # What it checks
    ///
    /// The names in `ExposedPorts` in each platform's config: `8080/tcp`, `53/udp`; a number alone means TCP. An image that exposes
    /// nothing passes. A name that is no port, such as a range or a variable that the build left as it was, makes the answer unknown.
    ///
    /// # Why
    ///
    /// What an image exposes says which services it means to offer: a port for SSH, a debugger or a database in an application's
    /// image is mostly a leftover. `docker run -P` publishes every exposed port on the host, and a proxy such as
    /// Traefik takes the exposed port for the one to forward to.
    ///
    /// # Example
    ///
    /// ```toml
    /// [rules.exposed-ports]
    /// allow = [80, "8000-8999/tcp", "53/udp"]
    /// deny-privileged = true
    /// ```
    ///
    /// # Parameters
    ///
    /// - `allow` (list of ports, default all): the only ports that may be exposed. A port is a number or a range, of one protocol
    ///   where one is named: `80`, `"8000-8999"`, `"53/udp"`; the protocols are `tcp`, `udp` and `sctp`.
    /// - `deny` (list of ports, empty by default): ports that are refused; `deny = ["1-65535"]` refuses all.
    /// - `deny-privileged` (boolean, default `false`): refuses ports below 1024, which need a capability in runtimes that do not lower
    ///   `net.ipv4.ip_unprivileged_port_start` (Docker since 20.10 does, Kubernetes leaves it to the runtime).
    ///
    /// # How to fix
    ///
    /// Take the `EXPOSE` out of the Dockerfile. One that a base image brings cannot be taken back in a Dockerfile; it is removed
    /// from the image that was built, which changes its digest, so sign it afterwards:
    ///
    /// ```sh
    /// regctl image mod --replace --expose-rm 22/tcp IMAGE
    /// ```
    ///
    /// Let a service that need not be root listen on a port from 1024 on, and publish it as another: `docker run -p 80:8080 IMAGE`.
    ///
    /// # What it cannot see
    ///
    /// Which ports are listened on: `EXPOSE` only says so, and a container may listen on any port. Nor what is published, which the
    /// deployment decides.
    ExposedPorts: "exposed-ports"
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct ExposedPorts {
    allow: Vec<Ports>,
    deny: Vec<Ports>,
    deny_privileged: bool,
}

/// Ports from this one on need no privilege on Linux.
const UNPRIVILEGED: u16 = 1024;

impl Check for ExposedPorts {
    fn judges(&self) -> Judges {
        Judges::EachPlatform
    }

    fn problems(&self) -> Vec<Problem> {
        if self.allow.is_empty() && self.deny.is_empty() && !self.deny_privileged {
            return vec![Problem::missing(
                "nothing is allowed or denied: give `allow` or `deny`, such as `deny = [22]`, or `deny-privileged = true`",
            )];
        }
        let texts = |ports: &[Ports]| ports.iter().map(ToString::to_string).collect::<Vec<_>>();
        allowed_and_denied(texts(&self.allow), texts(&self.deny)).into_iter().collect()
    }

    fn judge(&self, subject: Subject<'_>, view: &View<'_>) -> Fact<Verdict> {
        let own = ConfigPart::read(subject.platform()?, view, &["/config/ExposedPorts"])?;
        let exposed = &own.config.exposed_ports;
        let mut findings = Findings::new();
        for name in exposed {
            let Some(port) = Port::read(name) else {
                let detail = format!("'{}' is no port: expected one such as 8080/tcp", ImageText(name));
                findings.stop(Why::undecidable("reading the exposed ports", detail).into());
                continue;
            };
            if let Some(wanted) = self.objection(port) {
                let message = format!("the image exposes port {}, {wanted}", ImageText(&port.to_string()));
                findings.add_keyed(message, own.at_member(&[&"ExposedPorts", name]), fix(port, view), port.to_string());
            }
        }
        findings.verdict(|| {
            if exposed.is_empty() {
                "no port is exposed".to_owned()
            } else {
                format!("exposes {}", words::listed(exposed.iter().map(|port| ImageText(port))))
            }
        })
    }
}

impl ExposedPorts {
    /// What the policy has against a port.
    fn objection(&self, port: Port) -> Option<String> {
        if let Some(denied) = self.deny.iter().find(|denied| denied.hold(port)) {
            return Some(format!("the policy denies {denied}"));
        }
        if !self.allow.is_empty() && !self.allow.iter().any(|allowed| allowed.hold(port)) {
            return Some(format!("wanted {}", words::either(&self.allow)));
        }
        (self.deny_privileged && port.number < UNPRIVILEGED).then(|| format!("wanted one from {UNPRIVILEGED} on"))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Tcp,
    Udp,
    Sctp,
}

impl Protocol {
    const ALL: [(Self, &'static str); 3] = [(Self::Tcp, "tcp"), (Self::Udp, "udp"), (Self::Sctp, "sctp")];

    /// Runtimes take it in upper case as well.
    fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|(_, name)| text.eq_ignore_ascii_case(name)).map(|(protocol, _)| protocol)
    }
}

impl fmt::Display for Protocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::ALL.into_iter().find(|(protocol, _)| protocol == self).map_or("", |(_, name)| name);
        f.write_str(name)
    }
}

/// A port that an image exposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Port {
    number: u16,
    protocol: Protocol,
}

impl Port {
    /// Reads `8080/tcp` or `8080`.
    fn read(name: &str) -> Option<Self> {
        let (number, protocol) = name.split_once('/').unwrap_or((name, "tcp"));
        Some(Self { number: number_of(number)?, protocol: Protocol::read(protocol)? })
    }
}

/// A port in the one spelling that there is for it: `8080/TCP` and `8080` as `8080/tcp`. `None` if it is none.
pub(super) fn shown(name: &str) -> Option<String> {
    Port::read(name).map(|port| port.to_string())
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.protocol)
    }
}

impl FixArgument for Port {
    fn in_command(&self) -> String {
        self.to_string()
    }
}

fn number_of(text: &str) -> Option<u16> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| digits && *number > 0)
}

/// Ports as a policy names them.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ports {
    first: u16,
    last: u16,
    /// `None` for every protocol.
    protocol: Option<Protocol>,
}

impl Ports {
    fn new(text: &str) -> Option<Self> {
        let (numbers, protocol) = match text.split_once('/') {
            Some((numbers, protocol)) => (numbers, Some(Protocol::read(protocol)?)),
            None => (text, None),
        };
        let (first, last) = numbers.split_once('-').unwrap_or((numbers, numbers));
        let (first, last) = (number_of(first)?, number_of(last)?);
        (first <= last).then_some(Self { first, last, protocol })
    }

    fn hold(&self, port: Port) -> bool {
        (self.first..=self.last).contains(&port.number)
            && self.protocol.is_none_or(|protocol| protocol == port.protocol)
    }
}

impl fmt::Display for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.first)?;
        if self.last != self.first {
            write!(f, "-{}", self.last)?;
        }
        self.protocol.map_or(Ok(()), |protocol| write!(f, "/{protocol}"))
    }
}

impl<'de> Deserialize<'de> for Ports {
    fn deserialize<D: de::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Text {
            fn read<E: de::Error>(text: &str) -> Result<Ports, E> {
                let message = || E::custom("expected a port from 1 to 65535 or a range: 80, \"8000-8999\", \"53/udp\"");
                Ports::new(text).ok_or_else(message)
            }
        }
        impl de::Visitor<'_> for Text {
            type Value = Ports;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a port such as 80 or \"53/udp\"")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Ports, E> {
                Self::read(text)
            }

            fn visit_i64<E: de::Error>(self, number: i64) -> Result<Ports, E> {
                Self::read(&number.to_string())
            }
        }
        deserializer.deserialize_any(Text)
    }
}

impl JsonSchema for Ports {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Ports".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let text = r"^0*[1-9][0-9]{0,4}(-0*[1-9][0-9]{0,4})?(/([tT][cC][pP]|[uU][dD][pP]|[sS][cC][tT][pP]))?$";
        schemars::json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 1, "maximum": u16::MAX },
            { "type": "string", "pattern": text },
        ] })
    }
}

fn fix(port: Port, view: &View<'_>) -> Fix {
    Fix::new("take its `EXPOSE` out of the Dockerfile and rebuild; one that the base image brings is removed from the image:")
        .or(&Fix::new("regctl image mod --replace --expose-rm {} {}").with(&port).with(&push_name(view)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_numbers_and_ranges_of_a_protocol() {
        let holds = |ports: &str, port: &str| Ports::new(ports).unwrap().hold(Port::read(port).unwrap());
        assert!(holds("80", "80") && holds("80", "80/udp") && holds("80/tcp", "80/TCP"));
        assert!(!holds("80/tcp", "80/udp") && !holds("80", "8080"));
        assert!(holds("8000-8999", "8000/sctp") && holds("1-65535", "65535") && !holds("8000-8999", "9000"));
        for wrong in ["", "0", "65536", "+80", "80-", "-80", "90-80", "80/", "80/quic", "http", "80 "] {
            assert_eq!(Ports::new(wrong), None, "{wrong}");
        }
        for wrong in ["", "0/tcp", "65536/tcp", "8000-8010/tcp", "$PORT/tcp", "80/tcp/udp", "+80"] {
            assert_eq!(Port::read(wrong), None, "{wrong}");
        }
    }
}
