//! Rebuilds the role when the built application changes: a file that is new in `web/dist` is
//! otherwise not noticed. It builds nothing of the application itself.

fn main() {
    println!("cargo:rerun-if-changed=../../web/dist");
}
