/** Questions to the gateway's API. */

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { get, getPage, orNull } from '@/api/client';
import type { ListState } from './list-state';
import type { Kind } from './names';
import type { EntryPointInfo, OverviewInfo, VersionInfo } from './types';

const POLL_MS = 5000;

/** A page of routers, services or middlewares, searched and sorted by the gateway. */
export function useObjects<T>(kind: Kind, state: ListState) {
  const { search, status, sort, page, perPage } = state;
  return useQuery({
    queryKey: ['gateway', kind, 'list', search, status, sort, page, perPage],
    queryFn: () =>
      getPage<T>(`/gateway/http/${kind}`, {
        search,
        status,
        sortBy: sort.replace(/^-/, ''),
        direction: sort.startsWith('-') ? 'desc' : 'asc',
        page,
        per_page: perPage,
      }),
    placeholderData: keepPreviousData,
    refetchInterval: POLL_MS,
  });
}

/** The options of a question for one object; `null` where there is none of the name. */
export function objectQuery<T>(kind: Kind, name: string) {
  return {
    queryKey: ['gateway', kind, 'one', name],
    queryFn: () => orNull(get<T>(`/gateway/http/${kind}/${encodeURIComponent(name)}`)),
    refetchInterval: POLL_MS,
  };
}

export function useObject<T>(kind: Kind, name: string) {
  return useQuery(objectQuery<T>(kind, name));
}

export function useGatewayOverview() {
  return useQuery({
    queryKey: ['gateway', 'overview'],
    queryFn: () => get<OverviewInfo>('/gateway/overview'),
    refetchInterval: POLL_MS,
  });
}

export function useEntryPoints() {
  return useQuery({
    queryKey: ['gateway', 'entrypoints'],
    queryFn: () => get<EntryPointInfo[]>('/gateway/entrypoints'),
    refetchInterval: POLL_MS,
  });
}

export function useVersion() {
  return useQuery({
    queryKey: ['gateway', 'version'],
    queryFn: () => get<VersionInfo>('/gateway/version'),
  });
}
