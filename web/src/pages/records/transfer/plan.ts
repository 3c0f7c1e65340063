/** What an import of collections would do. */

import type { Collection, CollectionField } from '@/api/types';

export interface PlannedChange {
  name: string;
  kind: 'add' | 'change' | 'delete' | 'same';
  /** The differences in words; a minus loses data. */
  lines: { sign: '+' | '-' | '~'; text: string }[];
}

/** The collections of an export: a list, or an object that holds one. */
export function readExport(text: string): Collection[] {
  const value: unknown = JSON.parse(text);
  const list = Array.isArray(value)
    ? value
    : ((value as { collections?: unknown } | null)?.collections ?? null);
  if (!Array.isArray(list) || !list.every(isCollection)) {
    throw new SyntaxError(
      'This is no export of collections: a list of objects with name and fields.',
    );
  }
  return list;
}

function isCollection(value: unknown): value is Collection {
  const { name, fields, type } = (value ?? {}) as Partial<Collection>;
  return typeof name === 'string' && (Array.isArray(fields) || type === 'view');
}

/** Compares an export with what is there. */
export function planImport(
  present: Collection[],
  imported: Collection[],
  deleteMissing: boolean,
): PlannedChange[] {
  const changes = imported.map((next): PlannedChange => {
    const before = present.find((one) => one.id === next.id || one.name === next.name);
    if (!before) {
      const lines = (next.fields ?? []).map((field) => plus(field));
      return { name: next.name, kind: 'add', lines };
    }
    const lines = differences(before, next, deleteMissing);
    return { name: next.name, kind: lines.length > 0 ? 'change' : 'same', lines };
  });
  if (deleteMissing) {
    for (const { id, name, system } of present) {
      if (!system && !imported.some((one) => one.id === id || one.name === name)) {
        const text = 'the collection with all its records';
        changes.push({ name, kind: 'delete', lines: [{ sign: '-', text }] });
      }
    }
  }
  return changes;
}

function plus({ name, type }: CollectionField): PlannedChange['lines'][number] {
  return { sign: '+', text: `${name}: ${type}` };
}

function differences(before: Collection, next: Collection, deleteMissing: boolean) {
  const lines: PlannedChange['lines'] = [];
  if (before.name !== next.name) {
    lines.push({ sign: '~', text: `name: ${before.name} → ${next.name}` });
  }
  const nextFields = next.fields ?? [];
  for (const field of nextFields) {
    const old =
      before.fields.find((one) => one.id === field.id) ??
      before.fields.find((one) => one.name === field.name);
    if (!old) {
      lines.push(plus(field));
    } else {
      lines.push(...fieldLines(old, field));
    }
  }
  for (const old of before.fields) {
    const stays = nextFields.some(({ id, name }) => id === old.id || name === old.name);
    // Without deleteMissing, what the export does not have is kept.
    if (!stays && deleteMissing && !old.system && next.type !== 'view') {
      lines.push({ sign: '-', text: `${old.name}: ${old.type}, with its values` });
    }
  }
  return [...lines, ...optionLines(before, next)];
}

function fieldLines(old: CollectionField, field: CollectionField): PlannedChange['lines'] {
  const names = new Set([...Object.keys(old), ...Object.keys(field)]) as Set<keyof CollectionField>;
  names.delete('id');
  return [...names].flatMap((name) => {
    const was = JSON.stringify(old[name]);
    const is = JSON.stringify(field[name]);
    const known = field[name] !== undefined;
    return known && was !== is
      ? [{ sign: '~' as const, text: `${old.name}.${name}: ${was ?? 'nothing'} → ${is}` }]
      : [];
  });
}

const SKIPPED = new Set(['id', 'name', 'fields', 'created', 'updated', 'system']);
const SHOWN_LENGTH = 160;

function optionLines(before: Collection, next: Collection): PlannedChange['lines'] {
  return (Object.keys(next) as (keyof Collection)[]).flatMap((name) => {
    const was = JSON.stringify(before[name]);
    const is = JSON.stringify(next[name]);
    if (SKIPPED.has(name) || was === is) {
      return [];
    }
    return [{ sign: '~' as const, text: `${name}: ${short(was)} → ${short(is)}` }];
  });
}

function short(text: string | undefined): string {
  if (text === undefined) {
    return 'nothing';
  }
  return text.length > SHOWN_LENGTH ? `${text.slice(0, SHOWN_LENGTH)}…` : text;
}
