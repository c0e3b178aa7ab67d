//! `ocilint` checks container images against policies, read straight from where they are stored.

pub mod oci;
