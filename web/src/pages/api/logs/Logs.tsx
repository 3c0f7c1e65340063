import {
  ActionIcon,
  Badge,
  Button,
  Code,
  Drawer,
  Group,
  Menu,
  Paper,
  Skeleton,
  Stack,
  Switch,
  Text,
} from '@mantine/core';
import {
  IconDots,
  IconDownload,
  IconListDetails,
  IconSearch,
  IconSettings,
  IconTrash,
} from '@tabler/icons-react';
import { lazy, Suspense, useMemo, useState } from 'react';
import { Link, useSearchParams } from 'wouter';
import { ApiError, remove } from '@/api/client';
import type { Collection, CollectionField } from '@/api/types';
import { confirm, useAction } from '@/components/actions';
import { type Column, DataTable } from '@/components/DataTable';
import { Details } from '@/components/Details';
import { saveJson } from '@/components/download';
import { Page } from '@/components/Page';
import { EmptyState } from '@/components/states';
import { Time } from '@/components/Time';
import { formatDuration, formatTime, parseTime } from '@/format';
import { FilterInput } from '@/pages/records/language/FilterInput';
import type { Scope } from '@/pages/records/language/scope';
import {
  askedFilter,
  hourly,
  isSearch,
  type LogRow,
  levelName,
  useLogStats,
  useLogs,
} from './queries';

const Chart = lazy(() => import('./Chart'));

const FIELDS: [string, CollectionField['type']][] = [
  ['id', 'text'],
  ['created', 'date'],
  ['level', 'number'],
  ['message', 'text'],
  ['data', 'json'],
];

/** The lines as the filter language sees them. */
const LINES: Collection = {
  id: 'logs',
  name: 'logs',
  type: 'base',
  fields: FIELDS.map(([name, type]) => ({ id: name, name, type })),
  indexes: [],
  listRule: null,
  viewRule: null,
  createRule: null,
  updateRule: null,
  deleteRule: null,
};
const SCOPE: Scope = { collection: LINES, collections: [], isRule: false };

const QUICK: [string, string][] = [
  ['Errors', 'level >= 8'],
  ['Refused', 'data.status >= 400'],
  ['Slow', 'data.execTime > 200'],
];

const COLUMNS: Column<LogRow>[] = [
  {
    header: 'Message',
    width: '50%',
    cell: ({ message }) => (
      <Text span size="sm" lineClamp={2} ff="monospace">
        {message}
      </Text>
    ),
  },
  { header: 'Level', cell: ({ level }) => <Level level={level} /> },
  { header: 'Status', cell: ({ data }) => <Status status={data.status} /> },
  {
    header: 'Took',
    align: 'right',
    cell: ({ data }) => (typeof data.execTime === 'number' ? formatDuration(data.execTime) : '–'),
  },
  { header: 'When', cell: ({ created }) => <Time ms={parseTime(created)} /> },
];

function Level({ level }: { level: number }) {
  const { name, color } = levelName(level);
  return (
    <Badge radius="sm" tt="none" variant="light" color={color}>
      {name}
    </Badge>
  );
}

function Status({ status }: { status: unknown }) {
  if (typeof status !== 'number') {
    return '–';
  }
  return (
    <Text span size="sm" c={status >= 400 ? 'var(--mantine-color-error)' : 'inherit'}>
      {status}
    </Text>
  );
}

/** What has been asked of the API, and what the platform says of itself. */
export default function Logs() {
  const [search, setSearch] = useSearchParams();
  const filter = search.get('filter') ?? '';
  const withPanel = search.get('panel') === '1';
  const show = (next: { filter: string; withPanel: boolean }) =>
    setSearch({
      ...(next.filter && { filter: next.filter }),
      ...(next.withPanel && { panel: '1' }),
    });
  const setFilter = (next: string) => show({ filter: next, withPanel });
  const [text, setText] = useState(filter);
  const [opened, setOpened] = useState<LogRow | null>(null);
  const asked = askedFilter(filter, withPanel);
  const logs = useLogs(asked);
  const stats = useLogStats(asked);
  const refused =
    logs.error instanceof ApiError && logs.error.status === 400 && filter !== '' && !logs.rows;
  const data = useMemo(() => stats.data && hourly(stats.data, Date.now()), [stats.data]);
  const choose = (next: string) => {
    setText(next);
    setFilter(next);
  };
  return (
    <Page title="Logs" lead="Requests to the API" actions={<Actions rows={logs.rows ?? []} />}>
      {!stats.error && (
        <Paper withBorder p="sm">
          {data ? (
            <Suspense fallback={<Skeleton height={170} />}>
              <Chart label="Lines" data={data} />
            </Suspense>
          ) : (
            <Skeleton height={170} />
          )}
        </Paper>
      )}
      <Stack gap="xs">
        <FilterInput
          label="Search or filter"
          hideLabel
          placeholder="Search or filter"
          leftSection={<IconSearch size={16} />}
          value={text}
          onChange={setText}
          onEnter={() => setFilter(text.trim())}
          scope={SCOPE}
          unchecked={isSearch(text)}
          error={refused ? 'The server does not accept this filter.' : undefined}
        />
        <Group gap={6}>
          {QUICK.map(([label, expression]) => (
            <Button
              key={label}
              size="compact-xs"
              variant={filter === expression ? 'light' : 'default'}
              onClick={() => choose(filter === expression ? '' : expression)}
            >
              {label}
            </Button>
          ))}
          <Switch
            size="sm"
            ml="auto"
            label="Requests of this panel"
            checked={withPanel}
            onChange={(event) => show({ filter, withPanel: event.currentTarget.checked })}
          />
        </Group>
      </Stack>
      {!refused && (
        <DataTable
          label="Logs"
          list={logs}
          columns={COLUMNS}
          rowKey={({ id }) => id}
          onOpen={setOpened}
          empty={
            <EmptyState
              icon={IconListDetails}
              title={filter ? 'Nothing matches' : 'No requests yet'}
            >
              {filter
                ? 'Try other words, or take the filter away.'
                : 'Requests of applications appear here a moment after they came.'}
            </EmptyState>
          }
        />
      )}
      <Drawer
        opened={opened !== null}
        onClose={() => setOpened(null)}
        title="Log line"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {opened && <Line row={opened} />}
      </Drawer>
    </Page>
  );
}

function Line({ row }: { row: LogRow }) {
  const ms = parseTime(row.created);
  return (
    <Stack>
      <Text ff="monospace" size="sm">
        {row.message}
      </Text>
      <Details
        items={[
          ['Level', <Level key="level" level={row.level} />],
          ['Time', ms === null ? '–' : formatTime(ms)],
          ['Id', <Code key="id">{row.id}</Code>],
          ...Object.entries(row.data).map(([name, value]): [string, string] => [
            name,
            typeof value === 'object' ? JSON.stringify(value) : String(value),
          ]),
        ]}
      />
      <Button
        variant="default"
        leftSection={<IconDownload size={16} />}
        onClick={() => saveJson(`log-${row.id}.json`, row)}
      >
        Save as JSON
      </Button>
    </Stack>
  );
}

function Actions({ rows }: { rows: LogRow[] }) {
  const deletion = useAction<void>({
    run: () => remove('/logs'),
    done: () => 'The logs are deleted.',
    refresh: [['logs']],
  });
  return (
    <Menu position="bottom-end" width={220}>
      <Menu.Target>
        <ActionIcon variant="default" size={36} aria-label="Actions for the logs">
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconDownload size={16} />}
          onClick={() => saveJson('logs.json', rows)}
        >
          Save what is shown
        </Menu.Item>
        <Menu.Item
          component={Link}
          href="/settings?part=logs"
          leftSection={<IconSettings size={16} />}
        >
          What is kept
        </Menu.Item>
        <Menu.Item
          color="red"
          leftSection={<IconTrash size={16} />}
          onClick={() =>
            confirm({
              title: 'Delete all logs?',
              text: 'All lines are removed for good.',
              verb: 'Delete',
              onConfirm: () => deletion.mutate(),
            })
          }
        >
          Delete all
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
