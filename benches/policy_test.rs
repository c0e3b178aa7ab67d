//! What `ocilint policy test` costs: reading, loading, building images and judging.
//!
//! `cargo bench --bench policy_test`. Five hundred described images are to take less than two seconds.

use std::fmt::Write as _;
use std::path::Path;

use divan::Bencher;
use ocilint::cases::{Suite, run};
use ocilint::report::ExitStatus;

fn main() {
    divan::main();
}

/// Cases of the built-in policy `strict`, each an image of two platforms with attestations.
fn cases(number: usize) -> String {
    let mut text = "policy-file = \"ocilint:strict\"\n".to_owned();
    for case in 0..number {
        let _ = write!(
            text,
            "[[case]]\nname = \"{case}\"\nothers = \"any\"\nimage.platforms = [\"linux/amd64\", \"linux/arm64\"]\n\
             image.attestations = [{{ predicate = \"spdx\" }}, {{ predicate = \"provenance-v1\", mode = \"max\" }}]\n\
             image.layers = [{{ count = 3 }}, {{ compression = \"zstd\" }}]\nimage.labels = {{ number = \"{case}\" }}\n\
             expect.user = \"pass\"\nexit = 0\n"
        );
    }
    text
}

/// The same with a policy of its own in each case.
fn own_policies(number: usize) -> String {
    let mut text = String::new();
    for case in 0..number {
        let _ = write!(
            text,
            "[[case]]\nname = \"{case}\"\nothers = \"any\"\nexpect.user = \"pass\"\n\
             policy = \"[policy]\\nname = 'p{case}'\\nextends = ['ocilint:strict']\\n\"\n"
        );
    }
    text
}

fn read(text: &str) -> Suite {
    Suite::parse("bench.test.toml", text, Path::new("")).expect("the cases are right")
}

#[divan::bench(args = [500], sample_count = 10, sample_size = 1)]
fn read_cases(bencher: Bencher<'_, '_>, number: usize) {
    let text = cases(number);
    bencher.bench(|| read(&text));
}

#[divan::bench(args = [500], sample_count = 10, sample_size = 1)]
fn load_policies(bencher: Bencher<'_, '_>, number: usize) {
    let text = own_policies(number);
    bencher.with_inputs(|| read(&text)).bench_values(|suite| assert!(suite.mistakes().is_empty()));
}

#[divan::bench(args = [500], sample_count = 10, sample_size = 1)]
fn whole_run(bencher: Bencher<'_, '_>, number: usize) {
    let text = cases(number);
    bencher.bench(|| {
        let suite = read(&text);
        assert!(suite.mistakes().is_empty());
        let tested = run(&[suite]).expect("threads can be started");
        assert_eq!(tested.exit_status(), ExitStatus::Clean);
    });
}
