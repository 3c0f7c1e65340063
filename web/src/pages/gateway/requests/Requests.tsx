import { Anchor, Badge, Button, Code, Drawer, Group, Select, Switch, Text } from '@mantine/core';
import { IconActivity, IconPlayerPause, IconPlayerPlay } from '@tabler/icons-react';
import { useCallback, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { type Column, DataTable } from '@/components/DataTable';
import { Details } from '@/components/Details';
import { Page } from '@/components/Page';
import { StateDot } from '@/components/StatusBadge';
import { EmptyState } from '@/components/states';
import { formatBytes, formatDuration, formatTime } from '@/format';
import { type Kind, objectHref } from '../names';
import { Search } from '../ObjectList';
import { Plots } from './Plots';
import { type StreamState, useTraffic } from './stream';
import { CLASSES, classOf, MOST_ROWS, matching, type RequestInfo } from './traffic';

/** As many rows as a page shows before the rest is asked for. */
const SHOWN = 50;

const CLASS_COLORS: Record<number, string> = { 2: 'teal', 3: 'blue', 4: 'orange', 5: 'red' };

const COLUMNS: Column<RequestInfo>[] = [
  {
    header: 'Request',
    width: '40%',
    cell: ({ method, host, path }) => (
      <Text span size="sm" ff="monospace" lineClamp={2}>
        {method} {host}
        {path}
      </Text>
    ),
  },
  { header: 'Status', cell: ({ status }) => <Status status={status} /> },
  { header: 'Took', align: 'right', cell: ({ durationMs }) => formatDuration(durationMs) },
  { header: 'Router', cell: ({ router }) => <Named kind="routers" name={router} /> },
  { header: 'Client', nowrap: true, cell: ({ clientIp }) => clientIp || '–' },
  { header: 'Size', align: 'right', cell: ({ bytes }) => formatBytes(bytes) },
  { header: 'Time', nowrap: true, cell: ({ at }) => new Date(at).toLocaleTimeString() },
];

function Status({ status }: { status: number }) {
  const color = CLASS_COLORS[classOf(status)] ?? 'gray';
  return (
    <Badge radius="sm" variant="light" color={color} miw="max-content">
      {status}
    </Badge>
  );
}

function Named({ kind, name }: { kind: Kind; name: string }) {
  return name ? (
    <Anchor component={Link} href={objectHref(kind, name)} size="sm">
      {name}
    </Anchor>
  ) : (
    '–'
  );
}

const STATES: Record<StreamState, { state: string; text: string }> = {
  connecting: { state: 'starting', text: 'connecting' },
  live: { state: 'healthy', text: 'live' },
  lost: { state: 'unhealthy', text: 'the stream is interrupted and tried again' },
  absent: { state: 'stopped', text: 'not available here' },
};

/** Requests as they pass the gateway. */
export default function Requests() {
  const { traffic, state, arrived } = useTraffic();
  const { filter, withPanel, change } = useFilter();
  /** What was there when the list was stopped. */
  const [stopped, setStopped] = useState<{ rows: RequestInfo[]; arrived: number } | null>(null);
  const [limit, setLimit] = useState(SHOWN);
  const [opened, setOpened] = useState<RequestInfo | null>(null);
  const onSearch = useCallback((search: string) => change({ search }), [change]);

  if (state === 'absent') {
    return (
      <Page title="Live requests">
        <EmptyState icon={IconActivity} title="Not available here">
          This mito has no stream of its requests. The access log is in the data folder, in{' '}
          <Code>logs/access.log</Code>.
        </EmptyState>
      </Page>
    );
  }

  const all = stopped?.rows ?? traffic.rows(withPanel);
  const rows = matching(all, filter);
  const isFiltered = filter.search !== '' || filter.statusClass !== 0 || filter.router !== '';
  const routers = [...new Set([...all.map(({ router }) => router), filter.router])]
    .filter(Boolean)
    .sort();
  return (
    <Page
      title="Live requests"
      lead={<Lead state={state} />}
      actions={
        <Button
          variant={stopped ? 'filled' : 'default'}
          leftSection={stopped ? <IconPlayerPlay size={16} /> : <IconPlayerPause size={16} />}
          onClick={() => setStopped(stopped ? null : { rows: all, arrived })}
        >
          {stopped ? 'Go on' : 'Pause'}
        </Button>
      }
    >
      <Plots points={traffic.points(withPanel, Date.now())} />
      <Group gap="xs">
        <Search value={filter.search} onChange={onSearch} label="requests" />
        <Select
          aria-label="Status"
          w={140}
          allowDeselect={false}
          data={[
            { value: '0', label: 'Any status' },
            ...CLASSES.slice(1).map((one) => ({ value: String(one), label: `${one}xx` })),
          ]}
          value={String(filter.statusClass)}
          onChange={(value) => change({ statusClass: Number(value) })}
        />
        <Select
          aria-label="Router"
          flex={1}
          miw={150}
          maw={260}
          searchable
          clearable
          placeholder="Any router"
          data={routers}
          value={filter.router || null}
          onChange={(router) => change({ router: router ?? '' })}
        />
        <Switch
          size="sm"
          label="Requests of this panel"
          checked={withPanel}
          disabled={stopped !== null}
          onChange={(event) => change({ withPanel: event.currentTarget.checked })}
        />
      </Group>
      {stopped && (
        <Text size="sm" c="dimmed">
          Paused; {arrived - stopped.arrived} requests came since.
        </Text>
      )}
      <DataTable
        label="Requests"
        list={{
          rows: rows.slice(0, limit),
          error: null,
          retry: () => {},
          hasMore: rows.length > limit,
          loadMore: () => setLimit(MOST_ROWS),
          loadingMore: false,
        }}
        columns={COLUMNS}
        rowKey={({ id }) => String(id)}
        onOpen={setOpened}
        empty={
          <EmptyState
            icon={IconActivity}
            title={isFiltered && all.length > 0 ? 'Nothing matches' : 'No requests yet'}
          >
            {isFiltered && all.length > 0
              ? `None of the latest ${all.length} requests is of this kind.`
              : 'Requests appear here as they come, while this page is open.'}
          </EmptyState>
        }
      />
      <Drawer
        opened={opened !== null}
        onClose={() => setOpened(null)}
        title="Request"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {opened && <RequestDetails request={opened} />}
      </Drawer>
    </Page>
  );
}

/** The filter, kept in the address. */
function useFilter() {
  const [params, setParams] = useSearchParams();
  const statusClass = Number(params.get('class'));
  const filter = {
    search: params.get('search') ?? '',
    statusClass: CLASSES.includes(statusClass) ? statusClass : 0,
    router: params.get('router') ?? '',
  };
  const withPanel = params.get('panel') === '1';
  const change = useCallback(
    (changes: Partial<typeof filter> & { withPanel?: boolean }) =>
      setParams(
        (current) => {
          const next = new URLSearchParams(current);
          const names = {
            search: 'search',
            statusClass: 'class',
            router: 'router',
            withPanel: 'panel',
          };
          for (const [key, value] of Object.entries(changes)) {
            const name = names[key as keyof typeof names];
            if (value) {
              next.set(name, value === true ? '1' : String(value));
            } else {
              next.delete(name);
            }
          }
          return next;
        },
        { replace: true },
      ),
    [setParams],
  );
  return { filter, withPanel, change };
}

function Lead({ state }: { state: StreamState }) {
  const { state: dot, text } = STATES[state];
  return (
    <Group gap={6}>
      The latest {MOST_ROWS} requests, while this page is open
      <StateDot state={dot} label={text} />
      <span role="status">{text}</span>
    </Group>
  );
}

function RequestDetails({ request }: { request: RequestInfo }) {
  return (
    <Details
      items={[
        ['Method', request.method],
        ['Host', <Code key="host">{request.host}</Code>],
        ['Path', <Code key="path">{request.path}</Code>],
        ['Status', <Status key="status" status={request.status} />],
        ['Took', formatDuration(request.durationMs)],
        ['Size', formatBytes(request.bytes)],
        ['Router', <Named key="router" kind="routers" name={request.router} />],
        ['Service', <Named key="service" kind="services" name={request.service} />],
        ['Entry point', request.entryPoint || '–'],
        ['Client', request.clientIp || '–'],
        ['Time', formatTime(request.at)],
      ]}
    />
  );
}
