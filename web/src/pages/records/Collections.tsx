import { Badge, Text } from '@mantine/core';
import { IconDatabase } from '@tabler/icons-react';
import type { Collection } from '@/api/types';
import { type Column, DataTable } from '@/components/DataTable';
import { wholeList } from '@/components/list';
import { Page } from '@/components/Page';
import { EmptyState } from '@/components/states';
import { useCollections } from './queries';

/** Who may do something, from its rule: `null` administrators alone, empty everybody. */
function who(rule: string | null): string {
  if (rule === null) {
    return 'administrators';
  }
  return rule === '' ? 'everybody' : rule;
}

const COLUMNS: Column<Collection>[] = [
  { header: 'Collection', cell: ({ name }) => name },
  {
    header: 'Type',
    cell: ({ type, system }) => (
      <Badge variant="light" color={system ? 'gray' : 'mito'} tt="none" radius="sm">
        {system ? `${type}, system` : type}
      </Badge>
    ),
  },
  {
    header: 'Fields',
    width: '45%',
    cell: ({ fields }) => (
      <Text span size="sm" c="dimmed" lineClamp={2}>
        {fields.map(({ name }) => name).join(', ')}
      </Text>
    ),
  },
  {
    header: 'May be listed by',
    cell: ({ listRule }) => (
      <Text span size="sm" c="dimmed">
        {who(listRule)}
      </Text>
    ),
  },
];

/** The collections of the database. */
export default function Collections() {
  const collections = useCollections();
  return (
    <Page title="Collections" lead="What the API serves: tables with fields and rules">
      <DataTable
        label="Collections"
        list={wholeList(collections)}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowHref={({ name }) => `/records/${encodeURIComponent(name)}`}
        empty={<EmptyState icon={IconDatabase} title="No collections yet" />}
      />
    </Page>
  );
}
