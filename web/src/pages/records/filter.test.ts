import { expect, it } from 'vitest';
import { searchFilter } from './filter';

it.each([
  ['', ''],
  ['  ', ''],
  ['whale', "(title ~ 'whale' || summary ~ 'whale')"],
  [
    "o'clock a\\b",
    "(title ~ 'o\\'clock' || summary ~ 'o\\'clock') && (title ~ 'a\\\\b' || summary ~ 'a\\\\b')",
  ],
  [
    "x' || id != '",
    "(title ~ 'x\\'' || summary ~ 'x\\'') && (title ~ '||' || summary ~ '||') && (title ~ 'id' || summary ~ 'id') && (title ~ '!=' || summary ~ '!=') && (title ~ '\\'' || summary ~ '\\'')",
  ],
])('%s', (text, filter) => {
  expect(searchFilter(text, ['title', 'summary'])).toBe(filter);
});
