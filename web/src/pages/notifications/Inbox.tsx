import { Text } from '@mantine/core';
import { IconInbox } from '@tabler/icons-react';
import { get } from '@/api/client';
import type { InboxEntry, Page as ListPage } from '@/api/types';
import { type Column, DataTable } from '@/components/DataTable';
import { useList } from '@/components/list';
import { Page } from '@/components/Page';
import { EmptyState } from '@/components/states';
import { Time } from '@/components/Time';
import { RecordLink } from '@/pages/records/RecordLink';

const POLL_MS = 3000;

const COLUMNS: Column<InboxEntry>[] = [
  {
    header: 'Entry',
    width: '40%',
    cell: ({ title, body }) => (
      <div>
        <Text size="sm" fw={600}>
          {title}
        </Text>
        <Text size="xs" c="dimmed" lineClamp={2}>
          {body}
        </Text>
      </div>
    ),
  },
  {
    header: 'Recipient',
    nowrap: true,
    cell: ({ recipient_collection, recipient }) => (
      <RecordLink collection={recipient_collection} id={recipient} />
    ),
  },
  {
    header: 'About',
    nowrap: true,
    cell: ({ collection, record }) => <RecordLink collection={collection} id={record} />,
  },
  { header: 'Read', cell: ({ read_ms }) => <Time ms={read_ms} /> },
  { header: 'Created', cell: ({ created_ms }) => <Time ms={created_ms} /> },
];

/** What subscribers find in the application itself. */
export default function Inbox() {
  const entries = useList<InboxEntry>(
    ['notifications', 'inbox'],
    (before) => get<ListPage<InboxEntry>>('/notifications/inbox', { before }),
    { pollMs: POLL_MS },
  );
  return (
    <Page title="Inbox" lead="Notifications inside the application, one entry for every recipient">
      <DataTable
        label="Inbox entries"
        list={entries}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        empty={<EmptyState icon={IconInbox} title="No entries yet" />}
      />
    </Page>
  );
}
