/** What files say that does not work, though it could be read: a rule, a service that is missing. */

import { useQuery } from '@tanstack/react-query';
import { getPage } from '@/api/client';
import type { Kind } from '../names';
import type { Described } from '../types';

const POLL_MS = 5000;
const MOST = 500;
const KINDS: Kind[] = ['routers', 'services', 'middlewares'];

export interface Trouble {
  file: string;
  line: number | null;
  text: string;
}

/** Where an error of the gateway stands: `shop.yml line 4: routers.shop: …`. */
export function placeOf(error: string): Trouble | null {
  const match = /^([\w.-]+\.(?:ya?ml|toml))(?: line (\d+))?: ([\s\S]*)$/.exec(error);
  if (!match) {
    return null;
  }
  const [, file = '', line, text = ''] = match;
  return { file, line: line === undefined ? null : Number(line), text };
}

/** The troubles of all objects, in the order of their files and lines. */
export function troublesOf(objects: Described[]): Trouble[] {
  return objects
    .flatMap(({ error = [] }) => error.flatMap((text) => placeOf(text) ?? []))
    .sort((a, b) => a.file.localeCompare(b.file) || (a.line ?? 0) - (b.line ?? 0));
}

/** What does not work in all files. */
export function useTroubles(): Trouble[] {
  const query = useQuery({
    queryKey: ['gateway', 'troubles'],
    queryFn: async () => {
      const pages = await Promise.all(
        KINDS.map((kind) =>
          getPage<Described>(`/gateway/http/${kind}`, { status: 'disabled', per_page: MOST }),
        ),
      );
      return troublesOf(pages.flatMap(({ items }) => items));
    },
    refetchInterval: POLL_MS,
  });
  return query.data ?? [];
}
