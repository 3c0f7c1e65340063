/** Lists that load page after page, as tables show them. */

import { type QueryKey, useInfiniteQuery } from '@tanstack/react-query';
import type { Page } from '@/api/types';

/** A list with the state of its loading. */
export interface List<T> {
  /** What has been loaded; undefined before the first page. */
  rows: T[] | undefined;
  error: unknown;
  retry: () => void;
  hasMore: boolean;
  loadMore: () => void;
  loadingMore: boolean;
}

interface ListOptions {
  /** How often to look again, in milliseconds; only while the first page alone is shown. */
  pollMs?: number;
  enabled?: boolean;
}

/** Loads the pages of a list; `load` gets what the page before gave as `next`. */
export function useList<T>(
  queryKey: QueryKey,
  load: (next: string | null) => Promise<Page<T>>,
  options: ListOptions = {},
): List<T> {
  const { pollMs, enabled = true } = options;
  const query = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => load(pageParam),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next,
    enabled,
    // Rows must not move under somebody who reads on.
    refetchInterval: ({ state }) => ((state.data?.pages.length ?? 0) > 1 ? false : pollMs),
  });
  return {
    rows: query.data?.pages.flatMap((page) => page.items),
    error: query.error,
    retry: () => void query.refetch(),
    hasMore: query.hasNextPage,
    loadMore: () => void query.fetchNextPage(),
    loadingMore: query.isFetchingNextPage,
  };
}

/** A list that came whole. */
export function wholeList<T>(query: {
  data: T[] | undefined;
  error: unknown;
  refetch: () => unknown;
}): List<T> {
  return {
    rows: query.data,
    error: query.error,
    retry: () => void query.refetch(),
    hasMore: false,
    loadMore: () => {},
    loadingMore: false,
  };
}
