//! Where the commands go, and collections cut into commands of a bearable length.

use bytes::Bytes;

use super::Emit;

/// How many elements (pairs count once) a command has at most; Redis's own rewrite uses 64 too.
const ELEMENTS_A_COMMAND: usize = 64;

/// The receiver and the database that is being read.
pub(super) struct Target<'a, 'b> {
    emit: &'a mut Emit<'b>,
    pub(super) db: u32,
    /// How many commands it took.
    pub(super) commands: u64,
}

impl<'a, 'b> Target<'a, 'b> {
    pub(super) fn new(emit: &'a mut Emit<'b>) -> Self {
        Self {
            emit,
            db: 0,
            commands: 0,
        }
    }

    /// Shows a command; the error is the receiver's message.
    pub(super) fn send(&mut self, command: Vec<Bytes>) -> Result<(), String> {
        (self.emit)(self.db, command)?;
        self.commands += 1;
        Ok(())
    }
}

/// A collection on its way: its elements leave in several commands.
pub(super) struct Batch {
    name: &'static str,
    key: Bytes,
    command: Vec<Bytes>,
    elements: usize,
    sent: u64,
}

impl Batch {
    pub(super) fn new(name: &'static str, key: &Bytes) -> Self {
        Self {
            name,
            key: key.clone(),
            command: Vec::new(),
            elements: 0,
            sent: 0,
        }
    }

    /// Adds an element: one argument, or two for a pair.
    pub(super) fn add<const N: usize>(
        &mut self,
        element: [Bytes; N],
        target: &mut Target<'_, '_>,
    ) -> Result<(), String> {
        if self.command.is_empty() {
            self.command.push(Bytes::from_static(self.name.as_bytes()));
            self.command.push(self.key.clone());
        }
        self.command.extend(element);
        self.elements += 1;
        if self.elements == ELEMENTS_A_COMMAND {
            self.send(target)?;
        }
        Ok(())
    }

    fn send(&mut self, target: &mut Target<'_, '_>) -> Result<(), String> {
        if self.elements > 0 {
            target.send(std::mem::take(&mut self.command))?;
            self.sent += self.elements as u64;
            self.elements = 0;
        }
        Ok(())
    }

    /// Sends the rest; how many elements there were.
    pub(super) fn finish(mut self, target: &mut Target<'_, '_>) -> Result<u64, String> {
        self.send(target)?;
        Ok(self.sent)
    }
}
