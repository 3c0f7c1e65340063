import { expect, it } from 'vitest';
import { placeOf, troublesOf } from './troubles';

it.each([
  [
    'shop.yml line 4: routers.shop: rule: no matcher',
    { file: 'shop.yml', line: 4, text: 'routers.shop: rule: no matcher' },
  ],
  ['a-b.toml: services.x: wrong', { file: 'a-b.toml', line: null, text: 'services.x: wrong' }],
  ['it never has a turn: api@mito takes all', null],
  ['the service "nobody" does not exist', null],
])('%s', (error, place) => {
  expect(placeOf(error)).toEqual(place);
});

it('orders troubles as the files have them', () => {
  const of = (...error: string[]) => ({ name: 'x', provider: 'file', status: 'disabled', error });
  expect(
    troublesOf([of('b.yml line 2: x', 'no place'), of('a.yml line 9: y'), of('a.yml line 1: z')]),
  ).toEqual([
    { file: 'a.yml', line: 1, text: 'z' },
    { file: 'a.yml', line: 9, text: 'y' },
    { file: 'b.yml', line: 2, text: 'x' },
  ]);
});
