/** What a list of the gateway shows, kept in the address so that it can be shared and gone back to. */

import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'wouter';

export const PAGE_SIZES = [25, 50, 100, 500];
const DEFAULT_SIZE = 50;
const STATUSES = ['enabled', 'warning', 'disabled'];

export interface ListState {
  search: string;
  /** `enabled`, `warning`, `disabled`, or empty for all. */
  status: string;
  /** The key to sort by, with `-` before it when the order is turned around. */
  sort: string;
  page: number;
  perPage: number;
}

/** The state that an address holds; what no list could show counts as left out. */
export function readState(search: URLSearchParams, sortKeys: string[]): ListState {
  const status = search.get('status') ?? '';
  const sort = search.get('sort') ?? '';
  const perPage = Number(search.get('perPage'));
  const page = Number(search.get('page'));
  return {
    search: search.get('search') ?? '',
    status: STATUSES.includes(status) ? status : '',
    sort: sortKeys.includes(sort.replace(/^-/, '')) ? sort : 'name',
    page: Number.isSafeInteger(page) && page > 0 ? page : 1,
    perPage: PAGE_SIZES.includes(perPage) ? perPage : DEFAULT_SIZE,
  };
}

/** The address of a state that has changed; another search or order begins at its first page. */
export function writeState(current: URLSearchParams, changes: Partial<ListState>): URLSearchParams {
  const next = new URLSearchParams(current);
  if (changes.page === undefined) {
    next.delete('page');
  }
  for (const [name, value] of Object.entries(changes)) {
    if (value === '' || (name === 'page' && value === 1) || (name === 'sort' && value === 'name')) {
      next.delete(name);
    } else {
      next.set(name, String(value));
    }
  }
  return next;
}

/** The state, and how to change parts of it. */
export function useListState(sortKeys: string[]) {
  const [search, setSearch] = useSearchParams();
  const keys = sortKeys.join();
  const state = useMemo(() => readState(search, keys.split(',')), [search, keys]);
  const change = useCallback(
    (changes: Partial<ListState>) =>
      // Letters that are typed are no steps to go back to.
      setSearch((current) => writeState(current, changes), {
        replace: changes.search !== undefined,
      }),
    [setSearch],
  );
  return { state, change };
}

/** The order after a click on a column's heading: up, then down. */
export function nextSort(sort: string, key: string): string {
  return sort === key ? `-${key}` : key;
}
