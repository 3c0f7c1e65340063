import { expect, it } from 'vitest';
import { middlewareOptions, purpose, readOptions } from './options';

it('reads the options of a middleware under the name of its type', () => {
  const middleware = {
    name: 'limit@file',
    type: 'ratelimit',
    status: 'enabled',
    rateLimit: {
      average: 100,
      period: '1s',
      sourceCriterion: { ipStrategy: { depth: 2, excludedIPs: ['10.0.0.1', '10.0.0.2'] } },
    },
  };
  expect(middlewareOptions(middleware)).toEqual([
    { name: 'average', values: ['100'] },
    { name: 'period', values: ['1s'] },
    { name: 'sourceCriterion.ipStrategy.depth', values: ['2'] },
    { name: 'sourceCriterion.ipStrategy.excludedIPs', values: ['10.0.0.1', '10.0.0.2'] },
  ]);
});

it('has words for what is no text', () => {
  expect(readOptions({ a: true, b: false, c: null, d: {}, e: [], f: [{ g: 1 }] })).toEqual([
    { name: 'a', values: ['yes'] },
    { name: 'b', values: ['no'] },
    { name: 'c', values: ['–'] },
    { name: 'd', values: ['on'] },
    { name: 'e', values: [] },
    { name: 'f', values: ['{"g":1}'] },
  ]);
});

it('does not follow options without end', () => {
  let deep: Record<string, unknown> = { end: 1 };
  for (let level = 0; level < 50; level += 1) {
    deep = { x: deep };
  }
  expect(readOptions(deep)[0]?.name).toBe('x.x.x.x.x.x.x');
});

it('has none where the gateway sends none', () => {
  expect(middlewareOptions({ type: 'retry', retry: 'odd' })).toEqual([]);
  expect(purpose('RateLimit')).toBe('limits how often a client may ask');
  expect(purpose('plugin')).toBeUndefined();
});
