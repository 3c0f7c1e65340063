import { Select, type SelectProps } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { apiUrl, request } from '@/api/client';
import type { Collection, RecordPage, RecordRow } from '@/api/types';
import { searchFilter } from './filter';
import { recordsPath, recordTitle, titleFields } from './queries';

const DEBOUNCE_MS = 200;
const FOUND = 20;

/** The records of a collection that match some words, by id and by what names them. */
export function useRecordSearch(collection: Collection, words: string) {
  const [search] = useDebouncedValue(words, DEBOUNCE_MS);
  const fields = ['id', ...titleFields(collection).map(({ name }) => name)];
  const filter = searchFilter(search, fields);
  return useQuery({
    queryKey: ['records', collection.name, 'search', filter],
    queryFn: () =>
      request<RecordPage<RecordRow>>(
        'GET',
        apiUrl(recordsPath(collection.name), { filter, perPage: FOUND, skipTotal: 1 }),
      ),
    placeholderData: keepPreviousData,
  });
}

interface RecordPickerProps
  extends Pick<SelectProps, 'label' | 'placeholder' | 'error' | 'description'> {
  collection: Collection;
  value: string | null;
  onChange: (id: string | null) => void;
}

/** Chooses one record by searching. */
export function RecordPicker({ collection, value, onChange, ...props }: RecordPickerProps) {
  const [words, setWords] = useState('');
  const [chosen, setChosen] = useState<{ value: string; label: string } | null>(null);
  // The name of what is chosen stands in the input and is no search.
  const { data } = useRecordSearch(collection, words === chosen?.label ? '' : words);
  const found = (data?.items ?? []).map((record) => ({
    value: record.id,
    label: label(collection, record),
  }));
  const options = found.some((one) => one.value === value) || !chosen ? found : [chosen, ...found];
  return (
    <Select
      {...props}
      searchable
      clearable
      data={options}
      value={value}
      searchValue={words}
      onSearchChange={setWords}
      // The server has searched already.
      filter={({ options: all }) => all}
      nothingFoundMessage="No record matches"
      onChange={(id) => {
        setChosen(options.find((one) => one.value === id) ?? null);
        onChange(id);
      }}
      flex={1}
      miw={200}
    />
  );
}

function label(collection: Collection, record: RecordRow): string {
  const title = recordTitle(collection, record);
  return title === record.id ? title : `${title} (${record.id})`;
}
