//! What every rule file imports: `use super::prelude::*;`.

pub(super) use std::collections::{BTreeMap, BTreeSet};

pub(super) use schemars::JsonSchema;
pub(super) use serde::Deserialize;

pub(super) use super::parameters::allowed_and_denied;
pub(super) use super::words::{self, image_name, push_name};
pub(super) use super::{Check, Duration, Glob, Judges, Pattern, Problem, Size, declare_rule};
pub(super) use crate::finding::{Findings, Fix, Location, NodeRole, PolicyWord, Verdict};
pub(super) use crate::graph::{Cause, Entry, Fact, Nature, Place, RootKind, Stop, Subject, View, Why};
pub(super) use crate::oci::{
    Annotations, Descriptor, Digest, ImageConfig, ImageManifest, ImageText, Index, Manifest, MediaType, Platform,
};
