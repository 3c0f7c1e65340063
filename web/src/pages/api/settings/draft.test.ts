import { expect, it } from 'vitest';
import { changedParts, valueAt, withValue } from './draft';

const SETTINGS = { meta: { appName: 'a' }, backups: { s3: { bucket: 'b' }, cron: '' } };

it('reads and changes what lies deep', () => {
  const next = withValue(SETTINGS, 'backups.s3.bucket', 'c');
  expect(valueAt(next, 'backups.s3.bucket')).toBe('c');
  expect(valueAt(SETTINGS, 'backups.s3.bucket')).toBe('b');
  expect(valueAt(SETTINGS, 'nothing.here')).toBeUndefined();
  expect(next.meta).toBe(SETTINGS.meta);
});

it('sends the parts that were changed alone', () => {
  const next = withValue(SETTINGS, 'backups.cron', '0 0 * * *');
  expect(changedParts(SETTINGS, next)).toEqual({
    backups: { s3: { bucket: 'b' }, cron: '0 0 * * *' },
  });
  expect(changedParts(SETTINGS, SETTINGS)).toEqual({});
});
