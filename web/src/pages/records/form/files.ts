/** Addresses of records' files. */

import { useQuery } from '@tanstack/react-query';
import { apiUrl, post } from '@/api/client';
import type { CollectionField } from '@/api/types';

/** Tokens live for minutes at least; a new one well before. */
const TOKEN_STALE_MS = 60_000;

const IMAGE = /\.(jpe?g|png|gif|webp|svg|avif)$/i;

/** Whether a file's name promises an image. */
export function isImage(name: string): boolean {
  return IMAGE.test(name);
}

/** A token for protected files, where any of the fields has such. */
export function useFileToken(fields: CollectionField[]): string | undefined {
  const { data } = useQuery({
    queryKey: ['file-token'],
    queryFn: async () => (await post<{ token: string }>('/files/token')).token,
    enabled: fields.some((field) => field.protected === true),
    staleTime: TOKEN_STALE_MS,
    refetchInterval: TOKEN_STALE_MS,
  });
  return data;
}

interface FilePlace {
  collection: string;
  record: string;
  name: string;
  token?: string | undefined;
}

/** The address of a file, of a thumbnail of it, or for saving it. */
export function fileUrl(
  { collection, record, name, token }: FilePlace,
  more: { thumb?: string; download?: 1 } = {},
): string {
  const path = [collection, record, name].map(encodeURIComponent).join('/');
  return apiUrl(`/files/${path}`, { ...more, token });
}
