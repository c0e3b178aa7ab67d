//! The vocabulary of the OCI image and distribution specifications: types only, no I/O and no policy.
