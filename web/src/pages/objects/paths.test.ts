import { expect, it } from 'vitest';
import { browserHref, objectUrl, prefixSteps, previewKind } from './paths';

it.each([
  ['', []],
  ['a/', [{ name: 'a', prefix: 'a/' }]],
  [
    'a/b c/',
    [
      { name: 'a', prefix: 'a/' },
      { name: 'b c', prefix: 'a/b c/' },
    ],
  ],
  [
    'a//',
    [
      { name: 'a', prefix: 'a/' },
      { name: '/', prefix: 'a//' },
    ],
  ],
  ['open', []],
])('%s has its steps', (prefix, steps) => {
  expect(prefixSteps(prefix)).toEqual(steps);
});

it('keeps odd keys whole', () => {
  expect(objectUrl('inbox', 'a/ü ?.html')).toBe(
    '/_mito/api/objects/buckets/inbox/objects/a/%C3%BC%20%3F.html',
  );
  expect(browserHref('inbox', 'a&b/')).toBe('/objects/inbox?prefix=a%26b%2F');
});

it.each([
  ['text/html; charset=utf-8', 'x', 'text'],
  ['application/json', 'x', 'text'],
  ['image/png', 'x', 'image'],
  ['application/octet-stream', 'notes.MD', 'text'],
  ['application/zip', 'x.zip', null],
  [null, 'x', null],
])('%s %s is shown as %s', (type, key, kind) => {
  expect(previewKind(type, key)).toBe(kind);
});
