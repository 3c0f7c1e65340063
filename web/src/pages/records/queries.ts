/** Collections and records in PocketBase's shapes. */

import { useQuery } from '@tanstack/react-query';
import { apiUrl, request } from '@/api/client';
import type { Collection, CollectionField, RecordPage, RecordRow } from '@/api/types';
import { type List, useList } from '@/components/list';

const PER_PAGE = 50;
const COLLECTIONS_LIMIT = 500;

/** The endpoint of a collection's records, or of one of them, below the panel's API. */
export function recordsPath(collection: string, id?: string): string {
  const base = `/collections/${encodeURIComponent(collection)}/records`;
  return id === undefined ? base : `${base}/${encodeURIComponent(id)}`;
}

/** All collections. */
export function useCollections() {
  return useQuery({
    queryKey: ['records', 'collections'],
    queryFn: async () => {
      const url = apiUrl('/collections', { perPage: COLLECTIONS_LIMIT });
      return (await request<RecordPage<Collection>>('GET', url)).items;
    },
  });
}

/** The collection of that name, undefined while it is not known. */
export function useCollection(name: string) {
  const query = useCollections();
  return { ...query, collection: query.data?.find((collection) => collection.name === name) };
}

/** Records of a collection that match a filter, newest first where they have a creation date. */
export function useRecords<T extends RecordRow>(
  collection: string,
  options: { filter?: string; sort?: string; pollMs?: number },
): List<T> {
  const { filter = '', sort = '', pollMs } = options;
  return useList<T>(
    ['records', collection, 'list', filter, sort],
    async (next) => {
      const page = next === null ? 1 : Number(next);
      const url = apiUrl(recordsPath(collection), { page, perPage: PER_PAGE, filter, sort });
      const answer = await request<RecordPage<T>>('GET', url);
      return { items: answer.items, next: page < answer.totalPages ? String(page + 1) : null };
    },
    pollMs === undefined ? {} : { pollMs },
  );
}

/** One record. */
export function useRecord<T extends RecordRow>(collection: string, id: string) {
  return useQuery({
    queryKey: ['records', collection, 'record', id],
    queryFn: () => request<T>('GET', apiUrl(recordsPath(collection, id))),
  });
}

/** The fields that name a record: those marked so, else the first telling one. */
export function titleFields({ fields }: Collection): CollectionField[] {
  const marked = fields.filter(({ presentable, hidden }) => presentable && !hidden);
  if (marked.length > 0) {
    return marked;
  }
  const names = ['name', 'title', 'username', 'email', 'slug', 'label', 'subject'];
  const found = names
    .map((name) => fields.find((field) => field.name === name && !field.hidden))
    .find((field) => field !== undefined);
  const text = fields.find(({ name, type, hidden }) => type === 'text' && name !== 'id' && !hidden);
  const field = found ?? text;
  return field ? [field] : [];
}

/** How a record is called where there is room for a line. */
export function recordTitle(collection: Collection | undefined, record: RecordRow): string {
  const values = collection
    ? titleFields(collection).map(({ name }) => {
        const value = record[name];
        return typeof value === 'object' && value !== null
          ? JSON.stringify(value)
          : String(value ?? '');
      })
    : [];
  return values.filter(Boolean).join(', ').slice(0, 120) || record.id;
}
