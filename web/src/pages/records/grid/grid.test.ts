import { expect, it } from 'vitest';
import type { Collection, CollectionField, FieldType } from '@/api/types';
import { columnFields, defaultColumns } from './columns';
import { toCsv } from './export';
import { effectiveFilter, nextSort } from './state';

function field(name: string, type: FieldType, hidden = false): CollectionField {
  return { id: name, name, type, hidden };
}

const POSTS = {
  fields: [
    field('id', 'text'),
    field('title', 'text'),
    field('body', 'editor'),
    field('secret', 'text', true),
    field('password', 'password'),
    field('when', 'date'),
    field('created', 'autodate'),
    field('updated', 'autodate'),
  ],
} as Collection;

it.each([
  ['', ''],
  ["title = 'a'", "title = 'a'"],
  ["title = 'a", "title = 'a"],
  ['whale', "(id ~ 'whale' || title ~ 'whale' || body ~ 'whale')"],
  ["it's", "(id ~ 'it\\'s' || title ~ 'it\\'s' || body ~ 'it\\'s')"],
])('%s is looked for as %s', (text, filter) => {
  expect(effectiveFilter(text, POSTS)).toBe(filter);
});

it('goes through the orders of a column', () => {
  expect(nextSort('', 'a')).toBe('a');
  expect(nextSort('a', 'a')).toBe('-a');
  expect(nextSort('-a', 'a')).toBe('');
  expect(nextSort('-a', 'b')).toBe('b');
});

it('chooses columns that tell something', () => {
  expect(defaultColumns(POSTS)).toEqual(['title', 'when', 'created']);
  expect(columnFields(POSTS).map(({ name }) => name)).not.toContain('password');
});

it('writes CSV that no spreadsheet runs', () => {
  const rows = [
    { id: '1', a: 'x,"y"', b: -4 },
    { id: '2', a: '=1+1', b: null },
    { id: '3', a: 'two\nlines', b: { c: [1] } },
  ];
  expect(toCsv(['id', 'a', 'b'], rows)).toBe(
    'id,a,b\r\n1,"x,""y""",-4\r\n2,\'=1+1,\r\n3,"two\nlines","{""c"":[1]}"\r\n',
  );
});
