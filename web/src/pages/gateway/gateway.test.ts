import { expect, it } from 'vitest';
import { countsText } from './counts';
import { nextSort, readState, writeState } from './list-state';
import { fullName, nameOf, objectHref, segment, shortName } from './names';

it.each([
  ['shop', 'file', 'shop@file'],
  ['auth@mito', 'file', 'auth@mito'],
])('%s as %s calls it is %s', (name, provider, full) => {
  expect(fullName(name, provider)).toBe(full);
});

it('gives names their place in an address', () => {
  expect(shortName('shop@file', 'file')).toBe('shop');
  expect(shortName('shop@file', 'mito')).toBe('shop@file');
  expect(shortName('@odd', 'odd')).toBe('@odd');
  expect(objectHref('routers', 'a/b c@file')).toBe('/gateway/routers/a%2Fb%20c@file');
});

it.each(['shop@file', 'a/b c@file', '50%@x', 'a?b#c&d=e+f$g,h;i:j', 'größe'])(
  'finds the name %s again in its address',
  (name) => {
    expect(nameOf(decodeURI(segment(name)))).toBe(name);
  },
);

it('reads what an address holds and leaves out what makes no sense', () => {
  const keys = ['name', 'priority'];
  expect(
    readState(
      new URLSearchParams('search=x&status=warning&sort=-priority&page=3&perPage=25'),
      keys,
    ),
  ).toEqual({ search: 'x', status: 'warning', sort: '-priority', page: 3, perPage: 25 });
  expect(readState(new URLSearchParams('status=odd&sort=owner&page=-1&perPage=7'), keys)).toEqual({
    search: '',
    status: '',
    sort: 'name',
    page: 1,
    perPage: 50,
  });
});

it('begins another search at its first page', () => {
  const current = new URLSearchParams('search=x&page=3&sort=-rule');
  expect(writeState(current, { search: 'y' }).toString()).toBe('search=y&sort=-rule');
  expect(writeState(current, { page: 4 }).toString()).toBe('search=x&page=4&sort=-rule');
  expect(writeState(current, { page: 1, sort: 'name' }).toString()).toBe('search=x');
});

it('turns an order around', () => {
  expect(nextSort('name', 'priority')).toBe('priority');
  expect(nextSort('priority', 'priority')).toBe('-priority');
  expect(nextSort('-priority', 'priority')).toBe('priority');
});

it.each([
  [{ total: 0, warnings: 0, errors: 0 }, 'none'],
  [{ total: 3, warnings: 0, errors: 0 }, 'all work'],
  [{ total: 3, warnings: 2, errors: 1 }, '1 error, 2 warnings'],
])('%o are %s', (counts, text) => {
  expect(countsText(counts)).toBe(text);
});
