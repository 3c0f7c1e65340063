import { expect, it } from 'vitest';
import { describeCron } from './cron';
import { askedFilter, hourly, levelName } from './logs/queries';
import { isWriting, remember } from './sql/statement';

it.each([
  ['SELECT 1', false],
  ["  select * from a where b = 'drop table'", false],
  ['-- delete\nselect 1', false],
  ['EXPLAIN SELECT 1', false],
  ['WITH a AS (SELECT 1) SELECT * FROM a', false],
  ['with a as (select 1) delete from b', true],
  ['select 1; drop table a', true],
  ['UPDATE a SET b = 1', true],
  ['pragma user_version = 3', true],
  ['', false],
])('%j may change something: %s', (sql, writes) => {
  expect(isWriting(sql)).toBe(writes);
});

it('remembers statements once, the newest first', () => {
  expect(remember(['a', 'b'], ' b ')).toEqual(['b', 'a']);
});

it.each([
  ['* * * * *', 'every minute'],
  ['*/5 * * * *', 'every 5 minutes'],
  ['0 * * * *', 'every hour'],
  ['15 * * * *', 'every hour at minute 15'],
  ['0 */6 * * *', 'every 6 hours'],
  ['5 3 * * *', 'every day at 03:05'],
  ['@daily', 'every day at 00:00'],
  ['0 0 * * 1', 'every Monday at 00:00'],
  ['0 4 1 * *', 'on day 1 of every month at 04:00'],
  ['0 4 1,15 * *', 'as the expression says'],
  ['1-5 * * * *', 'as the expression says'],
])('%s runs %s', (expression, words) => {
  expect(describeCron(expression)).toBe(words);
});

it('fills the hours in which nothing happened', () => {
  const now = Date.parse('2026-01-02T12:30:00Z');
  const [times, counts] = hourly([{ date: '2026-01-02 11:00:00.000Z', total: 7 }], now);
  expect(times).toHaveLength(24);
  expect(times.at(-1)).toBe(Date.parse('2026-01-02T12:00:00Z') / 1000);
  expect(counts.slice(-2)).toEqual([7, 0]);
});

it('shows a week at most', () => {
  const now = Date.parse('2026-01-20T12:30:00Z');
  const [times] = hourly([{ date: '2026-01-01 11:00:00.000Z', total: 7 }], now);
  expect(times).toHaveLength(168);
});

it.each([
  [-4, 'debug'],
  [0, 'info'],
  [4, 'warn'],
  [9, 'error'],
])('level %i is %s', (level, name) => {
  expect(levelName(level).name).toBe(name);
});

it.each([
  ['', true, ''],
  ['', false, "message !~ ' /_mito/'"],
  ['level > 0 || level < 0', false, "message !~ ' /_mito/' && (level > 0 || level < 0)"],
  ['batch', true, "(message ~ 'batch' || data.userIP ~ 'batch' || data.requestId ~ 'batch')"],
])('the log is asked for %j, with the panel: %s', (text, withPanel, expected) => {
  expect(askedFilter(text, withPanel)).toBe(expected);
});
