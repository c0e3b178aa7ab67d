//! `ocilint` checks container images against policies, read straight from where they are stored: a registry, an OCI image
//! layout or an archive.

pub mod oci;
