/** A collection while it is edited, and what saving it would change. */

import type { Collection, CollectionField, FieldType } from '@/api/types';
import { FIELD_TYPES } from './field-types';
import { buildIndex, mentions, newIndexName, parseIndex, renameInIndex } from './indexes';
import { RULES } from './rules';

/** A field with a key that stays while it is renamed and moved. */
export interface DraftField extends CollectionField {
  key: string;
  /** Marked for removal; it can be brought back until it is saved. */
  removed?: boolean;
}

export interface Draft extends Omit<Collection, 'fields'> {
  fields: DraftField[];
}

/** A change in words; a danger loses data or opens something to everybody. */
export interface Change {
  text: string;
  danger: boolean;
}

let keys = 0;

function nextKey(): string {
  keys += 1;
  return `new-${keys}`;
}

/** The draft of a collection as it is stored. */
export function draftOf(collection: Collection): Draft {
  return {
    ...collection,
    fields: collection.fields.map((field) => ({ ...field, key: field.id || nextKey() })),
  };
}

/** The draft of a new collection with the structure of another one. */
export function copyOf(collection: Collection, name: string): Draft {
  const draft = draftOf(collection);
  return {
    ...draft,
    id: '',
    name,
    system: false,
    indexes: draft.indexes.map((sql) => {
      const index = parseIndex(sql);
      // Names of indexes are unique in the whole database.
      return index ? buildIndex({ ...index, name: newIndexName() }, name) : sql;
    }),
  };
}

/** The body that saves a draft. */
export function bodyOf(draft: Draft): Omit<Collection, 'created' | 'updated'> {
  const { created: _created, updated: _updated, fields, ...rest } = draft;
  return { ...rest, fields: keptFields(draft, fields) };
}

function keptFields(draft: Draft, fields: DraftField[]): CollectionField[] {
  if (draft.type === 'view') {
    return [];
  }
  return fields
    .filter(({ removed }) => !removed)
    .map(({ key: _key, removed: _removed, ...field }) => field);
}

/** The server's messages by the fields' keys: `fields.2.name` becomes `field:KEY.name`. */
export function errorsOf(draft: Draft, messages: Readonly<Record<string, string>>) {
  const sent = draft.fields.filter(({ removed }) => !removed);
  return Object.fromEntries(
    Object.entries(messages).map(([path, message]) => {
      const found = /^fields\.(\d+)\.(.+)$/.exec(path);
      const field = found && sent[Number(found[1])];
      return [field ? `field:${field.key}.${found[2]}` : path, message];
    }),
  );
}

/** Adds a field of a type at the end, before the dates that the server sets. */
export function addField(draft: Draft, type: FieldType): [Draft, DraftField] {
  const field: DraftField = {
    key: nextKey(),
    id: '',
    name: freeName(draft, type === 'autodate' ? 'changed' : 'field'),
    type,
    hidden: false,
    presentable: false,
    required: false,
    system: false,
    ...FIELD_TYPES[type].defaults,
  };
  const dates = draft.fields.findIndex((one) => one.type === 'autodate');
  const at = type === 'autodate' || dates < 0 ? draft.fields.length : dates;
  return [{ ...draft, fields: draft.fields.toSpliced(at, 0, field) }, field];
}

function freeName(draft: Draft, wanted: string): string {
  const taken = new Set(draft.fields.map(({ name }) => name.toLowerCase()));
  let name = wanted;
  for (let number = 2; taken.has(name.toLowerCase()); number += 1) {
    name = `${wanted}${number}`;
  }
  return name;
}

/** Changes a field; a new name moves into the indexes as well. */
export function changeField(draft: Draft, key: string, values: Partial<DraftField>): Draft {
  const before = draft.fields.find((field) => field.key === key);
  const fields = draft.fields.map((field) => (field.key === key ? { ...field, ...values } : field));
  const to = values.name;
  if (!before || to === undefined || to === '' || !/^\w+$/.test(before.name)) {
    return { ...draft, fields };
  }
  const indexes = draft.indexes.map((sql) => renameInIndex(sql, draft.name, before.name, to));
  return { ...draft, fields, indexes };
}

/** Copies a field to the place after it. */
export function duplicateField(draft: Draft, key: string): Draft {
  const at = draft.fields.findIndex((field) => field.key === key);
  const field = draft.fields[at];
  if (!field) {
    return draft;
  }
  const copy = {
    ...field,
    key: nextKey(),
    id: '',
    system: false,
    name: freeName(draft, field.name),
  };
  return { ...draft, fields: draft.fields.toSpliced(at + 1, 0, copy) };
}

/** Marks a stored field as removed, or forgets one that was never stored, with its indexes. */
export function removeField(draft: Draft, key: string): Draft {
  const field = draft.fields.find((one) => one.key === key);
  if (!field) {
    return draft;
  }
  const indexes = draft.indexes.filter((sql) => {
    const index = parseIndex(sql);
    return !index || !mentions(index, field.name);
  });
  const fields = field.id
    ? draft.fields.map((one) => (one.key === key ? { ...one, removed: true } : one))
    : draft.fields.filter((one) => one.key !== key);
  return { ...draft, fields, indexes };
}

/** Moves a field to another place. */
export function moveField(draft: Draft, key: string, to: number): Draft {
  const from = draft.fields.findIndex((field) => field.key === key);
  const field = draft.fields[from];
  if (!field || to < 0 || to >= draft.fields.length || to === from) {
    return draft;
  }
  return { ...draft, fields: draft.fields.toSpliced(from, 1).toSpliced(to, 0, field) };
}

/** Whether anything would be saved. */
export function isChanged(before: Draft, after: Draft): boolean {
  return JSON.stringify(before) !== JSON.stringify(after);
}

/** What saving `after` in place of `before` does. */
export function changesOf(before: Collection, after: Draft): Change[] {
  const changes: Change[] = [];
  if (before.name !== after.name) {
    changes.push({
      text: `Rename the collection ${before.name} to ${after.name}. Clients that use the old name fail.`,
      danger: true,
    });
  }
  const kept = new Map(after.fields.map((field) => [field.id, field]));
  for (const field of before.fields) {
    changes.push(...fieldChanges(field, kept.get(field.id)));
  }
  for (const field of after.fields.filter(({ id, removed }) => !id && !removed)) {
    changes.push({ text: `Add the field ${field.name}.`, danger: false });
  }
  for (const { name, label } of RULES) {
    if (before[name] !== after[name] && after[name] === '') {
      changes.push({ text: `Open to everybody: ${label.toLowerCase()}.`, danger: true });
    }
  }
  return changes;
}

function fieldChanges(before: CollectionField, after: DraftField | undefined): Change[] {
  if (!after || after.removed) {
    return [
      { text: `Delete the field ${before.name} with its values in all records.`, danger: true },
    ];
  }
  const changes: Change[] = [];
  if (before.name !== after.name) {
    changes.push({
      text: `Rename the field ${before.name} to ${after.name}. Clients that use the old name fail.`,
      danger: true,
    });
  }
  if ((before.maxSelect ?? 0) > 1 && (after.maxSelect ?? 0) <= 1) {
    changes.push({ text: `${after.name} keeps one value of several.`, danger: true });
  }
  return changes;
}
