import { Button, Group, Popover, Stack, Text, ThemeIcon, UnstyledButton } from '@mantine/core';
import { IconPlus } from '@tabler/icons-react';
import { useContext, useState } from 'react';
import type { FieldType } from '@/api/types';
import { addField, changeField, type Draft, duplicateField, moveField, removeField } from './draft';
import { ErrorsContext, hasErrorBelow } from './errors';
import { FieldRow } from './FieldRow';
import classes from './FieldRow.module.css';
import { FIELD_TYPE_NAMES, FIELD_TYPES } from './field-types';
import { Indexes } from './Indexes';

interface FieldsProps {
  draft: Draft;
  onChange: (draft: Draft) => void;
}

/** The fields of a collection in their order, and its indexes. */
export function Fields({ draft, onChange }: FieldsProps) {
  const errors = useContext(ErrorsContext);
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const [dragged, setDragged] = useState<string | null>(null);
  const [over, setOver] = useState<string | null>(null);
  const toggle = (key: string) => {
    const next = new Set(opened);
    if (!next.delete(key)) {
      next.add(key);
    }
    setOpened(next);
  };
  const add = (type: FieldType) => {
    const [next, field] = addField(draft, type);
    onChange(next);
    setOpened(new Set([...opened, field.key]));
  };
  const place = (key: string) => draft.fields.findIndex((field) => field.key === key);
  const endDrag = () => {
    setDragged(null);
    setOver(null);
  };
  return (
    <Stack>
      <ul className={classes.list} aria-label="Fields">
        {draft.fields.map((field) => (
          <FieldRow
            key={field.key}
            field={field}
            opened={opened.has(field.key) || hasErrorBelow(errors, `field:${field.key}`)}
            isOver={dragged !== null && over === field.key && dragged !== field.key}
            onToggle={() => toggle(field.key)}
            onChange={(values) => onChange(changeField(draft, field.key, values))}
            onMove={(step) => onChange(moveField(draft, field.key, place(field.key) + step))}
            onRemove={() => onChange(removeField(draft, field.key))}
            onDuplicate={() => onChange(duplicateField(draft, field.key))}
            drag={{
              onStart: () => setDragged(field.key),
              onOver: () => setOver(field.key),
              onDrop: () => {
                if (dragged !== null) {
                  onChange(moveField(draft, dragged, place(field.key)));
                }
                endDrag();
              },
              onEnd: endDrag,
            }}
          />
        ))}
      </ul>
      <AddField onAdd={add} />
      <Indexes draft={draft} onChange={onChange} />
    </Stack>
  );
}

function AddField({ onAdd }: { onAdd: (type: FieldType) => void }) {
  const [opened, setOpened] = useState(false);
  return (
    <Popover
      opened={opened}
      onChange={setOpened}
      position="bottom-start"
      width="min(560px, 92vw)"
      trapFocus
    >
      <Popover.Target>
        <Button
          variant="default"
          leftSection={<IconPlus size={16} />}
          onClick={() => setOpened(!opened)}
          style={{ alignSelf: 'start' }}
        >
          New field
        </Button>
      </Popover.Target>
      <Popover.Dropdown p="xs">
        <div className={classes.types}>
          {FIELD_TYPE_NAMES.map((type) => {
            const { icon: Icon, label, hint } = FIELD_TYPES[type];
            return (
              <UnstyledButton
                key={type}
                p={6}
                onClick={() => {
                  setOpened(false);
                  onAdd(type);
                }}
              >
                <Group gap={8} wrap="nowrap">
                  <ThemeIcon variant="light" size={30}>
                    <Icon size={16} />
                  </ThemeIcon>
                  <span>
                    <Text size="sm" lh={1.2}>
                      {label}
                    </Text>
                    <Text size="xs" c="dimmed" lh={1.2}>
                      {hint}
                    </Text>
                  </span>
                </Group>
              </UnstyledButton>
            );
          })}
        </div>
      </Popover.Dropdown>
    </Popover>
  );
}
