/** Who is signed in, as every page knows it. */

import { type QueryClient, useQuery, useQueryClient } from '@tanstack/react-query';
import { useCallback } from 'react';
import { get, post, remove, setCsrf, setOnUnauthorized, setRenewCsrf } from '@/api/client';
import type { OtpSent, SessionState } from '@/api/types';

const KEY = ['session'];

/** What goes with the code that follows a password. */
export interface SecondStep {
  otpId: string;
  mfaId: string;
}

/** Mails a code to an administrator; what goes with it. */
export async function requestCode(email: string): Promise<string> {
  const { otpId } = await post<OtpSent>('/session/otp', { email });
  return otpId;
}

async function loadSession(): Promise<SessionState> {
  const session = await get<SessionState>('/session');
  setCsrf(session.csrf);
  return session;
}

/** Makes answers of 401 and 403 anywhere correct what the pages believe of the session. */
export function watchSession(client: QueryClient): void {
  setOnUnauthorized(() => {
    client.setQueryData<SessionState>(KEY, (session) => session && { ...session, identity: null });
  });
  setRenewCsrf(async () => {
    const session = await client.fetchQuery({ queryKey: KEY, queryFn: loadSession, staleTime: 0 });
    return session.csrf;
  });
}

/** The session, loaded once and again when something changes it. */
export function useSession() {
  return useQuery({ queryKey: KEY, queryFn: loadSession, staleTime: Number.POSITIVE_INFINITY });
}

/** What changes the session. Each answers with the session as it is afterwards. */
export function useSessionActions() {
  const client = useQueryClient();

  const reload = useCallback(
    () => client.fetchQuery({ queryKey: KEY, queryFn: loadSession, staleTime: 0 }),
    [client],
  );

  const signIn = useCallback(
    async (email: string, password: string, second?: SecondStep): Promise<SessionState> => {
      const answer = await post<SessionState | undefined>('/session', {
        email,
        password,
        ...second,
      });
      const session = await reload();
      return { ...session, mfaId: answer?.mfaId ?? null };
    },
    [reload],
  );

  const setUp = useCallback(
    async (token: string, email: string, password: string): Promise<SessionState> => {
      await post('/setup', { token, email, password });
      const session = await reload();
      return session.identity ? session : signIn(email, password);
    },
    [reload, signIn],
  );

  const exchange = useCallback(
    async (code: string): Promise<SessionState> => {
      // The CSRF token of this host comes with its first session answer.
      await reload();
      await post('/session/exchange', { code });
      return reload();
    },
    [reload],
  );

  const signOut = useCallback(async (): Promise<void> => {
    await remove('/session');
    const session = await reload();
    client.clear();
    client.setQueryData(KEY, session);
  }, [client, reload]);

  return { reload, signIn, setUp, exchange, signOut };
}

/** A single-use code by which another page host gets a session of its own. */
export async function newSessionCode(): Promise<string> {
  const { code } = await post<{ code: string }>('/session/code');
  return code;
}
