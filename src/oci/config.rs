//! The image config (image-spec, config.md, and Docker's extensions of it).

use serde::Serialize;
use serde_json::Value;

use super::{
    Annotations, Platform,
    json::Path,
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
    pub fn read(value: &Value) -> (ImageConfig, Vec<Defect>) {
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
            pointer: "/rootfs/diff_ids".to_owned(),
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
        Some(kind) if kind != "layers" => {
            object.defect_at(
                "type",
                format_args!("`type` is {}, expected \"layers\"", found(kind)),
            );
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
    config.healthcheck = object.object("Healthcheck", |check| {
        check.strings("Test").unwrap_or_default()
    });
}
