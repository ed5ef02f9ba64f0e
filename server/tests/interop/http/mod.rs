//! curl, by the examples of the documentation, and what programs make of the OpenAPI document.

mod documentation;
mod generated;
