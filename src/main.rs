//! The command line program `ocilint`.

fn main() {}
