import { Button, Group, Select, Text, TextInput } from '@mantine/core';
import { IconChevronLeft, IconChevronRight, IconRoute, IconSearch } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { type Column, DataTable } from '@/components/DataTable';
import { EmptyState } from '@/components/states';
import { type ListState, nextSort, PAGE_SIZES, useListState } from './list-state';
import { type Kind, objectHref } from './names';
import { useObjects } from './queries';
import type { Described } from './types';

/** How long after the last letter a search begins. */
const TYPING_MS = 250;

interface ObjectListProps<T> {
  kind: Kind;
  label: string;
  columns: Column<T>[];
  /** What it means that there are none at all. */
  empty: string;
}

/** The routers, services or middlewares of the gateway: searched, sorted and paged by it. */
export function ObjectList<T extends Described>({
  kind,
  label,
  columns,
  empty,
}: ObjectListProps<T>) {
  const sorts = columns.filter(({ sortKey }) => sortKey !== undefined);
  const { state, change } = useListState(sorts.map(({ sortKey = '' }) => sortKey));
  const query = useObjects<T>(kind, state);
  const isFiltered = state.search !== '' || state.status !== '';
  return (
    <>
      <Group gap="xs" align="flex-end">
        <Search value={state.search} onChange={(search) => change({ search })} label={label} />
        <Select
          aria-label="State"
          w={130}
          allowDeselect={false}
          data={[
            { value: '', label: 'Any state' },
            { value: 'enabled', label: 'Enabled' },
            { value: 'warning', label: 'Warning' },
            { value: 'disabled', label: 'Disabled' },
          ]}
          value={state.status}
          onChange={(status) => change({ status: status ?? '' })}
        />
        {/* Cards have no headings to sort by. */}
        <Select
          hiddenFrom="sm"
          aria-label="Sort by"
          flex={1}
          miw={130}
          allowDeselect={false}
          data={sorts.flatMap(({ header, sortKey = '' }) => [
            { value: sortKey, label: `By ${header.toLowerCase()}` },
            { value: `-${sortKey}`, label: `By ${header.toLowerCase()}, down` },
          ])}
          value={state.sort}
          onChange={(sort) => sort && change({ sort })}
        />
      </Group>
      <DataTable
        label={label}
        list={{
          rows: query.data?.items,
          error: query.error,
          retry: () => void query.refetch(),
          hasMore: false,
          loadMore: () => {},
          loadingMore: false,
        }}
        columns={columns}
        // Two files may give the same name away; what is wrong tells them apart.
        rowKey={({ name, error }) => [name, ...(error ?? [])].join(' ')}
        rowHref={({ name }) => objectHref(kind, name)}
        sort={state.sort}
        onSort={(key) => change({ sort: nextSort(state.sort, key) })}
        empty={
          <EmptyState icon={IconRoute} title={isFiltered ? 'Nothing matches' : `No ${kind}`}>
            {isFiltered ? 'Try another word or state.' : empty}
          </EmptyState>
        }
      />
      <Pager state={state} change={change} hasNext={query.data?.hasNext ?? false} />
    </>
  );
}

interface SearchProps {
  value: string;
  onChange: (value: string) => void;
  label: string;
}

/** Words to look for, asked for once they have been typed. */
export function Search({ value, onChange, label }: SearchProps) {
  const [text, setText] = useState(value);
  const [asked, setAsked] = useState(value);
  // Somebody may have gone back to another search.
  if (value !== asked) {
    setAsked(value);
    setText(value);
  }
  useEffect(() => {
    if (text.trim() === asked) {
      return;
    }
    const timer = window.setTimeout(() => {
      setAsked(text.trim());
      onChange(text.trim());
    }, TYPING_MS);
    return () => window.clearTimeout(timer);
  }, [text, asked, onChange]);
  return (
    <TextInput
      type="search"
      flex={1}
      miw={180}
      aria-label={`Search ${label.toLowerCase()}`}
      placeholder="Search"
      leftSection={<IconSearch size={16} />}
      spellCheck={false}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
    />
  );
}

interface PagerProps {
  state: ListState;
  change: (changes: Partial<ListState>) => void;
  hasNext: boolean;
}

/** The way to the other pages; the gateway does not count them. */
function Pager({ state, change, hasNext }: PagerProps) {
  const { page, perPage } = state;
  if (page === 1 && !hasNext) {
    return null;
  }
  return (
    <Group justify="space-between" gap="sm">
      <Select
        aria-label="Rows on a page"
        size="xs"
        w={110}
        allowDeselect={false}
        data={PAGE_SIZES.map((size) => ({ value: String(size), label: `${size} a page` }))}
        value={String(perPage)}
        onChange={(value) => value && change({ perPage: Number(value) })}
      />
      <Group gap="xs">
        <Button
          size="xs"
          variant="default"
          leftSection={<IconChevronLeft size={14} />}
          disabled={page === 1}
          onClick={() => change({ page: page - 1 })}
        >
          Previous
        </Button>
        <Text span size="sm" role="status">
          Page {page}
        </Text>
        <Button
          size="xs"
          variant="default"
          rightSection={<IconChevronRight size={14} />}
          disabled={!hasNext}
          onClick={() => change({ page: page + 1 })}
        >
          Next
        </Button>
      </Group>
    </Group>
  );
}
