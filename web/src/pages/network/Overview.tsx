import { Anchor, Button, Group, Text } from '@mantine/core';
import { IconPackageImport } from '@tabler/icons-react';
import type { ServiceStatus } from '@/api/types';
import { type Column, DataTable } from '@/components/DataTable';
import { wholeList } from '@/components/list';
import { Page } from '@/components/Page';
import { StatusBadge } from '@/components/StatusBadge';
import { EmptyState } from '@/components/states';
import { Time } from '@/components/Time';
import { MainJob } from './MainJob';
import { serviceUrl, useServices } from './services';
import { useImportStarter } from './starter';

const COLUMNS: Column<ServiceStatus>[] = [
  {
    header: 'Role',
    nowrap: true,
    cell: ({ name }) => (
      <Text fw={600} size="sm">
        {name}
      </Text>
    ),
  },
  {
    header: 'State',
    cell: ({ state, reason }) => (
      <div>
        <StatusBadge state={state} />
        {reason && (
          <Text size="xs" c="dimmed" mt={2}>
            {reason}
          </Text>
        )}
      </div>
    ),
  },
  {
    header: 'Internal address',
    cell: ({ name, port, protocol }) =>
      port ? (
        <Text span size="sm" ff="monospace">
          {name}:{port}
          {protocol !== 'http' && protocol !== name && (
            <Text span size="xs" c="dimmed">
              {' '}
              {protocol}
            </Text>
          )}
        </Text>
      ) : (
        <Text span size="sm" c="dimmed">
          worker
        </Text>
      ),
  },
  { header: 'Reach it at', cell: (service) => <Address service={service} /> },
  {
    header: 'Depends on',
    cell: ({ depends_on }) => (
      <Text span size="sm" c="dimmed">
        {depends_on.join(', ') || '–'}
      </Text>
    ),
  },
  { header: 'Since', cell: ({ since_ms }) => <Time ms={since_ms} /> },
];

function Address({ service }: { service: ServiceStatus }) {
  const url = serviceUrl(service.name, window.location);
  if (!url && !service.published) {
    return (
      <Text span size="sm" c="dimmed">
        {service.exposure}
      </Text>
    );
  }
  return (
    <div>
      {url && (
        <Anchor href={url} size="sm" display="block">
          {url.replace(/^https?:\/\//, '')}
        </Anchor>
      )}
      {service.published && (
        <Text size="sm" ff="monospace" c="dimmed">
          {service.published}
        </Text>
      )}
    </div>
  );
}

/** All roles with their health, and how far the platform's main job is. */
export default function Overview() {
  const services = useServices();
  const importStarter = useImportStarter();
  const rows = services.data;
  const healthy = rows?.filter(({ state }) => state === 'healthy').length ?? 0;
  return (
    <Page
      title="Overview"
      lead={rows && `${healthy} of ${rows.length} roles are healthy`}
      actions={
        <Button
          variant="default"
          leftSection={<IconPackageImport size={16} />}
          loading={importStarter.isPending}
          onClick={() => importStarter.mutate()}
        >
          Import the content starter
        </Button>
      }
    >
      <MainJob />
      <Group justify="space-between" mb={-8}>
        <Text component="h2" fw={650} size="lg">
          Roles
        </Text>
      </Group>
      <DataTable
        label="Roles"
        list={wholeList(services)}
        columns={COLUMNS}
        rowKey={({ name }) => name}
        empty={<EmptyState title="No role is registered" />}
      />
    </Page>
  );
}
