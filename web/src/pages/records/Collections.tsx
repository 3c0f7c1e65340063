import { Badge, Button, Group, Menu, SegmentedControl, Text, TextInput } from '@mantine/core';
import {
  IconDatabase,
  IconEye,
  IconFileExport,
  IconPlus,
  IconSearch,
  IconTable,
  IconUsers,
} from '@tabler/icons-react';
import { useState } from 'react';
import { Link } from 'wouter';
import type { Collection } from '@/api/types';
import { type Column, DataTable } from '@/components/DataTable';
import { wholeList } from '@/components/list';
import { Page } from '@/components/Page';
import { EmptyState } from '@/components/states';
import { useCollections } from './queries';
import { CollectionMenu } from './schema/CollectionMenu';

/** Who may do something, from its rule: `null` administrators alone, empty everybody. */
function who(rule: string | null): string {
  if (rule === null) {
    return 'administrators';
  }
  return rule === '' ? 'everybody' : rule;
}

const TYPES = {
  base: { label: 'records', icon: IconTable },
  auth: { label: 'accounts', icon: IconUsers },
  view: { label: 'view', icon: IconEye },
} as const;

const COLUMNS: Column<Collection>[] = [
  {
    header: 'Collection',
    cell: ({ name, type }) => {
      const { icon: Icon } = TYPES[type];
      return (
        <Group gap={8} wrap="nowrap" component="span" miw="max-content">
          <Icon size={18} style={{ flex: 'none', opacity: 0.6 }} />
          <span>{name}</span>
        </Group>
      );
    },
  },
  {
    header: 'Type',
    cell: ({ type }) => (
      <Badge variant="light" color="mito" tt="none" radius="sm" miw="max-content">
        {TYPES[type].label}
      </Badge>
    ),
  },
  {
    header: 'Fields',
    width: '40%',
    cell: ({ fields }) => (
      <Text span size="sm" c="dimmed" lineClamp={2}>
        {fields.map(({ name }) => name).join(', ')}
      </Text>
    ),
  },
  {
    header: 'May be listed by',
    cell: ({ listRule }) => (
      <Text span size="sm" c="dimmed" lineClamp={2}>
        {who(listRule)}
      </Text>
    ),
  },
];

/** The collections of the database, those of the platform apart. */
export default function Collections() {
  const collections = useCollections();
  const [shown, setShown] = useState('own');
  const [search, setSearch] = useState('');
  const wanted = search.trim().toLowerCase();
  const rows = collections.data
    ?.filter(
      ({ name, system }) =>
        (system ?? false) === (shown === 'system') && name.toLowerCase().includes(wanted),
    )
    .sort((a, b) => a.name.localeCompare(b.name));
  return (
    <Page
      title="Collections"
      lead="What the API serves: tables with fields and rules"
      actions={
        <>
          <Button
            component={Link}
            href="/collections/transfer"
            variant="default"
            leftSection={<IconFileExport size={16} />}
          >
            Import and export
          </Button>
          <NewCollection />
        </>
      }
    >
      <Group gap="sm">
        <TextInput
          aria-label="Search the collections"
          placeholder="Search the collections"
          leftSection={<IconSearch size={16} />}
          value={search}
          onChange={(event) => setSearch(event.currentTarget.value)}
          flex={1}
          miw={180}
        />
        <SegmentedControl
          aria-label="Which collections"
          data={[
            { value: 'own', label: 'Yours' },
            { value: 'system', label: 'System' },
          ]}
          value={shown}
          onChange={setShown}
        />
      </Group>
      <DataTable
        label="Collections"
        list={wholeList({ ...collections, data: rows })}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowHref={({ name }) => `/records/${encodeURIComponent(name)}`}
        rowActions={(collection) => <RowActions collection={collection} />}
        empty={
          <EmptyState icon={IconDatabase} title={wanted ? 'Nothing matches' : 'No collections yet'}>
            {wanted ? 'Try another name.' : 'Create one, or import those of another installation.'}
          </EmptyState>
        }
      />
    </Page>
  );
}

function RowActions({ collection }: { collection: Collection }) {
  return (
    <Group gap={4} wrap="nowrap" justify="flex-end">
      <Button
        component={Link}
        href={`/schema/${encodeURIComponent(collection.name)}`}
        size="compact-sm"
        variant="subtle"
        aria-label={`Edit ${collection.name}`}
      >
        Edit
      </Button>
      <CollectionMenu collection={collection} subtle />
    </Group>
  );
}

function NewCollection() {
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <Button leftSection={<IconPlus size={16} />}>New collection</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item component={Link} href="/schema?type=base" leftSection={<IconTable size={16} />}>
          Records
        </Menu.Item>
        <Menu.Item component={Link} href="/schema?type=auth" leftSection={<IconUsers size={16} />}>
          Accounts that can sign in
        </Menu.Item>
        <Menu.Item component={Link} href="/schema?type=view" leftSection={<IconEye size={16} />}>
          View: the result of a query
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
