//! The walk.
/// x
#[derive(Debug)] pub struct Walk; 
/// x
#[derive(Debug)] pub struct Budget;
