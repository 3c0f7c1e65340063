//! Files made by a small writer.

use super::*;
