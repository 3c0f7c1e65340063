import { expect, it } from 'vitest';
import { pageOfHash, readToken } from './token';

function token(claims: unknown): string {
  const payload = btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(claims))))
    .replaceAll('+', '-')
    .replaceAll('/', '_');
  return `e30.${payload}.x`;
}

it('reads whose link it is', () => {
  const claims = { collectionId: 'c', email: 'ü@b.co', newEmail: 'n@b.co', exp: 2 };
  expect(readToken(token(claims), 1000)).toEqual({
    collectionId: 'c',
    email: 'ü@b.co',
    newEmail: 'n@b.co',
    isOver: false,
  });
  expect(readToken(token(claims), 3000)?.isOver).toBe(true);
});

it.each(['', 'a', 'a.b.c', 'a.%%.c', token(null), token({}), token({ collectionId: 1 })])(
  '%j is none',
  (text) => {
    expect(readToken(text, 0)).toBeNull();
  },
);

it.each([
  ['#/auth/confirm-verification/a.b-c_d', '/auth/confirm-verification/a.b-c_d'],
  ['#/auth/oauth2-redirect-success', '/auth/oauth2-redirect-success'],
  ['#/collections', null],
  ['#/auth/../x', null],
  ['', null],
])('%j leads to %j', (hash, page) => {
  expect(pageOfHash(hash)).toBe(page);
});
