use super::fixtures::*;
use super::*;

fn human(report: &Report, style: Style) -> String {
    let mut out = Vec::new();
    write(Format::Human, report, &Options { style, ..Options::default() }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

const NARROW: Style = Style { color: false, unicode: true, width: 80, quiet: false, narrated: false, hyperlinks: false };

#[test]
fn look() {
    for style in [NARROW, Style { width: 120, color: true, ..NARROW }, Style { narrated: true, ..NARROW }, Style { unicode: false, quiet: true, ..NARROW }] {
        println!("=========\n{}", human(&everything(), style));
    }
}
