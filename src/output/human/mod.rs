//! Diagnostics for people: one line an image, one block a finding, a summary.

mod block;
mod image;
mod mistakes;
mod problems;
mod snippet;
mod summary;

use std::io::{self, Write};

use crate::report::{ImageReport, Report};

use super::Style;
use super::paint::Paint;
use super::text::guard;
use block::Block;
pub(super) use mistakes::write as write_mistakes;
use problems::problems;

/// Writes a report, one image at a time.
pub(super) fn write(report: &Report, style: Style, out: &mut dyn Write) -> io::Result<()> {
    let human = Human { report, style, paint: Paint::new(style) };
    let images = report.images.iter().map(|image| human.image(image));
    let mut before: Option<Part> = None;
    for part in images.chain([human.remarks(), human.summary()]).filter(|part| !part.text.is_empty()) {
        // Lines of passing images stand close together; everything else has room around it.
        if before.is_some_and(|before| !(before.is_line && part.is_line)) {
            out.write_all(b"\n")?;
        }
        out.write_all(guard(&part.text, style.color || style.hyperlinks, style.unicode).as_bytes())?;
        before = Some(part);
    }
    Ok(())
}

/// A report on its way to people.
struct Human<'r> {
    report: &'r Report,
    style: Style,
    paint: Paint,
}

/// A piece of the output.
struct Part {
    text: String,
    /// Whether it is the line of an image and nothing more.
    is_line: bool,
}

impl Human<'_> {
    /// An image's line and the blocks below it.
    fn image(&self, image: &ImageReport) -> Part {
        let blocks: Vec<Block> =
            problems(self.report, image).filter(|block| !self.style.quiet || block.fails).collect();
        if self.style.quiet && blocks.is_empty() {
            return Part { text: String::new(), is_line: true };
        }
        let mut text = self.headline(image);
        let mut brief = false;
        for block in &blocks {
            if !(brief && block.is_brief()) {
                text.push('\n');
            }
            brief = block.is_brief();
            block.render(&self.paint, &mut text);
        }
        Part { text, is_line: blocks.is_empty() }
    }

    /// What is to be said about the run itself.
    fn remarks(&self) -> Part {
        let mut text = String::new();
        let remarks = self.report.diagnostics.iter().filter(|_| !self.style.quiet);
        for (number, remark) in remarks.enumerate() {
            if number > 0 {
                text.push('\n');
            }
            Block::remark(remark).render(&self.paint, &mut text);
        }
        Part { text, is_line: false }
    }
}
