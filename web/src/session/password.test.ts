import { expect, it } from 'vitest';
import { passwordStrength } from './password';

it.each([
  ['', 0],
  ['short', 0],
  ['aaaaaaaaaaaaaaaa', 0],
  ['1234567890', 0],
  ['abcdefgh', 0],
  ['kitchen7', 1],
  ['correct horse battery staple', 4],
  ['T7#q9!vLx2@m', 3],
])('%s scores %i', (password, score) => {
  expect(passwordStrength(password).score).toBe(score);
});
