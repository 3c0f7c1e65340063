import { Text } from '@mantine/core';
import type { Column } from '@/components/DataTable';
import { shortName } from '../names';
import { ObjectList } from '../ObjectList';
import { purpose } from '../options';
import { ObjectLinks, RoutingPage, StateCell } from '../parts';
import type { MiddlewareInfo } from '../types';

const COLUMNS: Column<MiddlewareInfo>[] = [
  {
    header: 'Middleware',
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
    header: 'Type',
    sortKey: 'type',
    cell: ({ type }) => (
      <div>
        {type}
        <Text size="xs" c="dimmed">
          {purpose(type)}
        </Text>
      </div>
    ),
  },
  {
    header: 'Used by',
    width: '20rem',
    cell: ({ usedBy, provider }) => (
      <ObjectLinks kind="routers" names={usedBy} provider={provider} />
    ),
  },
  { header: 'Provider', sortKey: 'provider', cell: ({ provider }) => provider },
];

/** What is done to requests on their way. */
export default function Middlewares() {
  return (
    <RoutingPage lead="What happens to requests on their way">
      <ObjectList
        kind="middlewares"
        label="Middlewares"
        columns={COLUMNS}
        empty="Middlewares come from the files of the gateway's configuration."
      />
    </RoutingPage>
  );
}
