//! mito
