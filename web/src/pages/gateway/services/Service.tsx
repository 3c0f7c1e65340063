import { Anchor, Code, SimpleGrid, Text } from '@mantine/core';
import { Link, useParams } from 'wouter';
import { type Column, DataTable } from '@/components/DataTable';
import { Details } from '@/components/Details';
import { StatusBadge } from '@/components/StatusBadge';
import { EmptyState } from '@/components/states';
import { fullName, nameOf, objectHref } from '../names';
import { OptionList } from '../OptionList';
import { readOptions } from '../options';
import { ObjectLead, ObjectPage, Part, UsedBy } from '../parts';
import { useObject } from '../queries';
import { children, serviceType } from '../routers/flow';
import type { ServerInfo, ServiceInfo } from '../types';

/** One service: its servers with their states, and who uses it. */
export default function Service() {
  const name = nameOf(useParams<{ name: string }>().name);
  const query = useObject<ServiceInfo>('services', name);
  return (
    <ObjectPage
      kind="services"
      noun="service"
      name={name}
      query={query}
      lead={(service) => <ObjectLead status={service.status}>{serviceType(service)}</ObjectLead>}
    >
      {(service) => (
        <>
          <Targets service={service} />
          <SimpleGrid cols={{ base: 1, md: 2 }}>
            <Part title="Options">
              <Options service={service} />
            </Part>
            <UsedBy object={service} />
          </SimpleGrid>
        </>
      )}
    </ObjectPage>
  );
}

function Targets({ service }: { service: ServiceInfo }) {
  const shares = children(service);
  if (shares.length > 0) {
    return (
      <Part title="Shares">
        <Details
          items={shares.map(({ name, detail }) => [
            detail,
            <Anchor
              key={name}
              component={Link}
              href={objectHref('services', fullName(name, service.provider))}
              size="sm"
            >
              {name}
            </Anchor>,
          ])}
        />
      </Part>
    );
  }
  if (!service.loadBalancer) {
    return (
      <Text size="sm" c="dimmed">
        mito answers these requests itself, without a server.
      </Text>
    );
  }
  return <Servers service={service} />;
}

function Servers({ service }: { service: ServiceInfo }) {
  const columns: Column<ServerInfo>[] = [
    { header: 'Server', cell: ({ url }) => <Code>{url}</Code> },
    {
      header: 'State',
      cell: ({ url }) => {
        const state = service.serverStatus?.[url];
        return state ? (
          <StatusBadge state={state} />
        ) : (
          <Text span size="sm" c="dimmed">
            not checked
          </Text>
        );
      },
    },
    { header: 'Weight', align: 'right', cell: ({ weight }) => weight ?? 1 },
  ];
  return (
    <DataTable
      label="Servers"
      list={{
        rows: service.loadBalancer?.servers ?? [],
        error: null,
        retry: () => {},
        hasMore: false,
        loadMore: () => {},
        loadingMore: false,
      }}
      columns={columns}
      rowKey={({ url }) => url}
      empty={
        <EmptyState title="No servers">
          Requests to it are answered with 503 until it has one.
        </EmptyState>
      }
    />
  );
}

const NO_OPTIONS = new Set(['servers', 'services', 'service', 'mirrors', 'fallback']);

function Options({ service }: { service: ServiceInfo }) {
  const { loadBalancer, weighted, mirroring, failover, highestRandomWeight } = service;
  const of = loadBalancer ?? weighted ?? mirroring ?? failover ?? highestRandomWeight ?? {};
  const options = Object.entries(of).filter(([name]) => !NO_OPTIONS.has(name));
  return <OptionList options={readOptions(Object.fromEntries(options))} />;
}
