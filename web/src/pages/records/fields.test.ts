import { expect, it } from 'vitest';
import type { CollectionField } from '@/api/types';
import { enteredFields, sentValue, valueProblem } from './fields';

function field(type: string, required = false): CollectionField {
  return { id: type, name: type, type, required };
}

it.each([
  ['text', '', undefined],
  ['text', 'a', 'a'],
  ['number', '4.5', 4.5],
  ['number', 0, 0],
  ['bool', false, false],
  ['json', '{"a":[1]}', { a: [1] }],
  ['select', null, undefined],
])('%s %j is sent as %j', (type, value, sent) => {
  expect(sentValue(field(type), value)).toEqual(sent);
});

it('says what cannot be sent', () => {
  expect(valueProblem(field('json'), '{')).toContain('JSON');
  expect(valueProblem(field('text', true), '')).toContain('required');
  expect(valueProblem(field('text'), '')).toBeNull();
});

it('asks for no field that the server fills', () => {
  const names = enteredFields([
    { id: '1', name: 'id', type: 'text' },
    field('text'),
    field('autodate'),
    field('relation'),
  ]);
  expect(names.map(({ name }) => name)).toEqual(['text']);
});
