import { Badge, Code } from '@mantine/core';
import type { Column } from '@/components/DataTable';
import { shortName } from '../names';
import { ObjectList } from '../ObjectList';
import { ObjectLinks, RoutingPage, StateCell } from '../parts';
import type { RouterInfo } from '../types';
import { priorityText } from './flow';

const COLUMNS: Column<RouterInfo>[] = [
  {
    header: 'Router',
    sortKey: 'name',
    nowrap: true,
    cell: ({ name, provider }) => shortName(name, provider),
  },
  {
    header: 'State',
    sortKey: 'status',
    cell: ({ status, error }) => <StateCell status={status} error={error ?? []} />,
  },
  {
    header: 'Rule',
    sortKey: 'rule',
    width: '15rem',
    cell: ({ rule }) => <Code>{rule}</Code>,
  },
  {
    header: 'Entry points',
    sortKey: 'entryPoints',
    cell: ({ entryPoints }) => entryPoints.join(', '),
  },
  {
    header: 'Service',
    sortKey: 'service',
    nowrap: true,
    cell: ({ service, provider }) => (
      <ObjectLinks kind="services" names={[service]} provider={provider} />
    ),
  },
  { header: 'TLS', cell: ({ tls }) => (tls ? <Tls resolver={tls.certResolver} /> : '–') },
  { header: 'Provider', sortKey: 'provider', cell: ({ provider }) => provider },
  { header: 'Priority', sortKey: 'priority', align: 'right', cell: priorityText },
];

function Tls({ resolver }: { resolver: string | undefined }) {
  return (
    <Badge variant="default" radius="sm" tt="none" fw={500} miw="max-content">
      {resolver || 'TLS'}
    </Badge>
  );
}

/** Every rule that the gateway knows, and where it leads. */
export default function Routers() {
  return (
    <RoutingPage lead="Which requests go where">
      <ObjectList
        kind="routers"
        label="Routers"
        columns={COLUMNS}
        empty="Routers come from mito.toml and from the files of the gateway's configuration."
      />
    </RoutingPage>
  );
}
