/** Accounts: their sessions, and what is sent to them. */

import { useQuery } from '@tanstack/react-query';
import { apiUrl, get, remove, request } from '@/api/client';

/** A session as the list shows it. */
export interface AccountSession {
  id: string;
  /** Whether it is the one that asks. */
  current: boolean;
  userAgent: string;
  clientIP: string;
  method: string;
  /** The administrator who acts as the account; empty when its owner does. */
  impersonator: string;
  created: string;
  used: string;
  idleUntil: string;
  expires: string;
}

function sessionsPath(collection: string, id: string): string {
  const account = `${encodeURIComponent(collection)}/${encodeURIComponent(id)}`;
  return `/platform/v1/accounts/${account}/sessions`;
}

/** The living sessions of an account. */
export function useSessions(collection: string, id: string) {
  return useQuery({
    queryKey: ['sessions', collection, id],
    queryFn: () => get<AccountSession[]>(sessionsPath(collection, id)),
  });
}

/** Ends a session of an account, or all of them. */
export function endSessions(collection: string, id: string, session?: string): Promise<void> {
  const path = sessionsPath(collection, id);
  return remove(session === undefined ? path : `${path}/${encodeURIComponent(session)}`);
}

/** A token that acts as an account. */
export function impersonate(collection: string, id: string, durationSeconds: number) {
  const path = `/collections/${encodeURIComponent(collection)}/impersonate/${encodeURIComponent(id)}`;
  return request<{ token: string }>('POST', apiUrl(path), { duration: durationSeconds });
}
