//! The command line from outside: exit codes, key words and JSON fields, on real homes.

#[cfg(test)]
mod broken_grant;
#[cfg(test)]
mod crossvault;
mod damage;
mod demo;
#[cfg(test)]
mod directory;
#[cfg(test)]
mod explain;
mod help;
mod isolation;
#[cfg(test)]
mod offboarding;
#[cfg(test)]
mod policy;
#[cfg(test)]
mod proofs;
mod refusals;
mod served;
mod story;
