import { describe, expect, it } from 'vitest';
import type { Collection } from '@/api/types';
import {
  addField,
  bodyOf,
  changeField,
  changesOf,
  copyOf,
  draftOf,
  duplicateField,
  errorsOf,
  isChanged,
  moveField,
  removeField,
} from './draft';
import { buildIndex, parseIndex, renameInIndex } from './indexes';

const POSTS: Collection = {
  id: 'c1',
  name: 'posts',
  type: 'base',
  fields: [
    { id: 'f0', name: 'id', type: 'text', system: true },
    { id: 'f1', name: 'title', type: 'text' },
    { id: 'f2', name: 'tags', type: 'select', values: ['a'], maxSelect: 3 },
    { id: 'f3', name: 'created', type: 'autodate' },
  ],
  indexes: ['CREATE UNIQUE INDEX `i1` ON `posts` (`title`)', 'CREATE INDEX i2 ON posts (tags)'],
  listRule: null,
  viewRule: null,
  createRule: null,
  updateRule: null,
  deleteRule: null,
};

describe('indexes', () => {
  it.each([
    ['CREATE INDEX a ON b (c)', { name: 'a', unique: false, columns: ['c'], where: '' }],
    [
      'create unique index if not exists `a` on `b` (\n `c` COLLATE NOCASE,\n lower(`d`) DESC) where `c` != (1)',
      {
        name: 'a',
        unique: true,
        columns: ['c COLLATE NOCASE', 'lower(`d`) DESC'],
        where: '`c` != (1)',
      },
    ],
    ['CREATE INDEX `a` ON `` (`c`)', { name: 'a', unique: false, columns: ['c'], where: '' }],
    ['DROP TABLE x', null],
  ])('reads %s', (sql, expected) => {
    expect(parseIndex(sql)).toEqual(expected);
  });

  it('writes what it reads', () => {
    const sql = 'CREATE UNIQUE INDEX `a` ON `t` (`c` COLLATE NOCASE, lower(d)) WHERE c > 1';
    expect(buildIndex(parseIndex(sql) as never, 't')).toBe(sql);
  });

  it('renames whole words alone', () => {
    const sql = "CREATE INDEX `a` ON `t` (`c`, cc) WHERE c != 'c'";
    expect(renameInIndex(sql, 't', 'c', 'x')).toBe(
      "CREATE INDEX `a` ON `t` (`x`, `cc`) WHERE x != 'c'",
    );
  });
});

it('sends what it was given', () => {
  expect(bodyOf(draftOf(POSTS))).toEqual(POSTS);
  expect(isChanged(draftOf(POSTS), draftOf(POSTS))).toBe(false);
});

it('adds fields before the dates, with names that are free', () => {
  const [one] = addField(draftOf(POSTS), 'text');
  const [two, field] = addField(one, 'select');
  expect(two.fields.map(({ name }) => name)).toEqual([
    'id',
    'title',
    'tags',
    'field',
    'field2',
    'created',
  ]);
  expect(field).toMatchObject({ values: [], maxSelect: 1 });
});

it('renames a field in its indexes', () => {
  const draft = changeField(draftOf(POSTS), 'f1', { name: 'headline' });
  expect(draft.indexes[0]).toContain('(`headline`)');
  expect(draft.indexes[1]).toBe(POSTS.indexes[1]);
});

it('removes a stored field visibly and a new one at once', () => {
  const draft = removeField(draftOf(POSTS), 'f1');
  expect(draft.fields[1]?.removed).toBe(true);
  expect(draft.indexes).toHaveLength(1);
  expect(bodyOf(draft).fields.map(({ name }) => name)).not.toContain('title');
  const [added, field] = addField(draft, 'bool');
  expect(removeField(added, field.key).fields).toHaveLength(4);
});

it('moves and copies fields', () => {
  const moved = moveField(draftOf(POSTS), 'f2', 1);
  expect(moved.fields.map(({ name }) => name)).toEqual(['id', 'tags', 'title', 'created']);
  expect(moveField(moved, 'f2', 9)).toBe(moved);
  const copied = duplicateField(moved, 'f2');
  expect(copied.fields[2]).toMatchObject({ id: '', name: 'tags2', maxSelect: 3 });
});

it('copies a collection with other index names', () => {
  const copy = copyOf(POSTS, 'posts2');
  expect(copy).toMatchObject({ id: '', name: 'posts2' });
  expect(parseIndex(copy.indexes[0] ?? '')?.name).not.toBe('i1');
});

it('puts errors at the fields that were sent', () => {
  const draft = removeField(draftOf(POSTS), 'f1');
  const messages = { 'fields.1.values': 'Cannot be blank.', name: 'Bad.' };
  expect(errorsOf(draft, messages)).toEqual({
    'field:f2.values': 'Cannot be blank.',
    name: 'Bad.',
  });
});

it('says what is lost', () => {
  let draft = removeField(draftOf(POSTS), 'f1');
  draft = changeField(draft, 'f2', { maxSelect: 1, name: 'tag' });
  draft = { ...addField(draft, 'bool')[0], listRule: '' };
  const changes = changesOf(POSTS, draft);
  expect(changes.map(({ danger }) => danger)).toEqual([true, true, true, false, true]);
  expect(changes.map(({ text }) => text).join(' ')).toMatch(
    /Delete the field title.*tags to tag.*one value.*Add the field field.*everybody: list/,
  );
});
