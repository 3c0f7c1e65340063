/** What the record grid shows, kept in the address so that it can be shared and gone back to. */

import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { useSearchParams } from 'wouter';
import { apiUrl, request } from '@/api/client';
import type { Collection, RecordPage, RecordRow } from '@/api/types';
import { searchFilter } from '../filter';
import { syntaxProblem } from '../language/syntax';
import { tokenize } from '../language/tokens';
import { recordsPath } from '../queries';

export const PAGE_SIZES = [25, 50, 100, 500];
const DEFAULT_SIZE = 50;

export interface GridState {
  filter: string;
  sort: string;
  page: number;
  perPage: number;
  /** The record that is open beside the grid; `new` for one that is being made. */
  record: string | null;
}

/** The state, and how to change parts of it. */
export function useGridState(collection: Collection) {
  const [search, setSearch] = useSearchParams();
  const state = useMemo<GridState>(() => {
    const perPage = Number(search.get('perPage'));
    return {
      filter: search.get('filter') ?? '',
      sort: search.get('sort') ?? defaultSort(collection),
      page: Math.max(1, Number(search.get('page')) || 1),
      perPage: PAGE_SIZES.includes(perPage) ? perPage : DEFAULT_SIZE,
      record: search.get('record'),
    };
  }, [search, collection]);
  const change = useCallback(
    (values: Partial<GridState>) => {
      setSearch((current) => {
        const next = new URLSearchParams(current);
        // Another filter or order begins at its first page.
        if (values.filter !== undefined || values.sort !== undefined || values.perPage) {
          next.delete('page');
        }
        for (const [name, value] of Object.entries(values)) {
          if (value === null || value === '') {
            next.delete(name);
          } else {
            next.set(name, String(value));
          }
        }
        return next;
      });
    },
    [setSearch],
  );
  return { state, change };
}

function defaultSort({ fields }: Collection): string {
  return fields.some(({ name, type }) => name === 'created' && type === 'autodate')
    ? '-created'
    : '';
}

const SEARCHED = new Set(['text', 'email', 'url', 'editor', 'select', 'number', 'json']);

/** A filter as it is, or words to look for in all fields that hold text. */
export function effectiveFilter(text: string, collection: Collection): string {
  const trimmed = text.trim();
  const tokens = tokenize(trimmed);
  const isFilter = tokens.some(({ kind }) => kind === 'operator') && syntaxProblem(tokens) === null;
  if (trimmed === '' || isFilter || tokens.some(({ kind }) => kind === 'operator')) {
    return trimmed;
  }
  const fields = collection.fields
    .filter(({ type, hidden }) => SEARCHED.has(type) && !hidden)
    .map(({ name }) => name);
  return searchFilter(trimmed, fields);
}

/** The order after a click on a column's heading: up, down, as it was. */
export function nextSort(sort: string, field: string): string {
  if (sort === field) {
    return `-${field}`;
  }
  return sort === `-${field}` ? '' : field;
}

/** The page of records that the state asks for, with the records that they refer to. */
export function useGridPage(collection: Collection, state: GridState, shown: string[]) {
  const filter = effectiveFilter(state.filter, collection);
  const expand = collection.fields
    .filter(({ name, type }) => type === 'relation' && shown.includes(name))
    .map(({ name }) => name)
    .join(',');
  const { page, perPage, sort } = state;
  return useQuery({
    queryKey: ['records', collection.name, 'list', filter, sort, page, perPage, expand],
    queryFn: () =>
      request<RecordPage<RecordRow>>(
        'GET',
        apiUrl(recordsPath(collection.name), { page, perPage, sort, filter, expand }),
      ),
    placeholderData: keepPreviousData,
  });
}
