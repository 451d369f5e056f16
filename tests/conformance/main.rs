//! One suite a port: what every platform's implementation must do, run against those that run
//! on one machine.

#[cfg(test)]
mod codec;
#[cfg(test)]
mod home;
#[cfg(test)]
mod model;
#[cfg(test)]
mod place;
#[cfg(test)]
mod records;
#[cfg(test)]
mod sqlite;
#[cfg(test)]
mod store;
