import {
  ActionIcon,
  Badge,
  Button,
  Code,
  Group,
  Modal,
  Paper,
  Stack,
  Switch,
  TagsInput,
  Text,
  Textarea,
  TextInput,
  Title,
} from '@mantine/core';
import { IconPlus, IconTrash } from '@tabler/icons-react';
import { useContext, useState } from 'react';
import { CODE_INPUT } from '@/components/code-input';
import type { Draft } from './draft';
import { ErrorsContext } from './errors';
import { buildIndex, type Index, newIndexName, parseIndex } from './indexes';

interface IndexesProps {
  draft: Draft;
  onChange: (draft: Draft) => void;
}

/** The indexes of a collection. */
export function Indexes({ draft, onChange }: IndexesProps) {
  const errors = useContext(ErrorsContext);
  const [editing, setEditing] = useState<number | null>(null);
  const set = (indexes: string[]) => onChange({ ...draft, indexes });
  return (
    <div>
      <Group justify="space-between" mb="xs">
        <Title order={2} size="h3">
          Indexes
        </Title>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} />}
          onClick={() => setEditing(draft.indexes.length)}
        >
          New index
        </Button>
      </Group>
      <Stack gap="xs">
        {draft.indexes.length === 0 && (
          <Text size="sm" c="dimmed">
            None yet. Fields that are filtered, sorted or unique are faster with one.
          </Text>
        )}
        {draft.indexes.map((sql, place) => (
          <IndexRow
            // The statement names its index.
            key={sql}
            sql={sql}
            error={errors[`indexes.${place}`]}
            onEdit={() => setEditing(place)}
            onRemove={() => set(draft.indexes.toSpliced(place, 1))}
          />
        ))}
      </Stack>
      <Modal
        opened={editing !== null}
        onClose={() => setEditing(null)}
        title="Index"
        closeButtonProps={{ 'aria-label': 'Close' }}
      >
        {editing !== null && (
          <IndexForm
            draft={draft}
            sql={draft.indexes[editing]}
            onDone={(sql) => {
              set(draft.indexes.toSpliced(editing, 1, sql));
              setEditing(null);
            }}
          />
        )}
      </Modal>
    </div>
  );
}

interface IndexRowProps {
  sql: string;
  error: string | undefined;
  onEdit: () => void;
  onRemove: () => void;
}

function IndexRow({ sql, error, onEdit, onRemove }: IndexRowProps) {
  const index = parseIndex(sql);
  return (
    <Paper withBorder px="sm" py={6}>
      <Group gap="xs" wrap="nowrap" justify="space-between">
        <Group gap="xs" miw={0}>
          <Button variant="subtle" size="compact-sm" onClick={onEdit} maw="100%">
            {index?.columns.join(', ') ?? sql}
          </Button>
          {index?.unique && (
            <Badge radius="sm" variant="light" tt="none">
              unique
            </Badge>
          )}
          {index?.where && (
            <Text size="xs" c="dimmed">
              where {index.where}
            </Text>
          )}
        </Group>
        <ActionIcon variant="subtle" color="gray" aria-label="Delete the index" onClick={onRemove}>
          <IconTrash size={16} />
        </ActionIcon>
      </Group>
      {error && (
        <Text size="xs" c="var(--mantine-color-error)" role="alert">
          {error}
        </Text>
      )}
    </Paper>
  );
}

const EMPTY: Omit<Index, 'name'> = { unique: false, columns: [], where: '' };

interface IndexFormProps {
  draft: Draft;
  sql: string | undefined;
  onDone: (sql: string) => void;
}

function IndexForm({ draft, sql, onDone }: IndexFormProps) {
  const read = sql === undefined ? { ...EMPTY, name: newIndexName() } : parseIndex(sql);
  const [index, setIndex] = useState(read);
  const [text, setText] = useState(sql ?? '');
  if (!index) {
    return (
      <Stack>
        <Textarea
          label="Statement"
          autosize
          minRows={3}
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          {...CODE_INPUT}
        />
        <Button onClick={() => onDone(text)}>Apply</Button>
      </Stack>
    );
  }
  const built = buildIndex(index, draft.name);
  return (
    <Stack>
      <TagsInput
        label="Columns"
        description="In this order; expressions and COLLATE NOCASE are possible."
        data={draft.fields.filter(({ removed }) => !removed).map(({ name }) => name)}
        acceptValueOnBlur
        data-autofocus
        value={index.columns}
        onChange={(columns) => setIndex({ ...index, columns })}
      />
      <Switch
        label="Unique: no two records with the same values"
        checked={index.unique}
        onChange={(event) => setIndex({ ...index, unique: event.currentTarget.checked })}
      />
      <TextInput
        label="Only records where"
        placeholder="email != ''"
        value={index.where}
        onChange={(event) => setIndex({ ...index, where: event.currentTarget.value })}
        {...CODE_INPUT}
      />
      <TextInput
        label="Name"
        value={index.name}
        onChange={(event) => setIndex({ ...index, name: event.currentTarget.value })}
        {...CODE_INPUT}
      />
      <Code block style={{ whiteSpace: 'pre-wrap' }}>
        {built}
      </Code>
      <Button disabled={index.columns.length === 0} onClick={() => onDone(built)}>
        Apply
      </Button>
    </Stack>
  );
}
