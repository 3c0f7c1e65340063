//! Comes with its commands.

#[derive(Clone, Debug, Default)]
pub(crate) struct Set;

impl Set {
    pub(crate) fn len(&self) -> usize {
        0
    }

    pub(crate) fn is_empty(&self) -> bool {
        true
    }

    pub(crate) fn memory_bytes(&self) -> u64 {
        0
    }

    pub(crate) fn contains(&self, _member: &[u8]) -> bool {
        false
    }

    pub(crate) fn iter(&self) -> std::iter::Empty<&bytes::Bytes> {
        std::iter::empty()
    }
}
