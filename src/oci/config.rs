//! The image config (image-spec, config.md, and Docker's extensions of it).

use serde::Serialize;

use super::{
    Annotations, Platform,
    json::{Path, Tree},
    reading::{Defect, Defects, Object, found},
};

/// How an image is run, and what it is made of (image-spec, config.md).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ImageConfig {
    /// The operating system, a GOOS; `None` when absent or empty.
    pub os: Option<String>,
    /// The architecture, a GOARCH; `None` when absent or empty.
    pub architecture: Option<String>,
    /// The variant of the architecture.
    pub variant: Option<String>,
    /// The version of the operating system.
    pub os_version: Option<String>,
    /// Features of the operating system that the image needs.
    pub os_features: Vec<String>,
    /// When the image was made, as written.
    pub created: Option<String>,
    /// `User`, as written.
    pub user: Option<String>,
    /// `Env`: `NAME=value`, as written.
    pub env: Vec<String>,
    /// `Entrypoint`; `None` when absent or null.
    pub entrypoint: Option<Vec<String>>,
    /// `Cmd`; `None` when absent or null.
    pub cmd: Option<Vec<String>>,
    /// `WorkingDir`.
    pub working_dir: Option<String>,
    /// The names in `ExposedPorts`, as written, sorted.
    pub exposed_ports: Vec<String>,
    /// The names in `Volumes`, as written, sorted.
    pub volumes: Vec<String>,
    /// `Labels`.
    pub labels: Annotations,
    /// `StopSignal`.
    pub stop_signal: Option<String>,
    /// The `Test` of Docker's `Healthcheck`; `None` when there is no health check.
    pub healthcheck: Option<Vec<String>>,
    /// The digests of the uncompressed layers, as written.
    pub diff_ids: Vec<String>,
    /// How the layers were made, the oldest first.
    pub history: Vec<History>,
}

/// How one layer was made (image-spec, config.md).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct History {
    /// When, as written.
    pub created: Option<String>,
    /// The command.
    pub created_by: Option<String>,
    /// Who made it.
    pub author: Option<String>,
    /// A remark.
    pub comment: Option<String>,
    /// Whether the step made no layer.
    pub empty_layer: bool,
}

impl ImageConfig {
    /// Reads an image config, and what is wrong with it.
    pub fn read(value: &Tree<'_>) -> (ImageConfig, Vec<Defect>) {
        let defects = Defects::new();
        let config = Object::read(value, &Path::Root, &defects, read).unwrap_or_default();
        (config, defects.into_vec())
    }

    /// The platform that the config names; `None` unless both os and architecture are there.
    pub fn platform(&self) -> Option<Platform> {
        Some(Platform {
            os: self.os.clone()?,
            architecture: self.architecture.clone()?,
            variant: self.variant.clone(),
            os_version: self.os_version.clone(),
            os_features: self.os_features.clone(),
        })
    }

    /// The defect of a config that does not list one `diff_id` for each of the manifest's `layers`.
    pub fn check_layers(&self, layers: usize) -> Option<Defect> {
        let listed = self.diff_ids.len();
        (listed != layers).then(|| Defect {
            pointer: if listed == 0 { "" } else { "/rootfs/diff_ids" }.to_owned(),
            message: format!("`diff_ids` lists {listed} layers, the manifest has {layers}"),
        })
    }
}

fn read(object: Object<'_>) -> ImageConfig {
    object.require("rootfs");
    let mut config = ImageConfig {
        os: object.required_text("os"),
        architecture: object.required_text("architecture"),
        variant: object.text("variant"),
        os_version: object.text("os.version"),
        os_features: object.strings("os.features").unwrap_or_default(),
        created: object.text("created"),
        diff_ids: object.object("rootfs", read_rootfs).unwrap_or_default(),
        history: object.objects("history", read_history),
        ..ImageConfig::default()
    };
    object.string("author");
    object.object("config", |run| read_run(run, &mut config));
    config
}

fn read_rootfs(object: Object<'_>) -> Vec<String> {
    match object.get("type") {
        None => object.defect("`type` is missing, expected \"layers\""),
        Some(kind) if kind.as_str() != Some("layers") => {
            object.defect_at("type", format_args!("`type` is {}, expected \"layers\"", found(kind)));
        }
        Some(_) => {}
    }
    object.strings("diff_ids").unwrap_or_default()
}

fn read_history(object: Object<'_>) -> History {
    History {
        created: object.text("created"),
        created_by: object.text("created_by"),
        author: object.text("author"),
        comment: object.text("comment"),
        empty_layer: object.boolean("empty_layer").unwrap_or_default(),
    }
}

/// The object `config`: what the runtime takes.
fn read_run(object: Object<'_>, config: &mut ImageConfig) {
    config.user = object.string("User").map(str::to_owned);
    config.env = object.strings("Env").unwrap_or_default();
    config.entrypoint = object.strings("Entrypoint");
    config.cmd = object.strings("Cmd");
    config.working_dir = object.text("WorkingDir");
    config.exposed_ports = object.names("ExposedPorts");
    config.volumes = object.names("Volumes");
    config.labels = object.string_map("Labels");
    config.stop_signal = object.text("StopSignal");
    object.boolean("ArgsEscaped");
    config.healthcheck = object.object("Healthcheck", |check| check.strings("Test").unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn config() -> Value {
        json!({"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": ["sha256:a", "sha256:b"]}})
    }

    fn config_of(config: &Value) -> (ImageConfig, Vec<Defect>) {
        ImageConfig::read(&config.into())
    }

    fn defects(config: &Value) -> Vec<(String, String)> {
        let (_, defects) = config_of(config);
        defects.into_iter().map(|defect| (defect.pointer, defect.message)).collect()
    }

    #[test]
    fn everything_known_is_read() {
        let mut document = config();
        document["variant"] = json!("v2");
        document["os.version"] = json!("10.0");
        document["os.features"] = json!(["win32k"]);
        document["created"] = json!("2026-01-02T03:04:05Z");
        document["history"] = json!([{"created_by": "RUN", "empty_layer": true}]);
        document["config"] = json!({
            "User": "0", "Env": ["A=b"], "Entrypoint": ["/e"], "Cmd": null, "WorkingDir": "/w", "StopSignal": "9",
            "ExposedPorts": {"80/tcp": {}, "53": {}}, "Volumes": {"/v": {}}, "Labels": {"l": ""},
            "Healthcheck": {"Test": ["CMD", "true"]}
        });
        let (read, defects) = config_of(&document);
        assert_eq!(defects, []);
        assert_eq!(read.user.as_deref(), Some("0"));
        assert_eq!((read.entrypoint, read.cmd), (Some(vec!["/e".to_owned()]), None));
        assert_eq!(
            (read.exposed_ports, read.volumes),
            (vec!["53".to_owned(), "80/tcp".to_owned()], vec!["/v".to_owned()])
        );
        assert_eq!(read.healthcheck, Some(vec!["CMD".to_owned(), "true".to_owned()]));
        assert_eq!(read.labels, Annotations::from([("l".to_owned(), String::new())]));
        assert_eq!((read.env, read.working_dir), (vec!["A=b".to_owned()], Some("/w".to_owned())));
        assert!(read.history[0].empty_layer);
        assert_eq!((read.os_version.as_deref(), read.variant.as_deref()), (Some("10.0"), Some("v2")));
    }

    #[test]
    fn an_absent_and_an_empty_user_are_told_apart() {
        let user = |config: Value| config_of(&json!({ "config": config })).0.user;
        assert_eq!(user(json!({})), None);
        assert_eq!(user(json!({"User": null})), None);
        assert_eq!(user(json!({"User": ""})).as_deref(), Some(""));
    }

    #[test]
    fn what_must_be_there_is_asked_for() {
        let missing = |name: &str| {
            let mut document = config();
            document.as_object_mut().unwrap().remove(name);
            defects(&document)
        };
        for name in ["os", "architecture", "rootfs"] {
            assert_eq!(missing(name), [(String::new(), format!("`{name}` is missing"))]);
        }
        let mut document = config();
        document["os"] = json!("");
        assert_eq!(defects(&document), [("/os".to_owned(), "`os` is empty".to_owned())]);
        assert_eq!(config_of(&document).0.platform(), None);
        document = config();
        document["rootfs"]["type"] = json!("layers+base");
        let message = "`type` is the string \"layers+base\", expected \"layers\"";
        assert_eq!(defects(&document), [("/rootfs/type".to_owned(), message.to_owned())]);
        assert_eq!(defects(&json!([])), [(String::new(), "found an empty list, expected an object".to_owned())]);
    }

    #[test]
    fn wrong_types_are_defects_wherever_the_names_are_known() {
        for (object, name, value) in [
            ("", "os", json!(1)),
            ("", "variant", json!(1)),
            ("", "created", json!(0)),
            ("", "author", json!([])),
            ("", "history", json!("x")),
            ("", "config", json!("x")),
            ("", "rootfs", json!([])),
            ("/rootfs", "diff_ids", json!({})),
            ("/run", "User", json!(0)),
            ("/run", "Env", json!({})),
            ("/run", "Cmd", json!("sh")),
            ("/run", "Volumes", json!(["/v"])),
            ("/run", "ExposedPorts", json!([80])),
            ("/run", "Labels", json!([])),
            ("/run", "ArgsEscaped", json!("yes")),
            ("/run", "Healthcheck", json!("true")),
        ] {
            let mut document = config();
            document["run"] = json!({});
            document.pointer_mut(object).unwrap()[name] = value;
            let run = document["run"].take();
            if object == "/run" {
                document["config"] = run;
            }
            let pointer = format!("{}/{name}", object.replace("/run", "/config"));
            let found = defects(&document);
            assert_eq!(found.iter().map(|(at, _)| at).collect::<Vec<_>>(), [&pointer], "{found:?}");
        }
    }

    #[test]
    fn lists_keep_their_indices_when_an_element_is_wrong() {
        let mut document = config();
        document["config"] = json!({"Env": [1, "A=b", null]});
        let (read, _) = config_of(&document);
        assert_eq!(read.env, ["", "A=b", ""]);
        let expected = [("/config/Env/0", "found a number"), ("/config/Env/2", "found null")];
        let expected = expected.map(|(at, found)| (at.to_owned(), format!("{found}, expected a string")));
        assert_eq!(defects(&document), expected);
    }

    #[test]
    fn null_and_absent_optional_members_are_no_defects() {
        let mut document = config();
        for name in
            ["config", "history", "created", "author", "variant", "os.version", "os.features", "container_config"]
        {
            document[name] = json!(null);
        }
        document["rootfs"]["diff_ids"] = json!(null);
        document["moby.buildkit.cache.v0"] = json!("x");
        assert_eq!(defects(&document), []);
    }

    #[test]
    fn layers_are_counted_against_the_manifest() {
        let (read, _) = config_of(&config());
        assert_eq!(read.check_layers(2), None);
        let message = "`diff_ids` lists 2 layers, the manifest has 3";
        assert_eq!(read.check_layers(3).unwrap().message, message);
        // The place of the defect exists in a config without the list as well.
        let (read, _) = config_of(&json!({}));
        assert_eq!(read.check_layers(1).unwrap().pointer, "");
    }
}
