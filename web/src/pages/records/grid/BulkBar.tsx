import { Button, Group, Paper, Text } from '@mantine/core';
import { IconDownload, IconTrash, IconX } from '@tabler/icons-react';
import { ApiError, post, remove } from '@/api/client';
import type { Collection, RecordRow } from '@/api/types';
import { confirm, useAction } from '@/components/actions';
import { saveJson } from '@/components/download';
import { recordsPath } from '../queries';
import classes from './BulkBar.module.css';

/** As many deletions as one batch takes where nothing else is set. */
const BATCH = 50;

interface BulkBarProps {
  collection: Collection;
  selected: ReadonlySet<string>;
  records: RecordRow[];
  onClear: () => void;
}

/** What can be done with the selected records. */
export function BulkBar({ collection, selected, records, onClear }: BulkBarProps) {
  const ids = [...selected];
  const deletion = useAction<string[], number>({
    run: (all) => deleteAll(collection.name, all),
    done: (_, count) => `${count} records are deleted.`,
    refresh: [['records', collection.name]],
  });
  if (ids.length === 0) {
    return null;
  }
  return (
    <Paper withBorder className={classes.bar} role="group" aria-label="Selected records">
      <Group gap="xs" justify="space-between">
        <Text size="sm" fw={600}>
          {ids.length} selected
        </Text>
        <Group gap="xs">
          <Button
            size="xs"
            variant="default"
            leftSection={<IconDownload size={14} />}
            onClick={() =>
              saveJson(
                `${collection.name}.json`,
                records.filter(({ id }) => selected.has(id)),
              )
            }
          >
            Export
          </Button>
          {collection.type !== 'view' && (
            <Button
              size="xs"
              color="red"
              leftSection={<IconTrash size={14} />}
              loading={deletion.isPending}
              onClick={() =>
                confirm({
                  title: `Delete ${ids.length} records?`,
                  text: `They are removed from ${collection.name} for good.`,
                  verb: 'Delete',
                  onConfirm: () => deletion.mutate(ids, { onSuccess: onClear }),
                })
              }
            >
              Delete
            </Button>
          )}
          <Button
            size="xs"
            variant="subtle"
            color="gray"
            leftSection={<IconX size={14} />}
            onClick={onClear}
          >
            None
          </Button>
        </Group>
      </Group>
    </Paper>
  );
}

/** Deletes records: each batch wholly or not at all; one after the other where batches are off. */
async function deleteAll(collection: string, ids: string[]): Promise<number> {
  for (let at = 0; at < ids.length; at += BATCH) {
    const part = ids.slice(at, at + BATCH);
    try {
      const requests = part.map((id) => ({
        method: 'DELETE',
        url: `/api${recordsPath(collection, id)}`,
      }));
      await post('/batch', { requests });
    } catch (error) {
      if (!(error instanceof ApiError) || (error.status !== 403 && error.status !== 404)) {
        throw error;
      }
      for (const id of part) {
        await remove(recordsPath(collection, id));
      }
    }
  }
  return ids.length;
}
