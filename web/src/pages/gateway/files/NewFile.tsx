import { Button, Group, Modal, Stack, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';
import { useLocation } from 'wouter';
import { segment } from '../names';
import { nameProblem } from './text';

interface NewFileProps {
  opened: boolean;
  onClose: () => void;
  /** Names that exist. */
  taken: string[];
}

/** Asks for the name of a new file, which is written in the editor. */
export function NewFile({ opened, onClose, taken }: NewFileProps) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title="New file"
      closeButtonProps={{ 'aria-label': 'Close' }}
    >
      <Question onClose={onClose} taken={taken} />
    </Modal>
  );
}

function Question({ onClose, taken }: Omit<NewFileProps, 'opened'>) {
  const [, navigate] = useLocation();
  const [name, setName] = useState('');
  const [asked, setAsked] = useState(false);
  const problem = nameProblem(name.trim(), taken);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setAsked(true);
    if (!problem) {
      onClose();
      navigate(`/gateway/files/${segment(name.trim())}?new=1`);
    }
  };
  return (
    <form onSubmit={submit}>
      <Stack>
        <TextInput
          label="Name"
          description="Its end says the format: .yml or .toml"
          placeholder="shop.yml"
          data-autofocus
          autoComplete="off"
          spellCheck={false}
          value={name}
          error={asked ? problem : undefined}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Group justify="flex-end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button type="submit">Write it</Button>
        </Group>
      </Stack>
    </form>
  );
}
