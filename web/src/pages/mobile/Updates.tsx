import { Text } from '@mantine/core';
import { IconDeviceMobile } from '@tabler/icons-react';
import { get } from '@/api/client';
import type { Page as ListPage, MobileUpdate } from '@/api/types';
import { type Column, DataTable } from '@/components/DataTable';
import { useList } from '@/components/list';
import { Page } from '@/components/Page';
import { EmptyState } from '@/components/states';
import { Time } from '@/components/Time';
import { formatBytes, formatCount } from '@/format';

const COLUMNS: Column<MobileUpdate>[] = [
  {
    header: 'Update',
    cell: ({ id, message }) => (
      <div>
        <Text size="sm" fw={600}>
          {message || '(no message)'}
        </Text>
        <Text size="xs" c="dimmed" ff="monospace">
          {id}
        </Text>
      </div>
    ),
  },
  { header: 'Platform', cell: ({ platform }) => platform },
  { header: 'Runtime', cell: ({ runtime_version }) => runtime_version },
  { header: 'Channel', cell: ({ channel }) => channel },
  { header: 'Assets', align: 'right', cell: ({ assets }) => formatCount(assets) },
  { header: 'Size', align: 'right', cell: ({ size_bytes }) => formatBytes(size_bytes) },
  { header: 'Published', cell: ({ created_ms }) => <Time ms={created_ms} /> },
];

/** Updates that applications fetch over the air. */
export default function Updates() {
  const updates = useList<MobileUpdate>(['mobile', 'updates'], (before) =>
    get<ListPage<MobileUpdate>>('/mobile/updates', { before }),
  );
  return (
    <Page title="Mobile updates" lead="What installed applications fetch over the air">
      <DataTable
        label="Updates"
        list={updates}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        empty={
          <EmptyState icon={IconDeviceMobile} title="No updates yet">
            An update that is published to <code>mobile-build</code> appears here.
          </EmptyState>
        }
      />
    </Page>
  );
}
