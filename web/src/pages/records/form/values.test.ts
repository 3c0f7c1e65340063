import { describe, expect, it } from 'vitest';
import type { Collection, CollectionField, FieldType } from '@/api/types';
import {
  bodyOf,
  type FileValue,
  formFields,
  fromLocalInput,
  initialValues,
  toLocalInput,
  valueProblems,
} from './values';

function field(type: FieldType, more: Partial<CollectionField> = {}): CollectionField {
  return { id: type, name: type, type, ...more };
}

const ALL = [
  field('text'),
  field('number'),
  field('bool'),
  field('json'),
  field('date'),
  field('geoPoint'),
  field('select', { maxSelect: 3, values: ['a', 'b'] }),
  field('relation'),
  field('file', { maxSelect: 2 }),
];

const RECORD = {
  id: 'r1',
  text: 'a',
  number: 4,
  bool: true,
  json: { a: [1] },
  date: '2026-01-02 03:04:05.678Z',
  geoPoint: { lon: 1, lat: 2 },
  select: ['a'],
  relation: 'x',
  file: ['one.png'],
};

function change(values: Record<string, unknown>, isNew = false) {
  const before = initialValues(ALL, isNew ? null : RECORD);
  return bodyOf(ALL, before, { ...before, ...values }, isNew);
}

it.each<[Record<string, unknown>, unknown]>([
  [{}, null],
  [{ text: '' }, { text: '' }],
  [{ number: '' }, { number: null }],
  [{ number: 0 }, { number: 0 }],
  [{ bool: false }, { bool: false }],
  [{ json: '' }, { json: null }],
  [{ json: '[2]' }, { json: [2] }],
  [{ select: [] }, { select: [] }],
  [{ relation: '' }, { relation: '' }],
  [{ geoPoint: { lon: 1, lat: 3 } }, { geoPoint: { lon: 1, lat: 3 } }],
])('a change of %j is sent as %j', (values, body) => {
  expect(change(values)).toEqual(body);
});

it('sends nothing of an empty new record', () => {
  expect(change({}, true)).toEqual({});
});

it('sends a password with its repetition', () => {
  const fields = [field('password')];
  const before = initialValues(fields, null);
  const body = bodyOf(fields, before, { password: 'secret', passwordConfirm: 'secret' }, true);
  expect(body).toEqual({ password: 'secret', passwordConfirm: 'secret' });
});

describe('files', () => {
  const added = new File(['x'], 'two.png');

  it('go as a form with the rest as JSON', () => {
    const files: FileValue = { stored: ['one.png'], removed: ['one.png'], added: [added] };
    const form = change({ file: files, text: 'b' }) as FormData;
    expect([...form.keys()]).toEqual(['@jsonPayload', 'file+']);
    expect(JSON.parse(String(form.get('@jsonPayload')))).toEqual({
      text: 'b',
      'file-': ['one.png'],
    });
  });

  it('are replaced and removed where there is one alone', () => {
    const one = [field('file', { maxSelect: 1 })];
    const before = initialValues(one, { id: 'r', file: 'one.png' });
    const replaced = { file: { stored: ['one.png'], removed: ['one.png'], added: [added] } };
    const form = bodyOf(one, before, replaced, false) as FormData;
    expect([...form.keys()]).toEqual(['@jsonPayload', 'file']);
    const removed = { file: { stored: ['one.png'], removed: ['one.png'], added: [] } };
    expect(bodyOf(one, before, removed, false)).toEqual({ file: '' });
  });
});

it.each<[CollectionField, unknown, string | undefined]>([
  [field('json'), '{', 'This is not JSON.'],
  [field('json'), '', undefined],
  [field('text', { required: true }), '', 'This field is required.'],
  [field('text', { required: true, autogeneratePattern: '[a-z]{3}' }), '', undefined],
  [field('bool', { required: true }), false, undefined],
  [field('number', { required: true }), 0, 'This field is required.'],
  [
    field('file', { required: true }),
    { stored: [], removed: [], added: [] },
    'This field is required.',
  ],
])('%o with %j: %s', (one, value, problem) => {
  expect(valueProblems([one], { [one.name]: value }, true)[one.name]).toBe(problem);
});

it('compares the two passwords', () => {
  const values = { password: 'a', passwordConfirm: 'b' };
  expect(valueProblems([field('password')], values, false)).toHaveProperty('passwordConfirm');
});

it('shows no date that the server sets and no key of tokens', () => {
  const fields = [
    field('text', { name: 'id' }),
    field('text', { name: 'tokenKey' }),
    field('autodate'),
    field('url'),
  ];
  const collection = { fields } as Collection;
  expect(formFields(collection, false).map(({ name }) => name)).toEqual(['url']);
  expect(formFields(collection, true).map(({ name }) => name)).toEqual(['id', 'url']);
});

it('keeps a moment through the input', () => {
  const stored = '2026-01-02 03:04:05.000Z';
  expect(fromLocalInput(toLocalInput(stored))).toBe(stored);
  expect(toLocalInput('')).toBe('');
  expect(fromLocalInput('')).toBe('');
});
