import { ActionIcon, Anchor, Button, FileButton, Group, Input, Text } from '@mantine/core';
import { IconArrowBackUp, IconFile, IconPaperclip, IconX } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import type { Collection, CollectionField, RecordRow } from '@/api/types';
import { formatBytes } from '@/format';
import classes from './FileControl.module.css';
import { fileUrl, isImage, useFileToken } from './files';
import { type FileValue, isMultiple } from './values';

interface FileControlProps {
  collection: Collection;
  field: CollectionField;
  record: RecordRow | null;
  value: FileValue;
  onChange: (value: FileValue) => void;
  error?: string | undefined;
}

/** Uploads, replaces and removes the files of a record. */
export function FileControl({
  collection,
  field,
  record,
  value,
  onChange,
  error,
}: FileControlProps) {
  const token = useFileToken([field]);
  const many = isMultiple(field);
  const add = (files: File[]) => {
    const added = many ? [...value.added, ...files] : files.slice(0, 1);
    onChange({ ...value, added, removed: many ? value.removed : [...value.stored] });
  };
  return (
    <Input.Wrapper
      label={field.name}
      description={field.help || hint(field)}
      error={error}
      withAsterisk={field.required ?? false}
    >
      {/* Keyboards have the button. */}
      <section
        aria-label={`Files of ${field.name}; files can be dropped here`}
        className={classes.area}
        onDragOver={(event) => event.preventDefault()}
        onDrop={(event) => {
          event.preventDefault();
          add([...event.dataTransfer.files]);
        }}
      >
        {value.stored.map((name) => (
          <StoredFile
            key={name}
            name={name}
            url={record && fileUrl({ collection: collection.id, record: record.id, name, token })}
            thumb={
              record &&
              fileUrl(
                { collection: collection.id, record: record.id, name, token },
                { thumb: '100x100' },
              )
            }
            removed={value.removed.includes(name)}
            onToggle={() =>
              onChange({
                ...value,
                removed: value.removed.includes(name)
                  ? value.removed.filter((one) => one !== name)
                  : [...value.removed, name],
              })
            }
          />
        ))}
        {value.added.map((file) => (
          <AddedFile
            key={`${file.name}-${file.size}-${file.lastModified}`}
            file={file}
            onRemove={() =>
              onChange({
                ...value,
                added: value.added.filter((one) => one !== file),
                removed: many ? value.removed : [],
              })
            }
          />
        ))}
        <FileButton
          multiple={many}
          onChange={(files) => add(Array.isArray(files) ? files : files ? [files] : [])}
          {...(field.mimeTypes?.length ? { accept: field.mimeTypes.join(',') } : {})}
          inputProps={{ 'aria-label': `Files for ${field.name}` }}
        >
          {(props) => (
            <Button
              {...props}
              size="xs"
              variant="default"
              leftSection={<IconPaperclip size={14} />}
              style={{ alignSelf: 'start' }}
            >
              {many || value.stored.length === 0 ? 'Add a file' : 'Replace the file'}
            </Button>
          )}
        </FileButton>
      </section>
    </Input.Wrapper>
  );
}

function hint({ maxSize = 0, mimeTypes, maxSelect = 1 }: CollectionField): string {
  const parts = [
    maxSelect > 1 ? `up to ${maxSelect} files` : '',
    maxSize > 0 ? `${formatBytes(maxSize)} at most` : '',
    mimeTypes?.join(', ') ?? '',
  ];
  return parts.filter(Boolean).join('; ');
}

interface StoredFileProps {
  name: string;
  url: string | null;
  thumb: string | null;
  removed: boolean;
  onToggle: () => void;
}

function StoredFile({ name, url, thumb, removed, onToggle }: StoredFileProps) {
  return (
    <Group
      gap="xs"
      wrap="nowrap"
      className={classes.file ?? ''}
      data-removed={removed || undefined}
    >
      <Thumb name={name} src={thumb} />
      <Anchor href={url ?? ''} target="_blank" rel="noopener" size="sm" flex={1} truncate>
        {name}
      </Anchor>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={removed ? `Keep ${name}` : `Remove ${name}`}
        onClick={onToggle}
      >
        {removed ? <IconArrowBackUp size={16} /> : <IconX size={16} />}
      </ActionIcon>
    </Group>
  );
}

function AddedFile({ file, onRemove }: { file: File; onRemove: () => void }) {
  const [src, setSrc] = useState<string | null>(null);
  useEffect(() => {
    if (!isImage(file.name)) {
      return;
    }
    const url = URL.createObjectURL(file);
    setSrc(url);
    return () => URL.revokeObjectURL(url);
  }, [file]);
  return (
    <Group gap="xs" wrap="nowrap" className={classes.file ?? ''} data-added>
      <Thumb name={file.name} src={src} />
      <Text size="sm" flex={1} truncate>
        {file.name}{' '}
        <Text span size="xs" c="dimmed">
          new, {formatBytes(file.size)}
        </Text>
      </Text>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={`Remove ${file.name}`}
        onClick={onRemove}
      >
        <IconX size={16} />
      </ActionIcon>
    </Group>
  );
}

/** A small picture of a file where it is one. */
export function Thumb({
  name,
  src,
  size = 32,
}: {
  name: string;
  src: string | null;
  size?: number;
}) {
  const [failed, setFailed] = useState(false);
  return src && isImage(name) && !failed ? (
    <img
      src={src}
      alt=""
      title={name}
      width={size}
      height={size}
      loading="lazy"
      className={classes.thumb}
      onError={() => setFailed(true)}
    />
  ) : (
    <span className={classes.icon} style={{ width: size, height: size }} title={name}>
      <IconFile size={size / 2} />
    </span>
  );
}
