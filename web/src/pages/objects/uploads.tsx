/** Uploads by button or drop, one after the other, each with its progress. */

import { ActionIcon, Button, FileButton, Group, Paper, Progress, Stack, Text } from '@mantine/core';
import { IconUpload, IconX } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { type DragEvent, type ReactNode, useCallback, useRef, useState } from 'react';
import { upload } from '@/api/client';
import { describe } from '@/components/states';
import { formatBytes } from '@/format';
import { objectPath } from './paths';
import classes from './uploads.module.css';

interface Upload {
  id: number;
  key: string;
  size: number;
  fraction: number;
  error: string | null;
}

export interface Uploads {
  current: Upload[];
  add: (files: File[]) => void;
  dismiss: (id: number) => void;
}

/** Puts files below `prefix` of `bucket`. */
export function useUploads(bucket: string, prefix: string): Uploads {
  const client = useQueryClient();
  const [current, setCurrent] = useState<Upload[]>([]);
  const ids = useRef(0);
  // One upload at a time: the next waits for this promise.
  const last = useRef<Promise<void>>(Promise.resolve());

  const change = useCallback((id: number, values: Partial<Upload>) => {
    setCurrent((uploads) => uploads.map((one) => (one.id === id ? { ...one, ...values } : one)));
  }, []);
  const dismiss = useCallback((id: number) => {
    setCurrent((uploads) => uploads.filter((one) => one.id !== id));
  }, []);

  const add = useCallback(
    (files: File[]) => {
      for (const file of files) {
        ids.current += 1;
        const id = ids.current;
        const key = prefix + file.name;
        setCurrent((uploads) => [
          ...uploads,
          { id, key, size: file.size, fraction: 0, error: null },
        ]);
        last.current = last.current.then(async () => {
          try {
            await upload(objectPath(bucket, key), file, (fraction) => change(id, { fraction }));
            dismiss(id);
          } catch (error) {
            change(id, { error: describe(error).detail });
          }
          await client.invalidateQueries({ queryKey: ['objects'] });
        });
      }
    },
    [bucket, prefix, client, change, dismiss],
  );

  return { current, add, dismiss };
}

export function UploadButton({ uploads }: { uploads: Uploads }) {
  return (
    <FileButton multiple onChange={uploads.add} inputProps={{ 'aria-label': 'Files to upload' }}>
      {(props) => (
        <Button {...props} leftSection={<IconUpload size={16} />}>
          Upload
        </Button>
      )}
    </FileButton>
  );
}

/** What is on its way, and what did not arrive. */
export function UploadList({ uploads }: { uploads: Uploads }) {
  if (uploads.current.length === 0) {
    return null;
  }
  return (
    <Paper withBorder p="md" role="status" aria-label="Uploads">
      <Stack gap="sm">
        {uploads.current.map(({ id, key, size, fraction, error }) => (
          <div key={id}>
            <Group justify="space-between" gap="xs" wrap="nowrap">
              <Text size="sm">
                {key}{' '}
                <Text span c="dimmed" size="xs">
                  {formatBytes(size)}
                </Text>
              </Text>
              {error && (
                <ActionIcon
                  variant="subtle"
                  color="gray"
                  aria-label={`Dismiss ${key}`}
                  onClick={() => uploads.dismiss(id)}
                >
                  <IconX size={16} />
                </ActionIcon>
              )}
            </Group>
            {error ? (
              <Text size="sm" c="red" role="alert">
                {error}
              </Text>
            ) : (
              <Progress value={fraction * 100} size="sm" mt={4} aria-label={`Upload of ${key}`} />
            )}
          </div>
        ))}
      </Stack>
    </Paper>
  );
}

/** Takes files that are dropped on what it surrounds. */
export function DropArea({ uploads, children }: { uploads: Uploads; children: ReactNode }) {
  const [over, setOver] = useState(false);
  const onDrop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    uploads.add([...event.dataTransfer.files]);
  };
  return (
    // Keyboards have the upload button.
    <section
      aria-label="Objects; files can be dropped here"
      className={classes.area}
      data-over={over || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget as Node | null)) {
          setOver(false);
        }
      }}
      onDrop={onDrop}
    >
      {children}
    </section>
  );
}
