/** What a link of a mail confirms, without anybody being signed in. */

import { post } from '@/api/client';
import { useSession } from '@/session/session';

/** The confirmations; each takes the token of its link. */
export type Confirmation =
  | 'confirm-verification'
  | 'confirm-password-reset'
  | 'confirm-email-change';

/** Confirms, once the session's answer has brought the token that unsafe requests carry. */
export function useConfirm(kind: Confirmation, collectionId: string) {
  const session = useSession();
  return async (body: Record<string, string>): Promise<void> => {
    if (!session.data) {
      await session.refetch();
    }
    await post<void>(`/public/collections/${encodeURIComponent(collectionId)}/${kind}`, body);
  };
}
