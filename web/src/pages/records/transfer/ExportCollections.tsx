import { Button, Checkbox, Group, Paper, Skeleton, Stack, Text } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useState } from 'react';
import { saveJson } from '@/components/download';
import { ErrorState } from '@/components/states';
import { useCollections } from '../queries';

/** Chooses collections and saves their structure. */
export function ExportCollections() {
  const { data, error, refetch } = useCollections();
  const [left, setLeft] = useState<ReadonlySet<string>>(new Set());
  if (!data) {
    return error ? (
      <ErrorState error={error} retry={() => void refetch()} />
    ) : (
      <Skeleton height={200} />
    );
  }
  const chosen = data.filter(({ id }) => !left.has(id));
  const toggle = (id: string) => {
    const next = new Set(left);
    if (!next.delete(id)) {
      next.add(id);
    }
    setLeft(next);
  };
  return (
    <Paper withBorder p="md">
      <Stack gap="xs">
        <Checkbox
          label={`All ${data.length} collections`}
          fw={600}
          checked={left.size === 0}
          indeterminate={left.size > 0 && chosen.length > 0}
          onChange={() => setLeft(left.size === 0 ? new Set(data.map(({ id }) => id)) : new Set())}
        />
        {data.map(({ id, name, type, fields }) => (
          <Checkbox
            key={id}
            ml="lg"
            label={
              <>
                {name}{' '}
                <Text span size="xs" c="dimmed">
                  {type}, {fields.length} fields
                </Text>
              </>
            }
            checked={!left.has(id)}
            onChange={() => toggle(id)}
          />
        ))}
        <Group mt="sm">
          <Button
            leftSection={<IconDownload size={16} />}
            disabled={chosen.length === 0}
            onClick={() => saveJson('collections.json', chosen)}
          >
            Save {chosen.length} as JSON
          </Button>
        </Group>
      </Stack>
    </Paper>
  );
}
