//! What is known of a stream beside its entries, shown and set.

use bytes::Bytes;

use super::shown;
use crate::{
    commands::{
        Flags, Keys, Spec,
        options::{integer, is, value},
        strings::count,
    },
    context::Context,
    data::stream::{Stream, StreamId},
    fault::Fault,
    resp::Reply,
};

pub(crate) const TABLE: &[Spec] = &[
    Spec {
        name: "xsetid",
        arity: -3,
        flags: Flags::WRITE.and(Flags::DENY_OOM).and(Flags::FAST),
        keys: Keys::FIRST,
        run: xsetid,
    },
    Spec {
        name: "xinfo",
        arity: -2,
        flags: Flags::READ_ONLY,
        keys: Keys::range(2, 2, 1),
        run: xinfo,
    },
];

fn xsetid(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    let id = StreamId::parse(&args[2], 0)?;
    let (mut added, mut deleted) = (None, None);
    let mut rest = args[3..].iter();
    while let Some(word) = rest.next() {
        if is(word, "ENTRIESADDED") && rest.len() > 0 {
            let number = integer(&mut rest)?;
            added = Some(
                u64::try_from(number)
                    .map_err(|_| Fault::error("ERR entries_added must be positive"))?,
            );
        } else if is(word, "MAXDELETEDID") && rest.len() > 0 {
            let greatest = StreamId::parse(value(&mut rest)?, 0)?;
            if id < greatest {
                return Err(Fault::error(
                    "ERR The ID specified in XSETID is smaller than the provided max_deleted_entry_id",
                ));
            }
            deleted = Some(greatest);
        } else {
            return Err(Fault::SYNTAX);
        }
    }
    let stream = cx.read::<Stream>(&args[1])?.ok_or(Fault::NO_SUCH_KEY)?;
    if id < stream.max_deleted_id {
        return Err(Fault::error(
            "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
        ));
    }
    if stream.last().is_some_and(|(last, _)| id < last) {
        return Err(Fault::error(
            "ERR The ID specified in XSETID is smaller than the target stream top item",
        ));
    }
    if added.is_some_and(|added| added < stream.len() as u64) {
        return Err(Fault::error(
            "ERR The entries_added specified in XSETID is smaller than the target stream length",
        ));
    }
    if let Some(stream) = cx.write::<Stream>(&args[1])? {
        stream.last_id = id;
        stream.entries_added = added.unwrap_or(stream.entries_added);
        stream.max_deleted_id = deleted
            .filter(|deleted| *deleted != StreamId::MIN)
            .unwrap_or(stream.max_deleted_id);
    }
    cx.changed(&args[1]);
    Ok(Reply::OK)
}

fn xinfo(cx: &mut Context<'_>, args: &[Bytes]) -> Result<Reply, Fault> {
    if !is(&args[1], "STREAM") || args.len() != 3 {
        let name = String::from_utf8_lossy(&args[1]).into_owned();
        return Err(Fault::error(format!(
            "ERR unknown subcommand or wrong number of arguments for '{name}'. Try XINFO HELP."
        )));
    }
    let stream = cx.read::<Stream>(&args[2])?.ok_or(Fault::NO_SUCH_KEY)?;
    let id = |id: StreamId| Reply::bulk(id.to_string());
    let entry = |entry: Option<(StreamId, &Bytes)>| {
        entry.map_or(Reply::Nil, |(id, entry)| shown(id, entry))
    };
    let first = stream.first().map_or(StreamId::MIN, |(id, _)| id);
    // The tree's shape is Redis's own; here a key of it stands for a hundred entries.
    let nodes = stream.len().div_ceil(100);
    let added = usize::try_from(stream.entries_added).unwrap_or(usize::MAX);
    let fields = [
        ("length", count(stream.len())),
        ("radix-tree-keys", count(nodes)),
        ("radix-tree-nodes", count(nodes + 1)),
        ("last-generated-id", id(stream.last_id)),
        ("max-deleted-entry-id", id(stream.max_deleted_id)),
        ("entries-added", count(added)),
        ("recorded-first-entry-id", id(first)),
        ("groups", count(0)),
        ("first-entry", entry(stream.first())),
        ("last-entry", entry(stream.last())),
    ];
    let pairs = fields
        .into_iter()
        .map(|(name, value)| (Reply::bulk(name), value));
    Ok(Reply::Map(pairs.collect()))
}
