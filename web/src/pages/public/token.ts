/** Tokens of links in mails, as far as the page needs to read them. The server checks them. */

export interface LinkToken {
  collectionId: string;
  email: string;
  newEmail: string;
  /** Whether its time is over, by this computer's clock. */
  isOver: boolean;
}

/** What a token says; null when it is none. */
export function readToken(token: string, nowMs: number): LinkToken | null {
  const [, payload] = token.split('.');
  if (!payload) {
    return null;
  }
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll('-', '+').replaceAll('_', '/')), (char) =>
      char.charCodeAt(0),
    );
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    if (typeof claims !== 'object' || claims === null) {
      return null;
    }
    const { collectionId, email, newEmail, exp } = claims as Record<string, unknown>;
    if (typeof collectionId !== 'string' || collectionId === '') {
      return null;
    }
    return {
      collectionId,
      email: typeof email === 'string' ? email : '',
      newEmail: typeof newEmail === 'string' ? newEmail : '',
      isOver: typeof exp === 'number' && exp * 1000 < nowMs,
    };
  } catch {
    return null;
  }
}

/** The page that PocketBase's own links lead to, `/_/#/auth/…`, as it is here. */
export function pageOfHash(hash: string): string | null {
  const found = /^#(\/auth\/[a-z0-9-]+(?:\/[\w.-]+)?)\/?$/.exec(hash);
  return found?.[1] ?? null;
}
