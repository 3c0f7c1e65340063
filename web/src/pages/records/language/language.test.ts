import { expect, it } from 'vitest';
import type { Collection, CollectionField } from '@/api/types';
import { complete } from './complete';
import { problems } from './problems';
import type { Scope } from './scope';
import { pieces } from './tokens';

function field(name: string, type: CollectionField['type'], more: Partial<CollectionField> = {}) {
  return { id: name, name, type, ...more };
}

function collection(name: string, fields: CollectionField[], type: Collection['type'] = 'base') {
  return {
    id: `id_${name}`,
    name,
    type,
    fields: [field('id', 'text'), ...fields],
    indexes: [],
    listRule: null,
    viewRule: null,
    createRule: null,
    updateRule: null,
    deleteRule: null,
  };
}

const POSTS = collection('posts', [
  field('title', 'text'),
  field('status', 'select', { values: ['draft', "it's done"] }),
  field('open', 'bool'),
  field('meta', 'json'),
  field('author', 'relation', { collectionId: 'id_users' }),
]);
const USERS = collection('users', [field('email', 'email'), field('password', 'password')], 'auth');
const SCOPE: Scope = { collection: POSTS, collections: [POSTS, USERS], isRule: true };

it.each([
  '',
  "title = 'a'",
  "title ~ 'a' && (open = true || status ?= 'draft')",
  'author.email = @request.auth.email',
  '@request.body.title:isset = false',
  '@request.query.page = 1 && @request.headers.x_token != ""',
  'meta.a.b > 3.5 // a comment',
  '@collection.users.email:lower = title',
  '@collection.users:other.id ?= author',
  'author.posts_via_author.title = "x"',
  'geoDistance(1, 2, meta.lon, meta.lat) < 25',
  "strftime('%Y', @now) = '2026'",
  "strftime('%Y', created) = strftime('%Y', @now) && open = true".replace('created', 'title'),
  '@request.auth.anything.that.comes = null',
  '@collection.users.collectionName = "users"',
  '-1 < 2',
])('%s is right', (text) => {
  expect(problems(text, SCOPE)).toEqual([]);
});

it.each([
  ['title', 'operator'],
  ['title =', 'value'],
  ["title = 'a' &&", 'expression'],
  ["title 'a'", 'operator'],
  ["title = 'a' title", '&&'],
  ["(title = 'a'", 'never closed'],
  ["title = 'a')", 'no parenthesis'],
  ["title = 'a", 'never closed'],
  ['title = $', 'no meaning'],
  ['nope = 1', 'no field nope'],
  ['author.nope = 1', 'users has no field nope'],
  ['title.x = 1', 'no relation'],
  ['@collection.nope.id = 1', 'no collection nope'],
  ['@request.nope = 1', '@request.nope'],
  ['@noww > title', 'no @noww'],
  ['sum(1) = 1', 'no function sum'],
  ['&& title = 1', 'before &&'],
  ['()', 'not complete'],
  [`title = '${'a'.repeat(3600)}'`, '3500'],
])('%s is wrong', (text, message) => {
  expect(problems(text, SCOPE)[0]?.message).toContain(message);
});

/** The suggestions where `|` stands, and the text with the first of them put in. */
function at(marked: string): { texts: string[]; applied: string } {
  const cursor = marked.indexOf('^');
  const text = marked.replace('^', '');
  const { from, to, suggestions } = complete(text, cursor, SCOPE);
  const texts = suggestions.map((one) => one.text);
  return { texts, applied: text.slice(0, from) + (texts[0] ?? '') + text.slice(to) };
}

it.each([
  ['ti^', 'title'],
  ['title ^', 'title = '],
  ['title !^', 'title != '],
  ["title = 'a' ^", "title = 'a' && "],
  ["title = 'a' |^", "title = 'a' || "],
  ['author.em^', 'author.email'],
  ['@req^', '@request.'],
  ['@request.au^', '@request.auth.'],
  ['@request.auth.em^', '@request.auth.email'],
  ['@request.body.ti^', '@request.body.title'],
  ['@request.body.title:is^', '@request.body.title:isset'],
  ['title:lo^', 'title:lower'],
  ['@collection.us^', '@collection.users.'],
  ['@collection.users.em^', '@collection.users.email'],
  ['author.posts_^', 'author.posts_via_author.'],
  ['status = ^', "status = 'draft'"],
  ["status = 'it^", "status = 'it\\'s done'"],
  ['open = ^', 'open = true'],
  ['geo^', 'geoDistance('],
  ["(ti^ = 'a')", "(title = 'a')"],
])('%s becomes %s', (marked, expected) => {
  expect(at(marked).applied).toBe(expected);
});

it('offers nothing inside a text and never a password', () => {
  expect(at("title = 'ti^'").texts).toEqual([]);
  expect(at('@collection.users.^').texts).not.toContain('password');
});

it('gives a filter no request', () => {
  const { suggestions } = complete('@', 1, { ...SCOPE, isRule: false });
  expect(suggestions.map(({ text }) => text)).not.toContain('@request.');
});

it('colours the whole text', () => {
  const text = "title = 'a' // why\n&& open = 1";
  const parts = pieces(text);
  expect(parts.map((part) => part.text).join('')).toBe(text);
  expect(parts.map(({ kind }) => kind)).toContain('comment');
});
