import { expect, it } from 'vitest';
import { ApiError } from '@/api/client';
import { splitError } from './ServerForm';

it('gives fields their messages and the form the rest', () => {
  const error = new ApiError(400, 'Bad', 'Failed.', { email: 'Taken.', other: 'Wrong.' });
  expect(splitError(error, ['email'])).toEqual({
    fields: { email: 'Taken.' },
    rest: 'other: Wrong.',
  });
});

it('does not repeat what a field says already', () => {
  const error = new ApiError(422, 'Bad', 'Too short.', { password: 'Too short.' });
  expect(splitError(error, ['password'])).toEqual({
    fields: { password: 'Too short.' },
    rest: null,
  });
});

it('shows an error without fields on top', () => {
  expect(splitError(new ApiError(503, 'Busy', 'Try later.'), ['x']).rest).toBe('Try later.');
});

it('does not hide bugs', () => {
  expect(() => splitError(new TypeError('bug'), [])).toThrow('bug');
});
