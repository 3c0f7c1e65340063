import {
  Button,
  Checkbox,
  Group,
  Modal,
  Radio,
  ScrollArea,
  Stack,
  Text,
  TextInput,
} from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { useState } from 'react';
import type { Collection, RecordRow } from '@/api/types';
import { ErrorState } from '@/components/states';
import { recordTitle } from '../queries';
import { useRecordSearch } from '../RecordPicker';

interface RelationPickerProps {
  opened: boolean;
  onClose: () => void;
  collection: Collection;
  maxSelect: number;
  chosen: string[];
  onDone: (ids: string[]) => void;
}

/** Chooses records of another collection by searching. */
export function RelationPicker({ opened, onClose, collection, ...rest }: RelationPickerProps) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={`Choose from ${collection.name}`}
      closeButtonProps={{ 'aria-label': 'Close' }}
      stackId="relation"
    >
      {opened && <Choice collection={collection} onClose={onClose} {...rest} />}
    </Modal>
  );
}

function Choice({
  collection,
  maxSelect,
  chosen,
  onDone,
  onClose,
}: Omit<RelationPickerProps, 'opened'>) {
  const [words, setWords] = useState('');
  const [ids, setIds] = useState(chosen);
  const { data, error } = useRecordSearch(collection, words);
  const many = maxSelect > 1;
  const toggle = (id: string) => {
    if (!many) {
      setIds([id]);
      return;
    }
    setIds(ids.includes(id) ? ids.filter((one) => one !== id) : [...ids, id]);
  };
  return (
    <Stack>
      <TextInput
        aria-label="Search"
        placeholder="Search"
        data-autofocus
        leftSection={<IconSearch size={16} />}
        value={words}
        onChange={(event) => setWords(event.currentTarget.value)}
      />
      {error && <ErrorState error={error} />}
      <ScrollArea.Autosize mah="50vh" type="auto">
        <Stack gap={6} role={many ? 'group' : 'radiogroup'} aria-label={collection.name}>
          {data?.items.map((record) => (
            <Line
              key={record.id}
              record={record}
              title={recordTitle(collection, record)}
              many={many}
              checked={ids.includes(record.id)}
              disabled={many && ids.length >= maxSelect && !ids.includes(record.id)}
              onToggle={() => toggle(record.id)}
            />
          ))}
          {data?.items.length === 0 && (
            <Text size="sm" c="dimmed">
              No record matches.
            </Text>
          )}
        </Stack>
      </ScrollArea.Autosize>
      <Group justify="space-between">
        <Text size="sm" c="dimmed" role="status">
          {ids.length} of {maxSelect} chosen
        </Text>
        <Group gap="xs">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button
            onClick={() => {
              onDone(ids);
              onClose();
            }}
          >
            Choose
          </Button>
        </Group>
      </Group>
    </Stack>
  );
}

interface LineProps {
  record: RecordRow;
  title: string;
  many: boolean;
  checked: boolean;
  disabled: boolean;
  onToggle: () => void;
}

function Line({ record, title, many, ...props }: LineProps) {
  const { checked, disabled, onToggle } = props;
  const label = (
    <>
      {title}{' '}
      {title !== record.id && (
        <Text span size="xs" c="dimmed">
          {record.id}
        </Text>
      )}
    </>
  );
  return many ? (
    <Checkbox checked={checked} disabled={disabled} onChange={onToggle} label={label} />
  ) : (
    <Radio checked={checked} onChange={onToggle} label={label} value={record.id} name="record" />
  );
}
