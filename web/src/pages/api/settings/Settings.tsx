import { Alert, Button, Group, Paper, Skeleton, Stack, Tabs } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { type FormEvent, useMemo, useState } from 'react';
import { useSearchParams } from 'wouter';
import { ApiError, get, patch } from '@/api/client';
import { toastDone } from '@/components/actions';
import { Page } from '@/components/Page';
import { ErrorState } from '@/components/states';
import { useUnsavedGuard } from '@/components/unsaved';
import { changedParts, withValue } from './draft';
import { SettingsContext } from './inputs';
import { Mail } from './Mail';
import { Access, Application, Backups, Batch, Logs } from './parts';
import { RateLimits } from './RateLimits';
import type { Settings as SettingsShape } from './types';

const KEY = ['settings'];

const PARTS = [
  { value: 'application', label: 'Application', part: Application },
  { value: 'mail', label: 'Mail', part: Mail },
  { value: 'rate-limits', label: 'Rate limits', part: RateLimits },
  { value: 'batch', label: 'Batch', part: Batch },
  { value: 'logs', label: 'Logs', part: Logs },
  { value: 'backups', label: 'Backups', part: Backups },
  { value: 'proxy', label: 'Access', part: Access },
];

/** What the API can be told while it runs. */
export default function Settings() {
  const { data, error, refetch } = useQuery({
    queryKey: KEY,
    queryFn: () => get<SettingsShape>('/settings'),
  });
  return (
    <Page
      title="Settings"
      lead="Of the API; hosts, ports and certificates stand in the configuration"
    >
      {error && !data && <ErrorState error={error} retry={() => void refetch()} />}
      {!data && !error && <Skeleton height={320} />}
      {data && <Form key={JSON.stringify(data)} stored={data} />}
    </Page>
  );
}

function Form({ stored }: { stored: SettingsShape }) {
  const client = useQueryClient();
  const [search, setSearch] = useSearchParams();
  const [settings, setSettings] = useState(stored);
  const [errors, setErrors] = useState<Readonly<Record<string, string>>>({});
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const changes = changedParts(stored, settings);
  const changed = Object.keys(changes).length > 0;
  const release = useUnsavedGuard(changed && !busy);
  const form = useMemo(
    () => ({
      settings,
      errors,
      set: (path: string, value: unknown) => {
        setSettings((current) => withValue(current, path, value));
        setErrors(({ [path]: _gone, ...rest }) => rest);
      },
    }),
    [settings, errors],
  );
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setProblem(null);
    try {
      const saved = await patch<SettingsShape>('/settings', changes);
      release();
      client.setQueryData(KEY, saved);
      toastDone('The settings are saved.');
    } catch (reason) {
      if (!(reason instanceof ApiError)) {
        throw reason;
      }
      setErrors(reason.fields);
      const fields = Object.entries(reason.fields).map(([path, text]) => `${path}: ${text}`);
      setProblem([reason.message, ...fields].join(' '));
    } finally {
      setBusy(false);
    }
  };
  return (
    <SettingsContext value={form}>
      <form onSubmit={(event) => void submit(event)} noValidate>
        <Stack>
          {problem && (
            <Alert color="red" variant="light" icon={<IconAlertTriangle />} role="alert">
              {problem}
            </Alert>
          )}
          <Tabs
            value={search.get('part') ?? 'application'}
            onChange={(part) => setSearch({ part: part ?? 'application' })}
            keepMounted={false}
          >
            <Tabs.List mb="md">
              {PARTS.map(({ value, label }) => (
                <Tabs.Tab key={value} value={value}>
                  {label}
                </Tabs.Tab>
              ))}
            </Tabs.List>
            {PARTS.map(({ value, part: Part }) => (
              <Tabs.Panel key={value} value={value}>
                <Paper withBorder p="md" maw={760}>
                  <Part />
                </Paper>
              </Tabs.Panel>
            ))}
          </Tabs>
          <Group gap="xs">
            <Button type="submit" loading={busy} disabled={!changed}>
              Save changes
            </Button>
            <Button
              variant="default"
              disabled={!changed || busy}
              onClick={() => {
                setSettings(stored);
                setErrors({});
                setProblem(null);
              }}
            >
              Undo changes
            </Button>
          </Group>
        </Stack>
      </form>
    </SettingsContext>
  );
}
