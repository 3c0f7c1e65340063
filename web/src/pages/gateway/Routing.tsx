import { Badge, Code, Group, Tabs, Text } from '@mantine/core';
import { IconRoute } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'wouter';
import { get } from '@/api/client';
import type { GatewayEntryPoint, GatewayRouter, GatewayService } from '@/api/types';
import { type Column, DataTable } from '@/components/DataTable';
import { wholeList } from '@/components/list';
import { Page } from '@/components/Page';
import { StatusBadge } from '@/components/StatusBadge';
import { EmptyState } from '@/components/states';

const POLL_MS = 5000;

function Names({ names }: { names: string[] | undefined }) {
  if (!names?.length) {
    return '–';
  }
  return (
    <Group gap={4} component="span">
      {names.map((name) => (
        <Badge key={name} variant="default" radius="sm" tt="none" fw={500} miw="max-content">
          {name}
        </Badge>
      ))}
    </Group>
  );
}

function RouterState({ status, error }: { status: string; error: string[] | undefined }) {
  return (
    <div>
      <StatusBadge state={status} />
      {error?.map((text) => (
        <Text key={text} size="xs" c="red">
          {text}
        </Text>
      ))}
    </div>
  );
}

const ROUTERS: Column<GatewayRouter>[] = [
  {
    header: 'Router',
    nowrap: true,
    cell: ({ name }) => (
      <Text size="sm" fw={600}>
        {name}
      </Text>
    ),
  },
  { header: 'State', cell: ({ status, error }) => <RouterState status={status} error={error} /> },
  { header: 'Rule', width: '15rem', cell: ({ rule }) => <Code>{rule}</Code> },
  { header: 'Service', nowrap: true, cell: ({ service }) => service },
  { header: 'Entry points', cell: ({ entryPoints }) => <Names names={entryPoints} /> },
  { header: 'Middlewares', cell: ({ middlewares }) => <Names names={middlewares} /> },
  {
    header: 'Priority',
    align: 'right',
    cell: ({ priority }) => (Number.isSafeInteger(priority) ? priority : 'highest'),
  },
];

const SERVICES: Column<GatewayService>[] = [
  {
    header: 'Service',
    nowrap: true,
    cell: ({ name }) => (
      <Text size="sm" fw={600}>
        {name}
      </Text>
    ),
  },
  {
    header: 'Servers',
    cell: ({ loadBalancer, serverStatus }) =>
      loadBalancer?.servers?.length ? (
        <div>
          {loadBalancer.servers.map(({ url }) => (
            <Group key={url} gap={6}>
              <Code>{url}</Code>
              {serverStatus?.[url] && <StatusBadge state={serverStatus[url]} />}
            </Group>
          ))}
        </div>
      ) : (
        'in process'
      ),
  },
  { header: 'Used by', cell: ({ usedBy }) => <Names names={usedBy} /> },
  { header: 'Provider', cell: ({ provider }) => provider },
  { header: 'State', cell: ({ status }) => <StatusBadge state={status} /> },
];

const ENTRY_POINTS: Column<GatewayEntryPoint>[] = [
  {
    header: 'Entry point',
    nowrap: true,
    cell: ({ name }) => (
      <Text size="sm" fw={600}>
        {name}
      </Text>
    ),
  },
  { header: 'Address', cell: ({ address }) => <Code>{address}</Code> },
  { header: 'Note', cell: ({ note }) => note ?? '–' },
];

const TABS = ['routers', 'services', 'entrypoints'];

function useGateway<T>(path: string) {
  return useQuery({
    queryKey: ['gateway', path],
    queryFn: () => get<T[]>(`/gateway/${path}`),
    refetchInterval: POLL_MS,
  });
}

/** What the gateway routes where: what Traefik's dashboard showed. */
export default function Routing() {
  const [search, setSearch] = useSearchParams();
  const tab = TABS.includes(search.get('tab') ?? '') ? search.get('tab') : 'routers';
  return (
    <Page title="Routing" lead="Which request goes to which role">
      <Tabs
        value={tab}
        onChange={(value) => setSearch({ tab: value ?? 'routers' }, { replace: true })}
        keepMounted={false}
      >
        <Tabs.List mb="md">
          <Tabs.Tab value="routers">Routers</Tabs.Tab>
          <Tabs.Tab value="services">Services</Tabs.Tab>
          <Tabs.Tab value="entrypoints">Entry points</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="routers">
          <Routers />
        </Tabs.Panel>
        <Tabs.Panel value="services">
          <Services />
        </Tabs.Panel>
        <Tabs.Panel value="entrypoints">
          <EntryPoints />
        </Tabs.Panel>
      </Tabs>
    </Page>
  );
}

function Routers() {
  return (
    <DataTable
      label="Routers"
      list={wholeList(useGateway<GatewayRouter>('http/routers'))}
      columns={ROUTERS}
      rowKey={({ name }) => name}
      empty={<EmptyState icon={IconRoute} title="No routers" />}
    />
  );
}

function Services() {
  return (
    <DataTable
      label="Services"
      list={wholeList(useGateway<GatewayService>('http/services'))}
      columns={SERVICES}
      rowKey={({ name }) => name}
      empty={<EmptyState icon={IconRoute} title="No services" />}
    />
  );
}

function EntryPoints() {
  return (
    <DataTable
      label="Entry points"
      list={wholeList(useGateway<GatewayEntryPoint>('entrypoints'))}
      columns={ENTRY_POINTS}
      rowKey={({ name }) => name}
      empty={<EmptyState icon={IconRoute} title="No entry points" />}
    />
  );
}
