/** Records as files. */

import { apiUrl, request } from '@/api/client';
import type { Collection, RecordPage, RecordRow } from '@/api/types';
import { recordsPath } from '../queries';

const PER_PAGE = 500;
/** The browser holds them all at once. */
export const MAX_RECORDS = 200_000;

/** Loads all records that match, page after page, ordered by id so that none is missed. */
export async function loadAll(
  collection: Collection,
  filter: string,
  onProgress: (count: number) => void,
  signal: AbortSignal,
): Promise<RecordRow[]> {
  const records: RecordRow[] = [];
  for (let page = 1; records.length < MAX_RECORDS; page += 1) {
    signal.throwIfAborted();
    const url = apiUrl(recordsPath(collection.name), {
      page,
      perPage: PER_PAGE,
      filter,
      sort: 'id',
      skipTotal: 1,
    });
    const { items } = await request<RecordPage<RecordRow>>('GET', url);
    records.push(...items);
    onProgress(records.length);
    if (items.length < PER_PAGE) {
      break;
    }
  }
  return records;
}

/** Records as comma-separated values (RFC 4180). */
export function toCsv(columns: string[], records: RecordRow[]): string {
  const lines = [columns, ...records.map((record) => columns.map((name) => text(record[name])))];
  return lines.map((cells) => `${cells.map(quote).join(',')}\r\n`).join('');
}

function text(value: unknown): string {
  if (value === null || value === undefined) {
    return '';
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}

function quote(cell: string): string {
  // A spreadsheet would run a text that begins like this as a formula.
  const safe = /^[=+\-@\t\r]/.test(cell) && Number.isNaN(Number(cell)) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
