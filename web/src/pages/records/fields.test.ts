import { expect, it } from 'vitest';
import type { CollectionField } from '@/api/types';
import {
  changedFields,
  changes,
  enteredFields,
  formValue,
  isLong,
  sentValue,
  valueProblem,
} from './fields';

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

const TAGS: CollectionField = { ...field('select', true), values: ['a', 'b'], maxSelect: 2 };

it.each([
  [field('text'), 'a', 'a'],
  [field('text'), null, ''],
  [field('json'), { a: [1] }, '{\n  "a": [\n    1\n  ]\n}'],
  [field('json'), null, ''],
  [field('bool'), undefined, false],
  [field('number'), 0, 0],
  [TAGS, ['a'], ['a']],
  [TAGS, null, []],
])('%o %j is shown as %j', (shown, value, expected) => {
  expect(formValue(shown, value)).toEqual(expected);
});

it('wants a value of a required list', () => {
  expect(valueProblem(TAGS, [])).toContain('required');
  expect(valueProblem(TAGS, ['a'])).toBeNull();
});

it('sends what was changed alone, and null for what was emptied', () => {
  const fields = [field('text'), field('number'), field('json'), field('bool'), TAGS];
  const before = { text: 'a', number: 4, json: '[1]', bool: true, select: ['a'] };
  expect(changes(fields, before, before)).toEqual({});
  const after = { text: '', number: '', json: '[2]', bool: false, select: ['a', 'b'] };
  expect(changes(fields, before, after)).toEqual({
    text: null,
    number: null,
    json: [2],
    bool: false,
    select: ['a', 'b'],
  });
});

it('changes no password and nothing that is not shown', () => {
  const fields = [field('text'), field('password'), field('email'), field('relation')];
  const names = changedFields(fields, { id: '1', text: 'a', password: '', relation: 'b' });
  expect(names.map(({ name }) => name)).toEqual(['text']);
});

it.each([
  ['', false],
  ['a line', false],
  ['a\nb', true],
  ['a'.repeat(100), true],
  [7, false],
])('%j needs more than a line: %s', (value, expected) => {
  expect(isLong(value)).toBe(expected);
});
