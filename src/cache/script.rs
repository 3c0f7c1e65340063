//! Stand-in until scripting comes.
use crate::resp::Reply;
use bytes::Bytes;
pub(crate) struct Limits {
    pub(crate) memory_bytes: usize,
    pub(crate) time: std::time::Duration,
}
#[derive(Debug)]
pub(crate) struct Scripts;
#[derive(Debug, thiserror::Error)]
#[error("no")]
pub(crate) struct Error;
impl Scripts {
    pub(crate) fn new(_: Limits) -> Result<Self, Error> {
        Ok(Self)
    }
    pub(crate) fn load(&mut self, _: &Bytes) -> Result<String, Reply> {
        Err(Reply::error("no"))
    }
    pub(crate) fn exists(&self, _: &[u8]) -> bool {
        false
    }
    pub(crate) fn flush(&mut self) {}
    pub(crate) fn eval(
        &mut self,
        _: &Bytes,
        _: &[Bytes],
        _: &[Bytes],
        _: &mut dyn FnMut(&[Bytes]) -> Reply,
    ) -> Reply {
        Reply::error("no")
    }
    pub(crate) fn eval_sha(
        &mut self,
        _: &[u8],
        _: &[Bytes],
        _: &[Bytes],
        _: &mut dyn FnMut(&[Bytes]) -> Reply,
    ) -> Reply {
        Reply::error("no")
    }
}
