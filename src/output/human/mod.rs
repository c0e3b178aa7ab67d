//! Diagnostics for people: one line an image, one block a finding, a summary.

mod block;
mod comparison;
mod image;
mod mistakes;
mod problems;
mod snippet;
mod summary;

use std::io::{self, Write};
use std::sync::Arc;

use crate::report::{ImageReport, Run, Tally};

use super::paint::Paint;
use super::text::guard;
use super::{Style, Writer};
use block::Block;
pub(super) use mistakes::{write as write_mistakes, write_remarks};
use problems::problems;

/// A report on its way to people.
pub(super) struct Human {
    run: Arc<Run>,
    style: Style,
    paint: Paint,
    /// Whether what was written last is the line of an image and nothing more.
    after_line: Option<bool>,
    /// What was judged, as long as it is one image.
    only: Option<String>,
}

/// A piece of the output.
struct Part {
    text: String,
    /// Whether it is the line of an image and nothing more.
    is_line: bool,
}

impl Writer for Human {
    fn begin(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn image(&mut self, image: &ImageReport, out: &mut dyn Write) -> io::Result<()> {
        self.only = image.digest.as_ref().map(|_| image::pinned(image));
        let part = self.block(image);
        self.put(&part, out)
    }

    fn end(&mut self, tally: &Tally, out: &mut dyn Write) -> io::Result<()> {
        self.put(&self.remarks(tally), out)?;
        self.put(&self.newly_failing(tally), out)?;
        self.put(&self.summary(tally), out)
    }
}

impl Human {
    pub(super) fn new(run: Arc<Run>, style: Style) -> Self {
        Self { run, style, paint: Paint::new(style), after_line: None, only: None }
    }

    fn put(&mut self, part: &Part, out: &mut dyn Write) -> io::Result<()> {
        if part.text.is_empty() {
            return Ok(());
        }
        // Lines of passing images stand close together; everything else has room around it.
        if self.after_line.is_some_and(|after_line| !(after_line && part.is_line)) {
            out.write_all(b"\n")?;
        }
        self.after_line = Some(part.is_line);
        let ansi = self.style.color || self.style.hyperlinks;
        out.write_all(guard(&part.text, ansi, self.style.unicode).as_bytes())
    }

    /// An image's line and the blocks below it.
    fn block(&self, image: &ImageReport) -> Part {
        let blocks: Vec<Block> = problems(&self.run, image).filter(|block| !self.style.quiet || block.fails).collect();
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
    fn remarks(&self, tally: &Tally) -> Part {
        let mut text = String::new();
        let remarks = tally.remarks().filter(|_| !self.style.quiet);
        for (number, remark) in remarks.enumerate() {
            if number > 0 {
                text.push('\n');
            }
            Block::remark(remark).render(&self.paint, &mut text);
        }
        Part { text, is_line: false }
    }
}
