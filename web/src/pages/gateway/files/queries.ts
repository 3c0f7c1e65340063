/** The files that the gateway's routes are read from. */

import { useQuery } from '@tanstack/react-query';
import { apiUrl, get, orNull, request } from '@/api/client';

const POLL_MS = 5000;

export interface FileEntry {
  name: string;
  format: 'yaml' | 'toml';
  sizeBytes: number;
  /** Absent where the file system does not say. */
  modified: string | null;
  /** Why it is not in use. */
  error: { message: string; line?: number | null } | null;
}

export interface FileText {
  name: string;
  text: string;
  version: string;
}

/** The files with their states; `null` where this mito has none to edit. */
export function useFiles() {
  return useQuery({
    queryKey: ['gateway', 'files', 'list'],
    queryFn: async () =>
      (await orNull(get<{ files: FileEntry[] }>('/gateway/files')))?.files ?? null,
    refetchInterval: POLL_MS,
  });
}

function pathOf(name: string): string {
  return `/gateway/files/${encodeURIComponent(name)}`;
}

/** The key of a file's text. */
export function fileKey(name: string) {
  return ['gateway', 'files', 'one', name];
}

/** The text of a file; `null` where there is none of the name. */
export function useFile(name: string) {
  return useQuery({
    queryKey: fileKey(name),
    queryFn: () => orNull(get<FileText>(pathOf(name))),
    refetchInterval: POLL_MS,
  });
}

/** Asks whether a text could be applied; changes nothing. */
export function checkFile(name: string, text: string): Promise<unknown> {
  return request('PUT', apiUrl(pathOf(name), { dry_run: 1 }), { text });
}

/** Puts a text in the place of the version that it was made from. */
export function applyFile(
  name: string,
  text: string,
  version: string | undefined,
): Promise<FileText> {
  return request<FileText>('PUT', apiUrl(pathOf(name)), {
    text,
    ...(version !== undefined && { version }),
  });
}

export function deleteFile(name: string): Promise<void> {
  return request<void>('DELETE', apiUrl(pathOf(name)));
}
