import { Alert, Button, Group, Kbd, Menu, Paper, Stack, Text, Textarea } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { IconDownload, IconHistory, IconPlayerPlay, IconTable } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { post } from '@/api/client';
import type { Collection } from '@/api/types';
import { confirm } from '@/components/actions';
import { CODE_INPUT } from '@/components/code-input';
import { saveFile } from '@/components/download';
import { Page } from '@/components/Page';
import { ErrorState } from '@/components/states';
import { formatCount, formatDuration } from '@/format';
import { toCsv } from '@/pages/records/grid/export';
import { useCollections } from '@/pages/records/queries';
import { ResultTable, type SqlResult } from './ResultTable';
import { isWriting, remember } from './statement';

/** SQL on the database itself, past all rules. */
export default function Console() {
  const client = useQueryClient();
  const { data: collections = [] } = useCollections();
  const [sql, setSql] = useState('');
  const [history, setHistory] = useLocalStorage<string[]>({
    key: 'mito-sql-history',
    defaultValue: [],
    getInitialValueInEffect: false,
  });
  const run = useMutation({
    mutationFn: (query: string) => post<SqlResult>('/sql', { query }),
    onSuccess: (_, query) => {
      if (isWriting(query)) {
        void client.invalidateQueries({ queryKey: ['records'] });
      }
    },
  });
  const execute = () => {
    const query = sql.trim();
    if (query === '' || run.isPending) {
      return;
    }
    const start = () => {
      setHistory(remember(history, query));
      run.mutate(query);
    };
    if (!isWriting(query)) {
      start();
      return;
    }
    confirm({
      title: 'Run a statement that may change data?',
      text: 'It runs on the database itself: rules, validation and files of records are passed by, and nothing undoes it.',
      verb: 'Run it',
      onConfirm: start,
    });
  };
  return (
    <Page title="SQL" lead="On the database itself, past all rules">
      <Paper withBorder p="sm">
        <Textarea
          aria-label="Statement"
          placeholder={`SELECT * FROM ${collections.find(({ system }) => !system)?.name ?? 'posts'} LIMIT 20`}
          autosize
          minRows={5}
          maxRows={20}
          value={sql}
          onChange={(event) => setSql(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
              event.preventDefault();
              execute();
            }
          }}
          {...CODE_INPUT}
        />
        <Group justify="space-between" mt="sm" gap="xs">
          <Group gap="xs">
            <Tables collections={collections} onChoose={setSql} />
            <History history={history} onChoose={setSql} onClear={() => setHistory([])} />
          </Group>
          <Group gap="xs">
            <Text size="xs" c="dimmed" visibleFrom="xs">
              <Kbd size="xs">Ctrl</Kbd> <Kbd size="xs">Enter</Kbd>
            </Text>
            <Button
              leftSection={<IconPlayerPlay size={16} />}
              loading={run.isPending}
              disabled={sql.trim() === ''}
              onClick={execute}
            >
              Run
            </Button>
          </Group>
        </Group>
      </Paper>
      <div aria-live="polite">
        {run.error && <ErrorState error={run.error} />}
        {run.data && <Result result={run.data} />}
      </div>
    </Page>
  );
}

function Result({ result }: { result: SqlResult }) {
  const { columns, rows, affectedRows, execTime } = result;
  const names = (columns ?? []).map(({ name }) => name);
  const csv = () =>
    toCsv(
      names,
      (rows ?? []).map((row) => ({
        id: '',
        ...Object.fromEntries(names.map((name, at) => [name, row[at]])),
      })),
    );
  return (
    <Stack gap="xs">
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {names.length > 0 ? countRows(rows?.length ?? 0) : `${countRows(affectedRows)} changed`}{' '}
          in {formatDuration(execTime)}
        </Text>
        {names.length > 0 && (
          <Button
            size="compact-sm"
            variant="subtle"
            leftSection={<IconDownload size={14} />}
            onClick={() => saveFile('result.csv', csv(), 'text/csv')}
          >
            Save as CSV
          </Button>
        )}
      </Group>
      {names.length > 0 ? (
        <ResultTable result={result} />
      ) : (
        <Alert color="teal" variant="light">
          Done.
        </Alert>
      )}
    </Stack>
  );
}

interface TablesProps {
  collections: Collection[];
  onChoose: (sql: string) => void;
}

/** What can be asked for: a table for each collection, those of the platform last. */
function Tables({ collections, onChoose }: TablesProps) {
  const own = collections.filter(({ system }) => !system);
  const system = collections.filter((collection) => collection.system);
  const item = ({ id, name, fields }: Collection) => (
    <Menu.Item key={id} onClick={() => onChoose(`SELECT * FROM ${name} LIMIT 20`)}>
      <Text size="sm" ff="monospace">
        {name}
      </Text>
      <Text size="xs" c="dimmed" lineClamp={1}>
        {fields.map((field) => field.name).join(', ')}
      </Text>
    </Menu.Item>
  );
  return (
    <Menu position="bottom-start" width="min(360px, 88vw)">
      <Menu.Target>
        <Button variant="default" size="sm" leftSection={<IconTable size={16} />}>
          Tables
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: 'auto' }}>
        {own.map(item)}
        {own.length > 0 && <Menu.Divider />}
        {system.map(item)}
      </Menu.Dropdown>
    </Menu>
  );
}

function countRows(count: number): string {
  return `${formatCount(count)} ${count === 1 ? 'row' : 'rows'}`;
}

interface HistoryProps {
  history: string[];
  onChoose: (sql: string) => void;
  onClear: () => void;
}

function History({ history, onChoose, onClear }: HistoryProps) {
  return (
    <Menu position="bottom-start" width="min(480px, 88vw)" disabled={history.length === 0}>
      <Menu.Target>
        <Button
          variant="default"
          size="sm"
          leftSection={<IconHistory size={16} />}
          disabled={history.length === 0}
        >
          History
        </Button>
      </Menu.Target>
      <Menu.Dropdown mah={360} style={{ overflowY: 'auto' }}>
        <Menu.Label>Kept in this browser alone</Menu.Label>
        {history.map((sql) => (
          <Menu.Item key={sql} onClick={() => onChoose(sql)}>
            <Text size="xs" ff="monospace" lineClamp={2}>
              {sql}
            </Text>
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item color="red" onClick={onClear}>
          Forget them
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
