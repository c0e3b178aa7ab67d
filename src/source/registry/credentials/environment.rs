//! What the environment says about where credentials are kept.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

/// The variables of the environment that lead to credentials; an empty one counts as absent.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    /// `REGISTRY_AUTH_FILE`.
    pub registry_auth_file: Option<PathBuf>,
    /// `XDG_RUNTIME_DIR`.
    pub xdg_runtime_dir: Option<PathBuf>,
    /// `XDG_CONFIG_HOME`.
    pub xdg_config_home: Option<PathBuf>,
    /// `DOCKER_CONFIG`, a directory.
    pub docker_config: Option<PathBuf>,
    /// The home directory.
    pub home: Option<PathBuf>,
    /// Where credential helpers are searched instead of `PATH`.
    pub search_path: Option<OsString>,
}

impl Environment {
    /// The environment of this process.
    pub fn of_process() -> Self {
        let path = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        Self {
            registry_auth_file: path("REGISTRY_AUTH_FILE"),
            xdg_runtime_dir: path("XDG_RUNTIME_DIR"),
            xdg_config_home: path("XDG_CONFIG_HOME"),
            docker_config: path("DOCKER_CONFIG"),
            home: env::home_dir().filter(|home| !home.as_os_str().is_empty()),
            search_path: None,
        }
    }

    /// The files that may hold credentials, the first to be asked first: the one named, podman's, docker's.
    pub(super) fn auth_files(&self) -> Vec<PathBuf> {
        let in_home = |directory: &str| self.home.as_ref().map(|home| home.join(directory));
        let podman = |directory: PathBuf| directory.join("containers/auth.json");
        let candidates = [
            self.registry_auth_file.clone(),
            self.xdg_runtime_dir.clone().map(podman),
            self.xdg_config_home.clone().map(podman),
            in_home(".config").map(podman),
            self.docker_config.clone().or_else(|| in_home(".docker")).map(|directory| directory.join("config.json")),
        ];
        let mut files = Vec::new();
        for file in candidates.into_iter().flatten() {
            if !files.contains(&file) {
                files.push(file);
            }
        }
        files
    }
}
