import {
  ActionIcon,
  Badge,
  Button,
  Collapse,
  Group,
  Menu,
  Paper,
  SimpleGrid,
  Switch,
  Text,
  TextInput,
  ThemeIcon,
  Tooltip,
} from '@mantine/core';
import { IconCopy, IconDots, IconGripVertical, IconSettings, IconTrash } from '@tabler/icons-react';
import { type KeyboardEvent, useContext } from 'react';
import type { DraftField } from './draft';
import { ErrorsContext, hasErrorBelow, useErrorAt } from './errors';
import classes from './FieldRow.module.css';
import { fieldType } from './field-types';
import { OptionInput } from './OptionInput';

interface FieldRowProps {
  field: DraftField;
  opened: boolean;
  isOver: boolean;
  onToggle: () => void;
  onChange: (values: Partial<DraftField>) => void;
  onMove: (step: number) => void;
  onRemove: () => void;
  onDuplicate: () => void;
  drag: { onStart: () => void; onOver: () => void; onDrop: () => void; onEnd: () => void };
}

/** One field: its name, and its options when it is opened. */
export function FieldRow(props: FieldRowProps) {
  const { field, opened, onToggle, onChange, drag } = props;
  const info = fieldType(field.type);
  const errors = useContext(ErrorsContext);
  const nameError = useErrorAt(`field:${field.key}.name`);
  const wrong = hasErrorBelow(errors, `field:${field.key}`);
  if (field.removed) {
    return <RemovedField field={field} onRestore={() => onChange({ removed: false })} />;
  }
  return (
    // The handle moves the row by keyboard too.
    <Paper
      withBorder
      component="li"
      className={classes.row ?? ''}
      data-over={props.isOver || undefined}
      data-wrong={wrong || undefined}
      onDragOver={(event) => {
        event.preventDefault();
        drag.onOver();
      }}
      onDrop={(event) => {
        event.preventDefault();
        drag.onDrop();
      }}
    >
      <Group gap="xs" wrap="nowrap" align="flex-start">
        <Handle field={field} onMove={props.onMove} drag={drag} />
        <Tooltip label={info.label}>
          <ThemeIcon variant="light" size={36} color="gray" role="img" aria-label={info.label}>
            <info.icon size={18} />
          </ThemeIcon>
        </Tooltip>
        <TextInput
          aria-label={`Name of the field ${field.name}`}
          value={field.name}
          readOnly={field.system ?? false}
          variant={field.system ? 'filled' : 'default'}
          error={nameError}
          spellCheck={false}
          flex={1}
          miw={0}
          onChange={(event) => onChange({ name: event.currentTarget.value })}
        />
        <Text size="xs" c="dimmed" lh="36px" visibleFrom="sm" className={classes.type ?? ''}>
          {info.label}
        </Text>
        <Flags field={field} />
        <ActionIcon
          variant={opened ? 'light' : 'subtle'}
          color={wrong ? 'red' : 'gray'}
          size={36}
          aria-label={`Options of ${field.name}`}
          aria-expanded={opened}
          onClick={onToggle}
        >
          <IconSettings size={18} />
        </ActionIcon>
        <FieldMenu {...props} />
      </Group>
      <Collapse expanded={opened}>
        {opened && <FieldOptions field={field} onChange={onChange} />}
      </Collapse>
    </Paper>
  );
}

function RemovedField({ field, onRestore }: { field: DraftField; onRestore: () => void }) {
  return (
    <Paper withBorder component="li" className={classes.row ?? ''} data-removed>
      <Group justify="space-between" gap="xs">
        <Text size="sm">
          <s>{field.name}</s> goes with its values when the collection is saved.
        </Text>
        <Button size="xs" variant="default" onClick={onRestore}>
          Keep it
        </Button>
      </Group>
    </Paper>
  );
}

function Handle({ field, onMove, drag }: Pick<FieldRowProps, 'field' | 'onMove' | 'drag'>) {
  const onKeyDown = (event: KeyboardEvent) => {
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (step) {
      event.preventDefault();
      onMove(step);
    }
  };
  return (
    <ActionIcon
      variant="subtle"
      color="gray"
      h={36}
      w={24}
      className={classes.handle ?? ''}
      aria-label={`Move ${field.name}: arrow up and down`}
      draggable
      onDragStart={(event) => {
        event.dataTransfer.effectAllowed = 'move';
        drag.onStart();
      }}
      onDragEnd={drag.onEnd}
      onKeyDown={onKeyDown}
    >
      <IconGripVertical size={16} />
    </ActionIcon>
  );
}

function Flags({ field }: { field: DraftField }) {
  const flags = [
    field.required && 'required',
    field.hidden && 'hidden',
    field.presentable && 'title',
    field.system && 'system',
  ].filter((flag) => typeof flag === 'string');
  return (
    <Group gap={4} h={36} visibleFrom="sm" wrap="nowrap">
      {flags.map((flag) => (
        <Badge key={flag} variant="light" color="gray" radius="sm" tt="none">
          {flag}
        </Badge>
      ))}
    </Group>
  );
}

function FieldMenu({ field, onDuplicate, onRemove }: FieldRowProps) {
  if (field.system) {
    return null;
  }
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <ActionIcon
          variant="subtle"
          color="gray"
          size={36}
          aria-label={`Actions for ${field.name}`}
        >
          <IconDots size={18} />
        </ActionIcon>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item leftSection={<IconCopy size={16} />} onClick={onDuplicate}>
          Duplicate
        </Menu.Item>
        <Menu.Item color="red" leftSection={<IconTrash size={16} />} onClick={onRemove}>
          Delete
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function FieldOptions({ field, onChange }: Pick<FieldRowProps, 'field' | 'onChange'>) {
  const info = fieldType(field.type);
  const inputs = info.options.filter(({ kind }) => kind !== 'switch');
  const switches = info.options.filter(({ kind }) => kind === 'switch');
  return (
    <div className={classes.options}>
      <SimpleGrid cols={{ base: 1, sm: 2 }} spacing="sm">
        {inputs.map((option) => (
          <OptionInput key={option.name} field={field} option={option} onChange={onChange} />
        ))}
        {field.type !== 'autodate' && (
          <TextInput
            label="Help"
            placeholder="A hint for those who fill in the form"
            value={field.help ?? ''}
            onChange={(event) => onChange({ help: event.currentTarget.value })}
          />
        )}
      </SimpleGrid>
      <Group gap="lg" mt="md">
        {info.required && (
          <Switch
            label={info.required}
            checked={field.required ?? false}
            disabled={field.system ?? false}
            onChange={(event) => onChange({ required: event.currentTarget.checked })}
          />
        )}
        <Switch
          label="Hidden from the API"
          checked={field.hidden ?? false}
          onChange={(event) => onChange({ hidden: event.currentTarget.checked })}
        />
        <Switch
          label="Names the record"
          checked={field.presentable ?? false}
          onChange={(event) => onChange({ presentable: event.currentTarget.checked })}
        />
        {switches.map((option) => (
          <OptionInput key={option.name} field={field} option={option} onChange={onChange} />
        ))}
      </Group>
    </div>
  );
}
