import { Button, Code, Drawer, Group, Image, Skeleton, Stack, Title } from '@mantine/core';
import { IconDownload, IconTrash } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { getText } from '@/api/client';
import type { ObjectSummary } from '@/api/types';
import { Details } from '@/components/Details';
import { ErrorState } from '@/components/states';
import { Time } from '@/components/Time';
import { formatBytes, formatCount } from '@/format';
import { objectPath, objectUrl, previewKind } from './paths';

/** The part of a text that is shown, in bytes. */
const PREVIEW_BYTES = 64 * 1024;

interface ObjectDrawerProps {
  bucket: string;
  object: ObjectSummary | null;
  onClose: () => void;
  onDelete: (key: string) => void;
}

/** One object: what is known of it and, for texts and images, a look at it. */
export function ObjectDrawer({ bucket, object, onClose, onDelete }: ObjectDrawerProps) {
  return (
    <Drawer
      opened={object !== null}
      onClose={onClose}
      title="Object"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      {object && (
        <Stack>
          <Title order={2}>{object.key}</Title>
          <Details
            items={[
              ['Size', `${formatBytes(object.size)} (${formatCount(object.size)} bytes)`],
              ['Type', object.content_type],
              ['Changed', <Time key="time" ms={object.modified_ms} />],
              ['ETag', <Code key="etag">{object.etag}</Code>],
            ]}
          />
          <Group>
            <Button
              component="a"
              href={objectUrl(bucket, object.key)}
              download={object.key.split('/').at(-1)}
              leftSection={<IconDownload size={16} />}
            >
              Download
            </Button>
            <Button
              variant="default"
              leftSection={<IconTrash size={16} />}
              onClick={() => onDelete(object.key)}
            >
              Delete
            </Button>
          </Group>
          <Preview bucket={bucket} object={object} />
        </Stack>
      )}
    </Drawer>
  );
}

function Preview({ bucket, object }: { bucket: string; object: ObjectSummary }) {
  const kind = previewKind(object.content_type, object.key);
  const text = useQuery({
    queryKey: ['objects', 'preview', bucket, object.key, object.etag],
    queryFn: () => getText(objectPath(bucket, object.key), PREVIEW_BYTES),
    enabled: kind === 'text',
  });
  if (kind === 'image') {
    return <Image src={objectUrl(bucket, object.key)} alt={object.key} radius="md" fit="contain" />;
  }
  if (kind === null) {
    return null;
  }
  if (text.error) {
    return <ErrorState error={text.error} retry={() => void text.refetch()} />;
  }
  return (
    <div>
      <Title order={3} mb="xs">
        {object.size > PREVIEW_BYTES ? `The first ${formatBytes(PREVIEW_BYTES)}` : 'Content'}
      </Title>
      {text.data === undefined ? (
        <Skeleton height={200} />
      ) : (
        // Scrolls by itself, so the keyboard must reach it.
        <Code
          block
          tabIndex={0}
          style={{ whiteSpace: 'pre-wrap', maxHeight: '60vh', overflow: 'auto' }}
        >
          {text.data}
        </Code>
      )}
    </div>
  );
}
