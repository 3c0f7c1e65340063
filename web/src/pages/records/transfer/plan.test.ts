import { expect, it } from 'vitest';
import type { Collection } from '@/api/types';
import { planImport, readExport } from './plan';

const POSTS: Collection = {
  id: 'c1',
  name: 'posts',
  type: 'base',
  fields: [
    { id: 'f0', name: 'id', type: 'text', system: true },
    { id: 'f1', name: 'title', type: 'text', max: 10 },
    { id: 'f2', name: 'old', type: 'bool' },
  ],
  indexes: [],
  listRule: null,
  viewRule: null,
  createRule: null,
  updateRule: null,
  deleteRule: null,
};
const SYSTEM = { ...POSTS, id: 's', name: '_sys', system: true };
const OTHER = { ...POSTS, id: 'o', name: 'other' };

it('finds nothing to do in what is there', () => {
  expect(planImport([POSTS], [POSTS], true)).toEqual([{ name: 'posts', kind: 'same', lines: [] }]);
});

it('says what comes, changes and goes', () => {
  const next: Collection = {
    ...POSTS,
    listRule: '',
    fields: [
      { id: 'f0', name: 'id', type: 'text', system: true },
      { id: 'f1', name: 'headline', type: 'text', max: 20 },
      { id: 'f9', name: 'new', type: 'json' },
    ],
  };
  const added = { ...POSTS, id: 'n', name: 'fresh' };
  const plan = planImport([POSTS, SYSTEM, OTHER], [next, added], true);
  expect(plan.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
    'change posts',
    'add fresh',
    'delete other',
  ]);
  expect(plan[0]?.lines.map(({ sign, text }) => `${sign} ${text}`)).toEqual([
    '~ title.name: "title" → "headline"',
    '~ title.max: 10 → 20',
    '+ new: json',
    '- old: bool, with its values',
    '~ listRule: null → ""',
  ]);
});

it('deletes nothing unless asked to', () => {
  const next = { ...POSTS, fields: POSTS.fields.slice(0, 2) };
  expect(planImport([POSTS, OTHER], [next], false)).toEqual([
    { name: 'posts', kind: 'same', lines: [] },
  ]);
});

it('reads a list and what holds one, and nothing else', () => {
  expect(readExport(JSON.stringify([POSTS]))).toHaveLength(1);
  expect(readExport(JSON.stringify({ collections: [POSTS] }))).toHaveLength(1);
  expect(() => readExport('[1]')).toThrow('no export');
  expect(() => readExport('{"a":1}')).toThrow('no export');
  expect(() => readExport('{')).toThrow(SyntaxError);
});
