import { Text } from '@mantine/core';
import { IconMail } from '@tabler/icons-react';
import { get } from '@/api/client';
import type { Page as ListPage, MailboxItem } from '@/api/types';
import { type Column, DataTable } from '@/components/DataTable';
import { useList } from '@/components/list';
import { Page } from '@/components/Page';
import { EmptyState } from '@/components/states';
import { Time } from '@/components/Time';

const POLL_MS = 3000;

const COLUMNS: Column<MailboxItem>[] = [
  { header: 'Subject', cell: ({ subject }) => subject || '(no subject)' },
  { header: 'To', cell: ({ to }) => to },
  {
    header: 'From',
    cell: ({ from }) => (
      <Text span size="sm" c="dimmed">
        {from}
      </Text>
    ),
  },
  { header: 'Sent', cell: ({ created_ms }) => <Time ms={created_ms} />, width: '9rem' },
];

/** The built-in mailbox: what would have been sent if a mail server were configured. */
export default function Mailbox() {
  const mails = useList<MailboxItem>(
    ['notifications', 'mailbox'],
    (before) => get<ListPage<MailboxItem>>('/notifications/mailbox', { before }),
    { pollMs: POLL_MS },
  );
  return (
    <Page title="Mailbox" lead="Mail that mito keeps here while no SMTP server is configured">
      <DataTable
        label="Messages"
        list={mails}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowHref={({ id }) => `/notifications/mailbox/${encodeURIComponent(id)}`}
        empty={
          <EmptyState icon={IconMail} title="No mail yet">
            With <code>SMTP_HOST</code> set, mail leaves by that server and none is kept here.
          </EmptyState>
        }
      />
    </Page>
  );
}
