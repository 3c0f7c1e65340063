/** Requests as they pass the gateway: the latest of them, and sums over the last minutes. */

export interface RequestInfo {
  /** The number in the order of arrival. */
  id: number;
  /** When it was, in milliseconds. */
  at: number;
  method: string;
  host: string;
  path: string;
  status: number;
  durationMs: number;
  /** Empty for a request that no router took. */
  router: string;
  service: string;
  clientIp: string;
  entryPoint: string;
  bytes: number;
}

/** Classes of status codes: the first digit. */
export const CLASSES = [1, 2, 3, 4, 5];
/** As many requests as are kept. */
export const MOST_ROWS = 500;
const BUCKET_MS = 5000;
export const WINDOW_MS = 300_000;
const BUCKETS = WINDOW_MS / BUCKET_MS;

/** A request of the stream; `null` for what is none. */
export function parseRequest(data: string, id: number): RequestInfo | null {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof value !== 'object' || value === null) {
    return null;
  }
  const fields = value as Record<string, unknown>;
  const at = Date.parse(text(fields.time));
  if (Number.isNaN(at) || typeof fields.status !== 'number') {
    return null;
  }
  return {
    id,
    at,
    method: text(fields.method),
    host: text(fields.host),
    path: text(fields.path),
    status: fields.status,
    durationMs: number(fields.durationMs),
    router: text(fields.router).replace(/^-$/, ''),
    service: text(fields.service).replace(/^-$/, ''),
    clientIp: text(fields.clientIp),
    entryPoint: text(fields.entryPoint),
    bytes: number(fields.bytes),
  };
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? Math.max(0, value) : 0;
}

/** Whether this panel asked, which would hide everything else. */
export function isPanel({ path }: RequestInfo): boolean {
  return path.startsWith('/_mito/');
}

export function classOf(status: number): number {
  return Math.min(5, Math.max(1, Math.floor(status / 100)));
}

export interface RequestFilter {
  /** Words that all have to appear somewhere. */
  search: string;
  /** A class of status codes; 0 for all. */
  statusClass: number;
  router: string;
}

/** The requests that a filter keeps. */
export function matching(rows: RequestInfo[], filter: RequestFilter): RequestInfo[] {
  const words = filter.search.toLowerCase().split(/\s+/).filter(Boolean);
  return rows.filter((row) => {
    if (filter.statusClass !== 0 && classOf(row.status) !== filter.statusClass) {
      return false;
    }
    if (filter.router !== '' && row.router !== filter.router) {
      return false;
    }
    const text = `${row.method} ${row.host}${row.path} ${row.status} ${row.service} ${row.clientIp}`;
    return words.every((word) => text.toLowerCase().includes(word));
  });
}

/** Durations are counted in steps of a tenth, which bounds what is kept whatever arrives. */
const STEP = Math.log(1.1);
const SHORTEST_MS = 0.1;
const BINS = 160;

function binOf(ms: number): number {
  const bin = Math.round(Math.log(Math.max(ms, SHORTEST_MS) / SHORTEST_MS) / STEP);
  return Math.min(bin, BINS - 1);
}

/** The duration that a share of the counted ones does not exceed. */
export function percentile(bins: Uint32Array, share: number): number | null {
  const total = bins.reduce((sum, count) => sum + count, 0);
  if (total === 0) {
    return null;
  }
  let seen = 0;
  for (const [bin, count] of bins.entries()) {
    seen += count;
    if (seen >= share * total) {
      return SHORTEST_MS * Math.exp(bin * STEP);
    }
  }
  return null;
}

/** What happened in one step of time. */
interface Bucket {
  classes: number[];
  durations: Uint32Array;
}

/** One point of the plots; nothing is known of the time before the stream was opened. */
export interface Point {
  perSecond: number | null;
  /** Requests a second by class. */
  classes: number[];
  p50: number | null;
  p95: number | null;
}

/** Everything that is kept of one kind of requests. */
class Kept {
  rows: RequestInfo[] = [];
  readonly buckets = new Map<number, Bucket>();

  add(row: RequestInfo): void {
    this.rows.push(row);
    if (this.rows.length > 2 * MOST_ROWS) {
      this.rows = this.rows.slice(-MOST_ROWS);
    }
    const key = Math.floor(row.at / BUCKET_MS);
    let bucket = this.buckets.get(key);
    if (!bucket) {
      bucket = { classes: [0, 0, 0, 0, 0], durations: new Uint32Array(BINS) };
      this.buckets.set(key, bucket);
    }
    const index = classOf(row.status) - 1;
    bucket.classes[index] = (bucket.classes[index] ?? 0) + 1;
    const bin = binOf(row.durationMs);
    bucket.durations[bin] = (bucket.durations[bin] ?? 0) + 1;
  }

  forget(before: number): void {
    for (const key of this.buckets.keys()) {
      if (key < before) {
        this.buckets.delete(key);
      }
    }
  }
}

/** What arrived: the panel's own requests apart, so that they can be left out. */
export class Traffic {
  private readonly panel = new Kept();
  private readonly others = new Kept();
  private since = Number.POSITIVE_INFINITY;
  /** How far the gateway's clock is ahead of this one. */
  private ahead = Number.NEGATIVE_INFINITY;

  /** The stream has been opened; from now on every request arrives. */
  opened(now: number): void {
    this.since = Math.min(this.since, now);
  }

  add(row: RequestInfo, now: number): void {
    this.ahead = Math.max(this.ahead, row.at - now);
    (isPanel(row) ? this.panel : this.others).add(row);
    const oldest = this.lastBucket(now) - BUCKETS;
    // A wrong clock must not fill the memory either.
    if (this.panel.buckets.size + this.others.buckets.size > 4 * BUCKETS) {
      this.panel.forget(oldest);
      this.others.forget(oldest);
    }
  }

  /** The latest requests, the newest first. */
  rows(withPanel: boolean): RequestInfo[] {
    const rows = withPanel ? [...this.panel.rows, ...this.others.rows] : [...this.others.rows];
    return rows.sort((a, b) => b.id - a.id).slice(0, MOST_ROWS);
  }

  /** The last minutes in equal steps, the oldest first. */
  points(withPanel: boolean, now: number): Point[] {
    const kept = withPanel ? [this.panel, this.others] : [this.others];
    const last = this.lastBucket(now);
    const first = last - BUCKETS + 1;
    const earliest = Math.min(
      Math.floor((this.since + this.clock()) / BUCKET_MS),
      ...this.panel.buckets.keys(),
      ...this.others.buckets.keys(),
    );
    const points: Point[] = [];
    for (let key = first; key <= last; key += 1) {
      const found = kept.flatMap(({ buckets }) => buckets.get(key) ?? []);
      // The present step has only just begun.
      const passed = Math.min(BUCKET_MS, now + this.clock() - key * BUCKET_MS);
      points.push(pointOf(found, key >= earliest, Math.max(1000, passed) / 1000));
    }
    return points;
  }

  private clock(): number {
    return Number.isFinite(this.ahead) ? this.ahead : 0;
  }

  private lastBucket(now: number): number {
    return Math.floor((now + this.clock()) / BUCKET_MS);
  }
}

function pointOf(buckets: Bucket[], isKnown: boolean, seconds: number): Point {
  const classes = CLASSES.map((_, index) =>
    buckets.reduce((sum, bucket) => sum + (bucket.classes[index] ?? 0), 0),
  );
  const durations = new Uint32Array(BINS);
  for (const bucket of buckets) {
    for (const [bin, count] of bucket.durations.entries()) {
      durations[bin] = (durations[bin] ?? 0) + count;
    }
  }
  const total = classes.reduce((sum, count) => sum + count, 0);
  return {
    perSecond: isKnown ? total / seconds : null,
    classes: classes.map((count) => count / seconds),
    p50: percentile(durations, 0.5),
    p95: percentile(durations, 0.95),
  };
}
