/** How numbers, sizes and times are written. */

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** A size in bytes with a decimal unit: `1.5 kB`. */
export function formatBytes(bytes: number): string {
  let value = Math.max(0, bytes);
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  const digits = unit === 0 || value >= 99.5 ? 0 : 1;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** A duration in milliseconds: `340 ms`, `2.5 s`, `3 min 5 s`, `2 h 3 min`, `4 d 2 h`. */
export function formatDuration(ms: number): string {
  if (ms > 0 && ms < 0.5) {
    return '< 1 ms';
  }
  if (ms < 1000) {
    return `${Math.round(ms)} ms`;
  }
  if (ms < 10_000) {
    return `${(ms / 1000).toFixed(1)} s`;
  }
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) {
    return `${seconds} s`;
  }
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) {
    return two(minutes, 'min', seconds % 60, 's');
  }
  const hours = Math.floor(minutes / 60);
  if (hours < 48) {
    return two(hours, 'h', minutes % 60, 'min');
  }
  return two(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

function two(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

/** A moment as seen from `now`: `just now`, `5 min ago`, `in 2 h`; older ones by their date. */
export function formatRelative(ms: number, now: number): string {
  const distance = Math.abs(now - ms);
  if (distance < 5000) {
    return 'just now';
  }
  if (distance > 7 * 24 * 3_600_000) {
    return new Date(ms).toLocaleDateString(undefined, { dateStyle: 'medium' });
  }
  const text = coarse(distance);
  return ms <= now ? `${text} ago` : `in ${text}`;
}

function coarse(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) {
    return `${seconds} s`;
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) {
    return `${minutes} min`;
  }
  const hours = Math.round(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.round(hours / 24)} d`;
}

/** A moment in full, in the reader's own time zone. */
export function formatTime(ms: number): string {
  return new Date(ms).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'medium' });
}

/** A count with grouping. */
export function formatCount(count: number): string {
  return count.toLocaleString();
}

/** The moment that PocketBase's `2026-01-02 03:04:05.678Z` stands for; `null` when it is none. */
export function parseTime(value: unknown): number | null {
  if (typeof value !== 'string' || value === '') {
    return null;
  }
  const ms = Date.parse(value.replace(' ', 'T'));
  return Number.isNaN(ms) ? null : ms;
}
