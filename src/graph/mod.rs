//! What is known about one image: the manifest graph as far as it was asked for, and why the rest is not known.
//!
//! Rules look at it through a [`View`], the one door to facts. A fact is known, could not be known ([`Why`]), or was not
//! asked for yet; the last suspends whoever asks, and the walk fetches what was asked for ([`Demand`]).

mod entries;
mod explore;
mod facts;
mod runnable;
mod tree;
mod view;
mod why;

pub use entries::{Entry, Excluded, Nature, Place, Subject, Subjects};
pub use explore::everything;
pub use facts::{Demand, Fetched, Graph, Home, Known, LayerHead, ReferrerList, Root, RootKind, Tagged};
pub(crate) use runnable::not_runnable;
pub use tree::{GraphNode, tree};
pub use view::{Fact, Facts, Stop, View, contradicted_type, unambiguous};
pub use why::{Cause, Why};
