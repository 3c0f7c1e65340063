import {
  Badge,
  Button,
  Code,
  FileButton,
  Group,
  Paper,
  Skeleton,
  Stack,
  Switch,
  Text,
  Textarea,
} from '@mantine/core';
import { IconFileImport } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useLocation } from 'wouter';
import { put } from '@/api/client';
import type { Collection } from '@/api/types';
import { toastDone } from '@/components/actions';
import { CODE_INPUT } from '@/components/code-input';
import { ErrorState } from '@/components/states';
import { TypedConfirm } from '@/components/TypedConfirm';
import { useCollections } from '../queries';
import { type PlannedChange, planImport, readExport } from './plan';

/** Reads an export, shows what it would change, and takes it over. */
export function ImportCollections() {
  const client = useQueryClient();
  const [, navigate] = useLocation();
  const { data: present, error, refetch } = useCollections();
  const [text, setText] = useState('');
  const [deleteMissing, setDeleteMissing] = useState(false);
  const [asking, setAsking] = useState(false);
  const read = useMemo(() => parse(text), [text]);
  const plan = useMemo(
    () =>
      present && read.collections ? planImport(present, read.collections, deleteMissing) : null,
    [present, read.collections, deleteMissing],
  );
  const importing = useMutation({
    mutationFn: () =>
      put<void>('/collections/import', { collections: read.collections, deleteMissing }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['records'] });
      toastDone('The collections are imported.');
      navigate('/records');
    },
  });
  const loses = plan?.some(({ lines }) => lines.some(({ sign }) => sign === '-')) ?? false;
  const changes = plan?.filter(({ kind }) => kind !== 'same') ?? [];
  return (
    <Stack>
      <Group>
        <FileButton
          accept="application/json,.json"
          onChange={(file) => void file?.text().then(setText)}
          inputProps={{ 'aria-label': 'File to import' }}
        >
          {(props) => (
            <Button {...props} variant="default" leftSection={<IconFileImport size={16} />}>
              Choose a file
            </Button>
          )}
        </FileButton>
        <Switch
          label="Delete what the file does not have"
          checked={deleteMissing}
          onChange={(event) => setDeleteMissing(event.currentTarget.checked)}
        />
      </Group>
      <Textarea
        label="Collections, in JSON"
        placeholder='[{"name": "posts", "type": "base", "fields": […]}]'
        autosize
        minRows={5}
        maxRows={14}
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
        error={read.problem}
        {...CODE_INPUT}
      />
      {/* What changes can be said only of what is there. */}
      {!present && error && <ErrorState error={error} retry={() => void refetch()} />}
      {!present && !error && read.collections && <Skeleton height={120} />}
      {plan && <Plan plan={plan} />}
      {importing.error && <ErrorState error={importing.error} />}
      {plan && (
        <Group justify="flex-end">
          <Button
            color={loses ? 'red' : 'mito'}
            loading={importing.isPending}
            disabled={changes.length === 0}
            onClick={() => (loses ? setAsking(true) : importing.mutate())}
          >
            {changes.length === 0 ? 'Nothing to import' : `Import ${changes.length}`}
          </Button>
        </Group>
      )}
      <TypedConfirm
        opened={asking}
        onClose={() => setAsking(false)}
        title="Import and delete?"
        text="What is marked with − is deleted with its data, for good."
        word="delete"
        verb="Import"
        onConfirm={() => importing.mutate()}
      />
    </Stack>
  );
}

function parse(text: string): { collections?: Collection[]; problem?: string } {
  if (text.trim() === '') {
    return {};
  }
  try {
    return { collections: readExport(text) };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

const KINDS = {
  add: { label: 'new', color: 'teal' },
  change: { label: 'changed', color: 'blue' },
  delete: { label: 'deleted', color: 'red' },
  same: { label: 'as it is', color: 'gray' },
};

const COLORS = { '+': 'teal', '-': 'red', '~': 'dimmed' };

function Plan({ plan }: { plan: PlannedChange[] }) {
  return (
    <Stack gap="xs" role="region" aria-label="What the import changes">
      {plan.map(({ name, kind, lines }) => (
        <Paper key={name} withBorder p="sm">
          <Group gap="xs" mb={lines.length > 0 ? 4 : 0}>
            <Text fw={600}>{name}</Text>
            <Badge radius="sm" tt="none" variant="light" color={KINDS[kind].color}>
              {KINDS[kind].label}
            </Badge>
          </Group>
          {lines.map(({ sign, text }) => (
            <Text key={text} size="xs" c={COLORS[sign]}>
              <Code c={COLORS[sign]}>{sign === '-' ? '−' : sign}</Code> {text}
            </Text>
          ))}
        </Paper>
      ))}
    </Stack>
  );
}
