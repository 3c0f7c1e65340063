import { expect, it } from 'vitest';
import { keyPhrases, languageName, plainText } from './article';

it.each([
  [
    ['a', 'b'],
    ['a', 'b'],
  ],
  [[{ phrase: 'a', score: 1 }], ['a']],
  ['a', []],
  [null, []],
  [[1], []],
])('%j', (value, phrases) => {
  expect(keyPhrases(value)).toEqual(phrases);
});

it.each([
  ['en', 'English'],
  ['deu', 'German'],
  [undefined, 'unknown'],
  ['not a code', 'not a code'],
])('%s is %s', (code, name) => {
  expect(languageName(code)).toBe(name);
});

it('leaves a plain text alone', () => {
  expect(plainText('a < b\n\nc')).toBe('a < b\n\nc');
});
