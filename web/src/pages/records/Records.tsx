import { Button, Drawer, Text } from '@mantine/core';
import { IconPlus, IconTable } from '@tabler/icons-react';
import { useState } from 'react';
import { useParams } from 'wouter';
import type { Collection, RecordRow } from '@/api/types';
import { type Column, DataTable } from '@/components/DataTable';
import { Page } from '@/components/Page';
import { EmptyState, ErrorState } from '@/components/states';
import { Time } from '@/components/Time';
import { parseTime } from '@/format';
import { CreateRecord } from './CreateRecord';
import { cellText } from './fields';
import { useCollection, useRecords } from './queries';

const SHOWN_FIELDS = 5;

/** The columns of a collection: its first fields that are worth a column. */
function columnsOf({ fields }: Collection): Column<RecordRow>[] {
  const shown = fields.filter(
    ({ name, type, hidden }) =>
      name !== 'id' && !hidden && type !== 'autodate' && type !== 'editor' && type !== 'password',
  );
  const columns: Column<RecordRow>[] = [{ header: 'id', cell: ({ id }) => id, width: '11rem' }];
  for (const { name } of shown.slice(0, SHOWN_FIELDS)) {
    columns.push({
      header: name,
      cell: (record) => (
        <Text span size="sm" lineClamp={2}>
          {cellText(record[name])}
        </Text>
      ),
    });
  }
  if (fields.some(({ name }) => name === 'created')) {
    columns.push({ header: 'created', cell: ({ created }) => <Time ms={parseTime(created)} /> });
  }
  return columns;
}

/** The records of any collection. */
export default function Records() {
  const { collection: name = '' } = useParams<{ collection: string }>();
  const { collection, data, error, refetch } = useCollection(name);
  const crumbs = [{ label: 'Collections', href: '/records' }];
  if (collection) {
    return <Grid key={name} collection={collection} />;
  }
  return (
    <Page title={name} crumbs={crumbs}>
      {error && <ErrorState error={error} retry={() => void refetch()} />}
      {data && <EmptyState icon={IconTable} title={`There is no collection called ${name}`} />}
    </Page>
  );
}

function Grid({ collection }: { collection: Collection }) {
  const [creating, setCreating] = useState(false);
  const dated = collection.fields.some(({ name }) => name === 'created');
  const records = useRecords<RecordRow>(collection.name, { sort: dated ? '-created' : '' });
  return (
    <Page
      title={collection.name}
      crumbs={[{ label: 'Collections', href: '/records' }]}
      actions={
        <Button leftSection={<IconPlus size={16} />} onClick={() => setCreating(true)}>
          New record
        </Button>
      }
    >
      <DataTable
        label={`Records of ${collection.name}`}
        list={records}
        columns={columnsOf(collection)}
        rowKey={({ id }) => id}
        rowHref={({ id }) =>
          `/records/${encodeURIComponent(collection.name)}/${encodeURIComponent(id)}`
        }
        empty={<EmptyState icon={IconTable} title="No records yet" />}
      />
      <Drawer
        opened={creating}
        onClose={() => setCreating(false)}
        title={`New record in ${collection.name}`}
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        <CreateRecord collection={collection} onDone={() => setCreating(false)} />
      </Drawer>
    </Page>
  );
}
