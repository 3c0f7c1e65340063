import { Text } from '@mantine/core';
import { IconBell } from '@tabler/icons-react';
import { get } from '@/api/client';
import type { Delivery, Page as ListPage } from '@/api/types';
import { type Column, DataTable } from '@/components/DataTable';
import { useList } from '@/components/list';
import { Page } from '@/components/Page';
import { StatusBadge } from '@/components/StatusBadge';
import { EmptyState } from '@/components/states';
import { Time } from '@/components/Time';
import { RecordLink } from '@/pages/records/RecordLink';

const POLL_MS = 3000;

const COLUMNS: Column<Delivery>[] = [
  {
    header: 'Recipient',
    cell: ({ address }) => (
      <Text span size="sm" fw={600}>
        {address}
      </Text>
    ),
  },
  {
    header: 'State',
    cell: ({ state, note }) => (
      <div>
        <StatusBadge state={state} />
        {note && (
          <Text size="xs" c="dimmed" lineClamp={2} mt={2}>
            {note}
          </Text>
        )}
      </div>
    ),
  },
  { header: 'Channel', cell: ({ channel }) => channel || '–' },
  {
    header: 'About',
    cell: ({ collection, record }) => <RecordLink collection={collection} id={record} />,
  },
  { header: 'Trigger', cell: ({ trigger }) => trigger },
  { header: 'Planned', cell: ({ created_ms }) => <Time ms={created_ms} /> },
  { header: 'Finished', cell: ({ finished_ms }) => <Time ms={finished_ms} /> },
];

/** Who was told of what, by which channel, and whether it arrived. */
export default function Deliveries() {
  const deliveries = useList<Delivery>(
    ['notifications', 'deliveries'],
    (before) => get<ListPage<Delivery>>('/notifications/deliveries', { before }),
    { pollMs: POLL_MS },
  );
  return (
    <Page title="Deliveries" lead="One for every recipient of every notification">
      <DataTable
        label="Deliveries"
        list={deliveries}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        empty={
          <EmptyState icon={IconBell} title="Nothing to deliver yet">
            Active subscribers are told when a content is published.
          </EmptyState>
        }
      />
    </Page>
  );
}
