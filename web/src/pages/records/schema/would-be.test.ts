import { expect, test } from 'vitest';
import type { Collection, CollectionField } from '@/api/types';
import { parseObject, recordSkeleton } from './would-be';

test('a skeleton has what a request may send, with empty values of the right type', () => {
  const field = (type: CollectionField['type'], name: string = type, more = {}) => ({
    id: name,
    name,
    type,
    ...more,
  });
  const fields = [
    field('text', 'id'),
    field('text', 'title'),
    field('bool'),
    field('number'),
    field('json'),
    field('geoPoint'),
    field('select', 'one', { maxSelect: 1 }),
    field('relation', 'many', { maxSelect: 3 }),
    field('file'),
    field('autodate'),
    field('password'),
    field('text', 'tokenKey'),
  ];
  expect(recordSkeleton({ fields } as Collection)).toEqual({
    title: '',
    bool: false,
    number: 0,
    json: null,
    geoPoint: { lon: 0, lat: 0 },
    one: '',
    many: [],
  });
});

test.each([
  ['', {}],
  ['  ', {}],
  ['{"a": 1}', { a: 1 }],
  ['[1]', null],
  ['null', null],
  ['"a"', null],
  ['{', null],
])('the object of %j', (text, expected) => {
  expect(parseObject(text)).toEqual(expected);
});
