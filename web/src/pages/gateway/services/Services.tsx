import { Code, Group, Text } from '@mantine/core';
import type { Column } from '@/components/DataTable';
import { StatusBadge } from '@/components/StatusBadge';
import { shortName } from '../names';
import { ObjectList } from '../ObjectList';
import { ObjectLinks, RoutingPage, StateCell } from '../parts';
import { children, serviceType } from '../routers/flow';
import type { ServiceInfo } from '../types';

/** As many servers as a row names. */
const SHOWN_SERVERS = 4;

const COLUMNS: Column<ServiceInfo>[] = [
  {
    header: 'Service',
    sortKey: 'name',
    nowrap: true,
    cell: ({ name, provider }) => shortName(name, provider),
  },
  {
    header: 'State',
    sortKey: 'status',
    cell: ({ status, error }) => <StateCell status={status} error={error ?? []} />,
  },
  { header: 'Type', sortKey: 'type', cell: serviceType },
  { header: 'Servers', sortKey: 'servers', cell: (service) => <Servers service={service} /> },
  {
    header: 'Used by',
    width: '14rem',
    cell: ({ usedBy, provider }) => (
      <ObjectLinks kind="routers" names={usedBy} provider={provider} />
    ),
  },
  { header: 'Provider', sortKey: 'provider', cell: ({ provider }) => provider },
];

function Servers({ service }: { service: ServiceInfo }) {
  const servers = service.loadBalancer?.servers ?? [];
  const shares = children(service);
  if (shares.length > 0) {
    return shares.map(({ name, detail }) => (
      <Text key={`${name} ${detail}`} size="sm">
        {name}{' '}
        <Text span size="xs" c="dimmed">
          {detail}
        </Text>
      </Text>
    ));
  }
  if (servers.length === 0) {
    return (
      <Text span size="sm" c="dimmed">
        {service.type ? 'none' : 'mito itself'}
      </Text>
    );
  }
  return (
    <div>
      {servers.slice(0, SHOWN_SERVERS).map(({ url }) => (
        <Group key={url} gap={6} wrap="nowrap">
          <Code>{url}</Code>
          {service.serverStatus?.[url] && <StatusBadge state={service.serverStatus[url]} />}
        </Group>
      ))}
      {servers.length > SHOWN_SERVERS && (
        <Text size="xs" c="dimmed">
          and {servers.length - SHOWN_SERVERS} more
        </Text>
      )}
    </div>
  );
}

/** Who answers the requests that routers let through. */
export default function Services() {
  return (
    <RoutingPage lead="Who answers">
      <ObjectList
        kind="services"
        label="Services"
        columns={COLUMNS}
        empty="The roles of mito and the servers of the gateway's configuration stand here."
      />
    </RoutingPage>
  );
}
