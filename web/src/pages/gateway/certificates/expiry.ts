/** How long certificates are valid, in words. */

import type { CertificateInfo } from '../types';

const DAY_MS = 86_400_000;

/** A moment of an answer in milliseconds; `null` when there is none. */
export function moment(value: string | null | undefined): number | null {
  const ms = value ? Date.parse(value) : Number.NaN;
  return Number.isNaN(ms) ? null : ms;
}

/** Whole days from `now` to a moment; negative when it is over. */
export function daysLeft(notAfter: number, now: number): number {
  return Math.floor((notAfter - now) / DAY_MS);
}

/** What is left of a certificate: `69 days left`, `expires today`, `expired 3 days ago`. */
export function expiryText(notAfter: number, now: number): string {
  const days = daysLeft(notAfter, now);
  if (days < 0) {
    const ago = Math.floor((now - notAfter) / DAY_MS);
    return ago === 0 ? 'expired today' : `expired ${count(ago)} ago`;
  }
  return days === 0 ? 'less than a day left' : `${count(days)} left`;
}

function count(days: number): string {
  return days === 1 ? '1 day' : `${days} days`;
}

/** What people know a certificate by: the host that it is for, or a name in it. */
export function certificateTitle({ host, commonName, sans, name }: CertificateInfo): string {
  return host || commonName || sans?.[0] || name;
}

/** What tells certificates apart: one may serve several hosts, and lie in several files. */
export function certificateKey({ host, name }: CertificateInfo): string {
  return host ? `${host} ${name}` : name;
}

/** Everything that went wrong, each in its words. */
export function certificateErrors({ error }: Pick<CertificateInfo, 'error'>): string[] {
  return (Array.isArray(error) ? error : [error ?? '']).filter(Boolean);
}

/** The certificates that have all words in one of their names, the next to expire first. */
export function shownCertificates(all: CertificateInfo[], search: string): CertificateInfo[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return all
    .filter((one) => {
      const { host, commonName, issuerCN, issuerOrg, status, sans = [] } = one;
      const text = [host, commonName, issuerCN, issuerOrg, status, ...sans].join(' ').toLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort((a, b) => (moment(a.notAfter) ?? 0) - (moment(b.notAfter) ?? 0));
}
