//! What people ask of Crossvault, and what comes of it: commands go in, answers and rows come out.

#[cfg(test)]
mod accounts;
#[cfg(test)]
mod audit;
#[cfg(test)]
mod bindings;
#[cfg(test)]
mod causes;
#[cfg(test)]
mod cloud;
#[cfg(test)]
mod hearing;
#[cfg(test)]
mod isolation;
#[cfg(test)]
mod jobs;
#[cfg(test)]
mod kinds;
#[cfg(test)]
mod offboarding;
#[cfg(test)]
mod once;
#[cfg(test)]
mod points;
#[cfg(test)]
mod policies;
#[cfg(test)]
mod vaults;
