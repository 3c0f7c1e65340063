//! Comes with its commands.

#[derive(Clone, Debug, Default)]
pub(crate) struct Stream;

impl Stream {
    pub(crate) fn len(&self) -> usize {
        0
    }

    pub(crate) fn is_empty(&self) -> bool {
        true
    }

    pub(crate) fn memory_bytes(&self) -> u64 {
        0
    }

    pub(crate) fn write_commands(&self, _: &[u8], _: &mut Vec<u8>) {}
}
