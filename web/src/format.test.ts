import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, formatRelative, parseTime } from './format';

describe('formatBytes', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [1536, '1.5 kB'],
    [999_400, '999 kB'],
    [999_999, '1.0 MB'],
    [3_000_000_000, '3.0 GB'],
    [-1, '0 B'],
  ])('%d', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text);
  });
});

describe('formatDuration', () => {
  it.each([
    [0, '0 ms'],
    [0.065, '< 1 ms'],
    [0.5, '1 ms'],
    [2500, '2.5 s'],
    [59_600, '1 min'],
    [185_000, '3 min 5 s'],
    [7_380_000, '2 h 3 min'],
    [353_000_000, '4 d 2 h'],
  ])('%d', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('formatRelative', () => {
  const now = 1_800_000_000_000;
  it.each([
    [now - 1000, 'just now'],
    [now - 30_000, '30 s ago'],
    [now - 300_000, '5 min ago'],
    [now + 7_200_000, 'in 2 h'],
    [now - 3 * 86_400_000, '3 d ago'],
  ])('%d', (ms, text) => {
    expect(formatRelative(ms, now)).toBe(text);
  });
});

describe('parseTime', () => {
  it("reads PocketBase's times and refuses others", () => {
    expect(parseTime('2026-01-02 03:04:05.678Z')).toBe(Date.UTC(2026, 0, 2, 3, 4, 5, 678));
    expect(parseTime('')).toBeNull();
    expect(parseTime('soon')).toBeNull();
    expect(parseTime(5)).toBeNull();
  });
});
