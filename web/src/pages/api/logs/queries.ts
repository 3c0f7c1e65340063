/** Logs of requests in PocketBase's shapes. */

import { useQuery } from '@tanstack/react-query';
import { apiUrl, get, request } from '@/api/client';
import type { RecordPage } from '@/api/types';
import { useList } from '@/components/list';
import { searchFilter } from '@/pages/records/filter';

export interface LogRow {
  id: string;
  created: string;
  level: number;
  message: string;
  data: Record<string, unknown>;
}

export interface LogStat {
  /** The beginning of an hour. */
  date: string;
  total: number;
}

const PER_PAGE = 100;
const POLL_MS = 10_000;

/** Words without an operator are a search. */
export function isSearch(text: string): boolean {
  return !/[=~<>]/.test(text);
}

/** What the server is asked for: words in the usual places, and the panel's own requests apart. */
export function askedFilter(text: string, withPanel: boolean): string {
  const wanted = isSearch(text) ? searchFilter(text, SEARCHED) : text;
  if (withPanel) {
    return wanted;
  }
  return wanted ? `${NOT_THE_PANEL} && (${wanted})` : NOT_THE_PANEL;
}

const SEARCHED = ['message', 'data.userIP', 'data.requestId'];
/** A panel that is open asks every few seconds, which would hide everything else. */
const NOT_THE_PANEL = "message !~ ' /_mito/'";

/** The lines that match, the newest first. */
export function useLogs(filter: string) {
  return useList<LogRow>(
    ['logs', 'list', filter],
    async (next) => {
      const page = next === null ? 1 : Number(next);
      const url = apiUrl('/logs', {
        page,
        perPage: PER_PAGE,
        filter,
        sort: '-created',
        skipTotal: 1,
      });
      const { items } = await request<RecordPage<LogRow>>('GET', url);
      return { items, next: items.length === PER_PAGE ? String(page + 1) : null };
    },
    { pollMs: POLL_MS },
  );
}

/** How many lines there were in each hour. */
export function useLogStats(filter: string) {
  return useQuery({
    queryKey: ['logs', 'stats', filter],
    queryFn: () => get<LogStat[]>('/logs/stats', { filter }),
    refetchInterval: POLL_MS,
  });
}

const HOUR_MS = 3_600_000;
/** As many hours as a chart shows: a week. */
const MAX_HOURS = 168;

/** Hours in seconds with their totals; hours without lines count as 0. */
export function hourly(stats: LogStat[], nowMs: number): [number[], number[]] {
  const totals = new Map(
    stats.map(({ date, total }) => [floor(Date.parse(date.replace(' ', 'T'))), total]),
  );
  const last = floor(nowMs);
  const oldest = Math.min(last - 23 * HOUR_MS, ...totals.keys());
  const first = Math.max(oldest, last - (MAX_HOURS - 1) * HOUR_MS);
  const times: number[] = [];
  const counts: number[] = [];
  for (let at = first; at <= last; at += HOUR_MS) {
    times.push(at / 1000);
    counts.push(totals.get(at) ?? 0);
  }
  return [times, counts];
}

function floor(ms: number): number {
  return Math.floor(ms / HOUR_MS) * HOUR_MS;
}

const LEVELS: [number, string, string][] = [
  [8, 'error', 'red'],
  [4, 'warn', 'orange'],
  [0, 'info', 'blue'],
  [Number.NEGATIVE_INFINITY, 'debug', 'gray'],
];

/** The name of a level, and its colour. */
export function levelName(level: number): { name: string; color: string } {
  const [, name = 'debug', color = 'gray'] = LEVELS.find(([from]) => level >= from) ?? [];
  return { name, color };
}
