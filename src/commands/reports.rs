//! The reports of a run: written as the images come, by a thread of their own.
//!
//! Whoever reads standard output may be slow, or a pager that waits for a key: neither the requests nor an interruption wait for
//! it.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use ocilint::output::file::Pending;
use ocilint::output::{Destination, Format, Options, Style, Writer, writer};
use ocilint::report::{Diagnostic, ExitStatus, ImageReport, Run, Tally};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::baseline::Ratcheting;
use super::progress::Progress;
use super::{say, unwritten};

/// Images that wait to be written; with those under way, all that a run holds of its images.
const WAITING: usize = 16;
/// How long an interrupted run waits for its unfinished files to be taken away.
const TIDYING: Duration = Duration::from_millis(500);

/// Everything that is written about a run.
pub(super) struct Reports {
    run: Arc<Run>,
    tally: Tally,
    baseline: Option<Ratcheting>,
    sinks: Vec<Sink>,
    progress: Arc<Progress>,
    /// Whether every report could be written so far.
    whole: bool,
}

/// One report and where it goes.
struct Sink {
    writer: Box<dyn Writer>,
    out: Out,
}

enum Out {
    /// With whether it is a terminal, on which each image is shown at once.
    Stdout(BufWriter<Stdout>, bool),
    File(Pending, PathBuf),
}

impl Reports {
    pub(super) fn new(run: Arc<Run>, baseline: Option<Ratcheting>, progress: Arc<Progress>) -> Self {
        let tally = Tally::new(&run);
        Self { run, tally, baseline, sinks: Vec::new(), progress, whole: true }
    }

    /// Adds a report; a file is never coloured, and never seen half-written. One that cannot be opened is said at once, and the
    /// others are written all the same.
    pub(super) fn add(&mut self, destination: Destination<Format>, options: &Options) {
        let Some(path) = destination.path else {
            let out = Out::Stdout(BufWriter::new(io::stdout()), io::stdout().is_terminal());
            return self.open(Sink { writer: writer(destination.format, self.run.clone(), options), out });
        };
        let style = Style { color: false, hyperlinks: false, ..options.style };
        let options = Options { style, ..options.clone() };
        self.add_file(&path, writer(destination.format, self.run.clone(), &options));
    }

    /// Adds the file of digests.
    pub(super) fn add_digests(&mut self, path: &Path) {
        self.add_file(path, Box::new(Digests));
    }

    fn add_file(&mut self, path: &Path, writer: Box<dyn Writer>) {
        match Pending::create(path) {
            Ok(file) => self.open(Sink { writer, out: Out::File(file, path.to_owned()) }),
            Err(error) => self.lose(Some(path), &error),
        }
    }

    fn open(&mut self, mut sink: Sink) {
        match sink.writer.begin(&mut sink.out) {
            Ok(()) => self.sinks.push(sink),
            Err(error) => self.lose(sink.out.path().as_deref(), &error),
        }
    }

    fn image(&mut self, image: &ImageReport) {
        self.tally.add(image);
        if let Some(baseline) = &mut self.baseline {
            baseline.ratchet.add(image);
        }
        if self.sinks.iter().any(|sink| sink.out.is_terminal()) {
            // From here on the report shows how far the run is. The bar is not held meanwhile: a terminal may be stopped, and
            // whoever counts on the bar would wait for it.
            self.progress.finish();
        }
        self.each(|sink, _| {
            sink.writer.image(image, &mut sink.out)?;
            sink.out.show()
        });
    }

    /// Ends the reports and puts the files in their places; the status of the run.
    fn end(mut self, remarks: &[Diagnostic]) -> ExitStatus {
        for remark in remarks {
            self.tally.remark(remark);
        }
        let next = self.baseline.take().map(|baseline| baseline.end(&mut self.tally));
        self.each(|sink, tally| sink.writer.end(tally, &mut sink.out));
        for sink in std::mem::take(&mut self.sinks) {
            let (result, path) = match sink.out {
                Out::Stdout(mut out, _) => (out.flush(), None),
                Out::File(file, path) => (file.commit(), Some(path)),
            };
            if let Err(error) = result {
                self.lose(path.as_deref(), &error);
            }
        }
        if let Some((path, Err(error))) = next.flatten().map(|next| (next.path.clone(), next.write())) {
            self.miss("baseline", Some(&path), &error);
        }
        if self.whole { self.tally.exit_status() } else { ExitStatus::Internal }
    }

    /// Does something with every report, and gives up those with which it fails.
    fn each(&mut self, mut write: impl FnMut(&mut Sink, &Tally) -> io::Result<()>) {
        let mut failures = Vec::new();
        self.sinks.retain_mut(|sink| match write(sink, &self.tally) {
            Ok(()) => true,
            Err(error) => {
                failures.push((sink.out.path(), error));
                false
            }
        });
        for (path, error) in failures {
            self.lose(path.as_deref(), &error);
        }
    }

    fn lose(&mut self, path: Option<&Path>, error: &io::Error) {
        self.miss("report", path, error);
    }

    fn miss(&mut self, what: &str, path: Option<&Path>, error: &io::Error) {
        self.whole = false;
        let _ = self.progress.aside(|| unwritten(what, path, error));
    }
}

impl Out {
    /// Its file; none is standard output.
    fn path(&self) -> Option<PathBuf> {
        match self {
            Self::Stdout(..) => None,
            Self::File(_, path) => Some(path.clone()),
        }
    }

    /// Where it stands until it is whole.
    fn unfinished(&self) -> Option<PathBuf> {
        match self {
            Self::Stdout(..) => None,
            Self::File(file, _) => file.unfinished().map(Path::to_owned),
        }
    }

    fn is_terminal(&self) -> bool {
        matches!(self, Self::Stdout(_, true))
    }

    /// Shows what was written to whoever watches.
    fn show(&mut self) -> io::Result<()> {
        if self.is_terminal() { self.flush() } else { Ok(()) }
    }
}

impl Write for Out {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Stdout(out, _) => out.write(bytes),
            Self::File(file, _) => file.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Stdout(out, _) => out.flush(),
            Self::File(file, _) => file.flush(),
        }
    }
}

/// What was judged, a line for each target: `name@digest`, or the digest alone of an image without a name.
struct Digests;

impl Writer for Digests {
    fn begin(&mut self, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }

    fn image(&mut self, image: &ImageReport, out: &mut dyn Write) -> io::Result<()> {
        match (&image.digest, &image.repository) {
            (Some(digest), Some(repository)) => writeln!(out, "{repository}@{digest}"),
            (Some(digest), None) => writeln!(out, "{digest}"),
            (None, _) => Ok(()),
        }
    }

    fn end(&mut self, _: &Tally, _: &mut dyn Write) -> io::Result<()> {
        Ok(())
    }
}

/// The thread that writes.
pub(super) struct Writing {
    parts: mpsc::Sender<Part>,
    /// Files that are there only as long as the reports are not whole.
    unfinished: Vec<PathBuf>,
    status: oneshot::Receiver<ExitStatus>,
}

enum Part {
    Image(Box<ImageReport>),
    /// The end, with what is to be said about the run.
    End(Vec<Diagnostic>),
}

impl Writing {
    pub(super) fn start(mut reports: Reports) -> Result<Self, ExitStatus> {
        let unfinished = reports.sinks.iter().filter_map(|sink| sink.out.unfinished()).collect();
        let (parts, mut coming) = mpsc::channel(WAITING);
        let (ended, status) = oneshot::channel();
        let write = move || {
            while let Some(part) = coming.blocking_recv() {
                match part {
                    Part::Image(image) => reports.image(&image),
                    Part::End(remarks) => {
                        // Nobody listens only if the run was interrupted.
                        let _ = ended.send(reports.end(&remarks));
                        return;
                    }
                }
            }
            // Abandoned: the unfinished files go before it is said.
            drop(reports);
            drop(ended);
        };
        thread::Builder::new().name("reports".to_owned()).spawn(write).map_err(|error| {
            say(&format!("the program could not start the thread that writes its reports: {error}"), "");
            ExitStatus::Internal
        })?;
        Ok(Self { parts, unfinished, status })
    }

    /// Writes an image; waits while too many are waiting.
    pub(super) async fn image(&self, image: ImageReport) {
        // That the thread is gone is told by its status.
        let _ = self.parts.send(Part::Image(Box::new(image))).await;
    }

    /// Ends the reports with these remarks about the run; the status of the run.
    pub(super) async fn end(&mut self, remarks: Vec<Diagnostic>) -> ExitStatus {
        let _ = self.parts.send(Part::End(remarks)).await;
        (&mut self.status).await.unwrap_or(ExitStatus::Internal)
    }

    /// Leaves the reports unfinished: files are as they were before.
    pub(super) async fn abandon(self) {
        drop(self.parts);
        if timeout(TIDYING, self.status).await.is_err() {
            // The thread waits for a reader, and takes nothing away any more.
            for file in &self.unfinished {
                let _ = std::fs::remove_file(file);
            }
        }
    }
}
