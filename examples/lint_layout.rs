//! Judges an image with the library, as `ocilint check` does.
//!
//! ```text
//! cargo run --example lint_layout [TARGET]
//! ```

#![expect(clippy::print_stdout, reason = "an example that talks")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;

use ocilint::{Engine, Options, Policy, RegistryOptions, Silent, Sources, Target};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let text = std::env::args().nth(1).unwrap_or_else(|| "oci:examples/layouts/oci-sbom".to_owned());
    let target = Target::parse(&text)?;
    let policy = Policy::load(&["ocilint:baseline".to_owned()], Path::new("."))?;
    let observer = Arc::new(Silent);
    let sources = Sources::new(RegistryOptions::default(), observer.clone());
    let engine = Engine::new(policy, Options::default(), sources, observer);

    let image = engine.judge(&target).await;
    for cell in &image.cells {
        println!("{:?}: {} of {}", cell.verdict, cell.rule, cell.subject);
        for finding in &cell.findings {
            println!("    {} ({})", finding.message, finding.fix);
        }
    }
    let status = image.exit_status();
    std::process::exit(status.code().into());
}
