import { Badge, Group, SegmentedControl, Select, Skeleton, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconSearch, IconUsers } from '@tabler/icons-react';
import { useState } from 'react';
import { useSearchParams } from 'wouter';
import type { Collection, RecordRow } from '@/api/types';
import { type Column, DataTable } from '@/components/DataTable';
import { Page } from '@/components/Page';
import { EmptyState, ErrorState } from '@/components/states';
import { Time } from '@/components/Time';
import { parseTime } from '@/format';
import { searchFilter } from '../filter';
import { titleFields, useCollections, useRecords } from '../queries';

const DEBOUNCE_MS = 250;
/** As many names as stand beside each other. */
const MAX_SEGMENTS = 4;

/** Everybody who can sign in, by collection. */
export default function Accounts() {
  const { data, error, refetch } = useCollections();
  const [search, setSearch] = useSearchParams();
  const auth = data?.filter(({ type }) => type === 'auth') ?? [];
  const chosen =
    auth.find(({ name }) => name === search.get('collection')) ??
    auth.find(({ system }) => !system) ??
    auth[0];
  const choose = (name: string | null) => name && setSearch({ collection: name });
  const names = auth.map(({ name }) => ({ value: name, label: labelOf(name) }));
  return (
    <Page title="Accounts" lead="Who can sign in, with their sessions">
      {error && !data && <ErrorState error={error} retry={() => void refetch()} />}
      {!data && !error && <Skeleton height={240} />}
      {chosen && (
        <>
          {names.length > MAX_SEGMENTS ? (
            <Select
              label="Collection"
              allowDeselect={false}
              data={names}
              value={chosen.name}
              onChange={choose}
            />
          ) : (
            <SegmentedControl
              aria-label="Collection"
              data={names}
              value={chosen.name}
              onChange={choose}
              style={{ alignSelf: 'start' }}
            />
          )}
          <AccountList key={chosen.id} collection={chosen} />
        </>
      )}
    </Page>
  );
}

function labelOf(name: string): string {
  return name === '_superusers' ? 'administrators' : name;
}

function columnsOf(collection: Collection): Column<RecordRow>[] {
  const [title] = titleFields(collection).filter(({ name }) => name !== 'email');
  const columns: Column<RecordRow>[] = [
    { header: 'Account', cell: ({ id, email }) => String(email || id) },
  ];
  if (title) {
    columns.push({ header: title.name, cell: (record) => String(record[title.name] ?? '') || '–' });
  }
  if (collection.name !== '_superusers') {
    columns.push({
      header: 'Address',
      cell: ({ verified }) => (
        <Badge radius="sm" tt="none" variant="light" color={verified ? 'teal' : 'orange'}>
          {verified ? 'verified' : 'not verified'}
        </Badge>
      ),
    });
  }
  columns.push({ header: 'Created', cell: ({ created }) => <Time ms={parseTime(created)} /> });
  return columns;
}

function AccountList({ collection }: { collection: Collection }) {
  const [text, setText] = useState('');
  const [search] = useDebouncedValue(text, DEBOUNCE_MS);
  const fields = [...new Set(['id', 'email', ...titleFields(collection).map(({ name }) => name)])];
  const accounts = useRecords<RecordRow>(collection.name, {
    filter: searchFilter(search, fields),
    sort: collection.fields.some(({ name }) => name === 'created') ? '-created' : '',
  });
  return (
    <>
      <Group>
        <TextInput
          aria-label="Search the accounts"
          placeholder="Search by e-mail, name or id"
          leftSection={<IconSearch size={16} />}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          flex={1}
        />
      </Group>
      <DataTable
        label={`Accounts of ${collection.name}`}
        list={accounts}
        columns={columnsOf(collection)}
        rowKey={({ id }) => id}
        rowHref={({ id }) =>
          `/records/${encodeURIComponent(collection.name)}/${encodeURIComponent(id)}`
        }
        empty={
          <EmptyState icon={IconUsers} title={search ? 'Nobody matches' : 'No accounts yet'}>
            <Text size="sm">Accounts are records of {collection.name}.</Text>
          </EmptyState>
        }
      />
    </>
  );
}
