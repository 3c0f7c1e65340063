import { expect, it } from 'vitest';
import {
  certificateErrors,
  certificateKey,
  certificateTitle,
  expiryText,
  moment,
  shownCertificates,
} from './expiry';

const NOW = Date.parse('2026-11-30T12:00:00Z');

it.each([
  ['2027-02-07T13:00:00Z', '69 days left'],
  ['2026-12-01T12:00:00Z', '1 day left'],
  ['2026-12-01T11:00:00Z', 'less than a day left'],
  ['2026-11-30T11:00:00Z', 'expired today'],
  ['2026-11-29T11:00:00Z', 'expired 1 day ago'],
])('a certificate until %s: %s', (notAfter, text) => {
  expect(expiryText(Date.parse(notAfter), NOW)).toBe(text);
});

it('reads moments, and what is none', () => {
  expect(moment('2026-11-30T12:00:00Z')).toBe(NOW);
  expect(moment('soon')).toBeNull();
  expect(moment(null)).toBeNull();
});

it('finds certificates by all their names, the next to expire first', () => {
  const one = { name: '1', status: 'enabled', commonName: 'a.test', notAfter: '2027-01-02' };
  const two = { name: '2', status: 'expired', sans: ['b.test', 'c.test'], notAfter: '2026-01-02' };
  expect(shownCertificates([one, two], '')).toEqual([two, one]);
  expect(shownCertificates([one, two], 'C.TEST')).toEqual([two]);
  expect(shownCertificates([one, two], 'test expired')).toEqual([two]);
  expect([one, two].map(certificateTitle)).toEqual(['a.test', 'b.test']);
});

it('tells what is wrong with a host that waits for its certificate', () => {
  const waiting = { name: 'w.test', host: 'w.test', error: ['refused', 'late'] };
  expect(certificateErrors(waiting)).toEqual(['refused', 'late']);
  expect(certificateErrors({ error: 'once' })).toEqual(['once']);
  expect(certificateErrors({ error: null })).toEqual([]);
  const named = { name: '1', status: 'enabled', host: 'own.pem', commonName: 'a.test' };
  expect(certificateTitle(named)).toBe('own.pem');
  expect(certificateKey(named)).not.toBe(certificateKey({ ...named, host: 'copy.pem' }));
});
