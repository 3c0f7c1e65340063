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

const POLL_MS = 3000;

const COLUMNS: Column<Delivery>[] = [
  { header: 'Recipient', cell: ({ recipient }) => recipient },
  { header: 'Channel', cell: ({ channel }) => channel },
  {
    header: 'State',
    cell: ({ state, error }) => (
      <div>
        <StatusBadge state={state} />
        {error && (
          <Text size="xs" c="dimmed" lineClamp={2} mt={2}>
            {error}
          </Text>
        )}
      </div>
    ),
  },
  { header: 'Planned', cell: ({ created_ms }) => <Time ms={created_ms} />, width: '9rem' },
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
