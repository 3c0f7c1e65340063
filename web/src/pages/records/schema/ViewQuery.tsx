import { Alert, Badge, Button, Group, Stack, Table, Text, Textarea, Title } from '@mantine/core';
import { IconPlayerPlay } from '@tabler/icons-react';
import { useMutation } from '@tanstack/react-query';
import { post } from '@/api/client';
import type { CollectionField, RecordRow } from '@/api/types';
import { CODE_INPUT } from '@/components/code-input';
import { ErrorState } from '@/components/states';
import { cellText } from '../fields';
import type { Draft } from './draft';
import { useErrorAt } from './errors';

interface DryRun {
  fields: CollectionField[];
  sample: RecordRow[];
}

interface ViewQueryProps {
  draft: Draft;
  onChange: (draft: Draft) => void;
}

/** The query of a view, with what it would give. */
export function ViewQuery({ draft, onChange }: ViewQueryProps) {
  const queryError = useErrorAt('viewQuery');
  const fieldsError = useErrorAt('fields');
  const error = queryError ?? fieldsError;
  const run = useMutation({
    mutationFn: (query: string) => post<DryRun>('/collections/meta/dry-run-view', { query }),
  });
  const query = draft.viewQuery ?? '';
  return (
    <Stack>
      <Textarea
        label="Query"
        description="One SELECT with a column id that is unique; (ROW_NUMBER() OVER()) as id makes one. * is not possible."
        placeholder="SELECT id, title, count(*) as total FROM posts GROUP BY id"
        autosize
        minRows={5}
        maxRows={24}
        value={query}
        error={error}
        onChange={(event) => onChange({ ...draft, viewQuery: event.currentTarget.value })}
        {...CODE_INPUT}
      />
      <Button
        variant="default"
        leftSection={<IconPlayerPlay size={16} />}
        loading={run.isPending}
        disabled={query.trim() === ''}
        onClick={() => run.mutate(query)}
        style={{ alignSelf: 'start' }}
      >
        Try it
      </Button>
      {run.error && <ErrorState error={run.error} />}
      {run.data && <Preview result={run.data} />}
    </Stack>
  );
}

function Preview({ result: { fields, sample } }: { result: DryRun }) {
  return (
    <div>
      <Title order={2} size="h3" mb="xs">
        Its fields
      </Title>
      <Group gap={6} mb="md">
        {fields.map(({ name, type }) => (
          <Badge key={name} variant="default" radius="sm" tt="none" fw={500}>
            {name}: {type}
          </Badge>
        ))}
      </Group>
      {sample.length === 0 ? (
        <Alert variant="light" color="gray">
          <Text size="sm">The query is right and finds no records.</Text>
        </Alert>
      ) : (
        <Table.ScrollContainer minWidth={fields.length * 120}>
          <Table fz="xs" withTableBorder>
            <Table.Thead>
              <Table.Tr>
                {fields.map(({ name }) => (
                  <Table.Th key={name}>{name}</Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {sample.map((row) => (
                <Table.Tr key={row.id}>
                  {fields.map(({ name }) => (
                    <Table.Td key={name}>
                      <Text size="xs" lineClamp={2}>
                        {cellText(row[name])}
                      </Text>
                    </Table.Td>
                  ))}
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </div>
  );
}
